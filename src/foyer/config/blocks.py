"""The blocks of foyer.yaml, one class each: every key with its type, its default and what it means."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from foyer.config import types as t
from foyer.config.values import Rate, items

HomeserverKind = Literal["synapse", "mas", "dendrite", "tuwunel", "uia"]


class Block(BaseModel):
    """Keys that belong together. A name that is not in it is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, arbitrary_types_allowed=True)


class Mas(Block):
    """The Matrix Authentication Service, where it keeps the accounts."""

    url: t.BaseUrl | None = Field(
        default=None,
        description="Where a listener of it answers that has `oauth`, `adminapi` and `compat` among its resources.",
    )
    client_id: t.Text | None = Field(
        default=None, description="The id of Foyer's client, from `clients` in its config.yaml."
    )
    client_secret: t.Secret | None = Field(default=None, description="The secret of that client.")


class Consent(Block):
    """Synapse's record that a person agreed to the server's terms. Leave it out unless Synapse asks for consent."""

    version: t.Text | None = Field(default=None, description="`user_consent.version` of homeserver.yaml.")
    form_secret: t.Secret | None = Field(default=None, description="`form_secret` of homeserver.yaml.")


class Homeserver(Block):
    """The homeserver that the accounts are made on. docs/homeservers/ says for each kind what it needs, and allows."""

    kind: HomeserverKind = Field(
        default="synapse",
        description="Which software it is. mas: Synapse with the Matrix Authentication Service. uia: any other where "
        "people register by a registration token, such as Conduit and Continuwuity.",
    )
    url: t.HomeserverUrl = Field(
        default="http://127.0.0.1:8008", description="Where its client API answers, best without a detour over a proxy."
    )
    registration_shared_secret: Annotated[
        t.Secret | None, t.Fill("the registration_shared_secret of homeserver.yaml")
    ] = Field(
        default=None,
        description="For synapse, dendrite and tuwunel: the key of the same name in the homeserver's configuration. "
        "With it accounts are made in one step.",
    )
    admin_token: t.Secret | None = Field(
        default=None,
        description="For synapse, tuwunel and mas: the access token of an account that is an admin of the homeserver "
        "(docs/admin-token.md tells how to get one). With it Foyer puts newcomers in rooms and welcomes them, and "
        "learns what became of an account when the homeserver's answer was lost.",
    )
    mas: Mas = Mas()
    registration_token: t.Secret | None = Field(
        default=None, description="Where kind is uia: the homeserver's own registration token. People never see it."
    )
    verify_tls: t.VerifyTls = Field(
        default=True,
        examples=["/etc/ssl/our-ca.pem"],
        description="Whether the certificate of an https URL is checked, and against which authorities.",
    )
    timeout: t.Timeout = Field(default=timedelta(seconds=10), description="How long Foyer waits for an answer.")
    consent: Consent = Consent()


class Usernames(Block):
    """Which names may be chosen, beyond the rules of Matrix. Each expression is matched against the whole name."""

    must_match: t.Patterns = Field(
        default=(), examples=[["[a-z][a-z0-9.-]{2,31}"]], description="A name must match all of these."
    )
    must_not_match: t.Patterns = Field(
        default=(), examples=[[".*(admin|support).*"]], description="A name must match none of these."
    )
    reserved: Annotated[tuple[t.Localpart, ...], BeforeValidator(items)] = Field(
        default=(), examples=[["admin", "abuse"]], description="Names that nobody gets here, such as admin and abuse."
    )


class Password(Block):
    """What Foyer asks of a password. The homeserver's own policy counts as well."""

    min_length: t.PasswordLength = Field(default=8, description="The fewest characters that it may have.")


class Invitations(Block):
    """What a new invitation has unless it is made otherwise."""

    uses: t.Uses = Field(default=1, description="How many accounts can be made with it.")
    expires: t.Expires = Field(default=timedelta(days=7), description="How long it is good for.")
    show_inviter: t.Flag = Field(default=False, description="Whether its page says who invites.")
    mirror: t.Flag = Field(
        default=False, description="Whether it is also made a registration token of the homeserver's own."
    )


class Question(Block):
    """A question to an applicant."""

    id: t.Slug = Field(description="A short name that never changes.")
    text: t.Lines = Field(description="The question as applicants read it.")
    kind: Literal["text", "choice", "checkbox"] = Field(default="text", description="How it is answered.")
    required: t.Flag = Field(default=True, description="Whether it must be answered (a checkbox: ticked).")
    min_length: t.AnswerLength = Field(default=0, description="The fewest characters of an answer of kind text.")
    choices: Annotated[tuple[t.Text, ...], BeforeValidator(items)] = Field(
        default=(), description="The answers to choose from, where kind is choice."
    )

    @model_validator(mode="after")
    def _choices_go_with_choice(self) -> Self:
        if (self.kind == "choice") != bool(self.choices):
            raise ValueError("choices and kind: choice go together. Give both, or neither.")
        return self


def _ids_differ(questions: tuple[Question, ...]) -> tuple[Question, ...]:
    ids = [question.id for question in questions]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise ValueError(f"Two questions have the id {twice[0]}. Give each its own.")
    return questions


DEFAULT_QUESTION = Question(
    id="reason",
    text="Who are you, why do you want to join here, and who told you about this server?",
    min_length=30,
)


class Template(Block):
    """Words that moderators need again and again."""

    title: t.Text = Field(description="What the moderators call it.")
    decision: Literal["approve", "deny", "ask"] = Field(description="What it is offered for.")
    text: t.Template = Field(description="What is written to the applicant, before it is changed by hand.")


def _titles_differ(templates: tuple[Template, ...]) -> tuple[Template, ...]:
    known = [(template.decision, template.title) for template in templates]
    twice = sorted({one for one in known if known.count(one) > 1})
    if twice:
        raise ValueError(f"Two templates for {twice[0][0]} are called {twice[0][1]}. Give each its own title.")
    return templates


class Application(Block):
    """How people apply for an account where moderators decide."""

    password: Literal["auto", "when_applying", "when_approved"] = Field(
        default="auto",
        description="When an applicant chooses the password: with the application, or from the mail that says yes. "
        "auto is when_applying where the homeserver can keep an account closed until then.",
    )
    questions: Annotated[tuple[Question, ...], BeforeValidator(items), AfterValidator(_ids_differ)] = Field(
        default=(DEFAULT_QUESTION,),
        description="What is asked. Each has id, text, kind, required, min_length and choices.",
    )
    templates: Annotated[tuple[Template, ...], BeforeValidator(items), AfterValidator(_titles_differ)] = Field(
        default=(),
        examples=[[{"title": "Come to the meeting", "decision": "ask", "text": "Will you come to our next meeting?"}]],
        description="What moderators can begin a message with. Each has title, decision (approve, deny or ask) and "
        "text. For a decision that has none, Foyer offers its own.",
    )


class After(Block):
    """What happens once the account is there."""

    rooms: Annotated[tuple[t.Room, ...], BeforeValidator(items)] = Field(
        default=(),
        examples=[["#welcome:example.org", "!vKcmvXbzwjRhzf:example.org"]],
        description="Rooms and spaces that newcomers are put in. Needs homeserver.admin_token.",
    )
    welcome_message: t.Lines | None = Field(
        default=None, description="What newcomers read, on the last page and in Matrix."
    )
    clients: Annotated[tuple[t.Client, ...], BeforeValidator(items)] = Field(
        default=("element-x", "element", "cinny", "fluffychat"),
        examples=[["element-x", {"name": "Our Element", "url": "https://chat.example.org"}]],
        description="The apps that newcomers are pointed to, the best one first.",
    )


class Email(Block):
    """How mails are sent. Without a host none are, and nobody can apply for an account."""

    host: t.MailHost | None = Field(default=None, description="The server that takes mails for sending.")
    port: t.Port = Field(default=587, description="Its port: mostly 587 with starttls, 465 with tls.")
    username: t.Text | None = Field(default=None, description="The user name there.")
    password: t.Secret | None = Field(default=None, description="The password there.")
    security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="How the connection is encrypted. none is for a server on this machine."
    )
    from_: t.Sender | None = Field(
        default=None,
        alias="from",
        examples=["Example <join@example.org>"],
        description="Whom mails come from. Unset: the user name, where that is an email address.",
    )

    @property
    def sender(self) -> str:
        """Return the From of mails; empty where no mail can be sent."""
        return (self.from_ or self.username or "") if self.host else ""


class Moderators(Block):
    """Who hears of new applications."""

    emails: Annotated[tuple[t.Email, ...], BeforeValidator(items)] = Field(
        default=(), examples=[["team@example.org"]], description="Mails go to these."
    )
    digest: Literal["each", "daily"] = Field(
        default="each",
        description="How these mails come: one for each new application, or one a day, at 7:00 UTC, with all that "
        "wait. The room is told of each.",
    )
    room: t.Room | None = Field(
        default=None,
        examples=["#team:example.org"],
        description="A Matrix room where Foyer says that somebody applied. It speaks as the account of "
        "homeserver.admin_token, which has to be in that room.",
    )
    notice: t.Notice | None = Field(
        default=None,
        examples=["{address} would like to join: {link}"],
        description="What is said in that room of a new application. {address}, {link}, {server} and {waiting} (how "
        "many wait) are filled in. Unset: a sentence of Foyer's.",
    )


class Staff(Block):
    """How moderators and admins sign in."""

    second_factor: Literal["optional", "required"] = Field(
        default="optional", description="Whether everybody needs a second factor."
    )
    session: t.Session = Field(default=timedelta(hours=12), description="How long a sign-in lasts.")


class Legal(Block):
    """A text that newcomers are shown."""

    title: t.Text = Field(description="Its title.")
    url: t.Link = Field(description="Where it can be read.")
    must_accept: t.Flag = Field(default=False, description="Whether it must be agreed to before an account is made.")


class Branding(Block):
    """How the pages look."""

    name: t.Text | None = Field(default=None, description="What the server is called. Unset: the server name.")
    tagline: t.Text | None = Field(default=None, description="One sentence about it.")
    logo: t.OwnFile | None = Field(
        default=None, examples=["logo.svg"], description="A picture; a relative path starts beside foyer.yaml."
    )
    accent: t.Colour = Field(default="#0b6e4f", description="The colour of buttons and links.")


class Screening(Block):
    """What keeps floods out."""

    limits: t.Flag = Field(
        default=True,
        description="Whether Foyer counts how often somebody tries to join, to apply, to guess a code or to use the "
        "API, and asks them to wait when it is too often. false: nobody is asked to wait; only guesses at one "
        "account's password are still counted.",
    )
    join_per_ip: t.Rates = Field(
        default=(Rate(10, 60), Rate(100, 86_400)),
        description="How often one IP may try to join. Raise it before a workshop where many share one IP.",
    )
    join_overall: t.Rates = Field(
        default=(Rate(120, 60), Rate(5_000, 86_400)), description="How often everybody together may try to join."
    )


class Retention(Block):
    """When personal data goes. What still waits for a decision is never deleted."""

    unverified: t.Retention = Field(
        default=timedelta(days=2), description="Applications whose email was never confirmed."
    )
    decided: t.Retention = Field(
        default=timedelta(days=30), description="Applications that were opened, denied or withdrawn."
    )
    ips: t.Retention = Field(default=timedelta(days=30), description="The IPs of people who joined or applied.")
    denial_digests: t.Retention = Field(
        default=timedelta(days=365), description="The digests by which a denied person is known again."
    )


class Api(Block):
    """Access for programs."""

    legacy_shared_secret: t.Secret | None = Field(
        default=None,
        description="The secret of matrix-registration's API (there `admin_api_shared_secret`). "
        "Unset: that API is closed.",
    )
    cors_origins: Annotated[tuple[t.Origin, ...], BeforeValidator(items)] = Field(
        default=(),
        examples=[["https://www.example.org"]],
        description="Other sites whose pages may register people here.",
    )


class Log(Block):
    """What Foyer writes to standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="How much.")
    format: Literal["text", "json"] = Field(default="text", description="For people or for programs.")
