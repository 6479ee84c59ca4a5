"""What applicants are told, from the first code to the last word.

Plain values only. `address` is a full Matrix address (`@maria:example.org`); links are whole URLs; a `message` or
`text` is what a moderator wrote.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils.translation import gettext

from foyer.config import current
from foyer.notify.messages.letter import Button, Code, Letter, Link, Message, Paragraph, Part, Quote
from foyer.notify.rendering import long_day, long_moment, rough_time

OTHER_SERVERS = "https://servers.joinmatrix.org/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification(Message):
    """Is this email yours? Anybody can have this sent to anybody, so nothing in it is of the sender's choosing.

    code: the six digits. link: the page with the button. minutes: how long the code is good from the sending on.
    """

    code: str = field(repr=False)
    link: str = field(repr=False)
    minutes: int = 30

    def letter(self) -> Letter:
        """Return the words in the active language."""
        valid = gettext("The code is good for %(minutes)s minutes. This does the same, without typing:")
        return Letter(
            subject=gettext("%(code)s is your code for %(server)s") % {"code": self.code, "server": _server()},
            heading=gettext("Confirm your email"),
            parts=(
                Paragraph(gettext("Type this code into the page where you ask for your account:")),
                Code(self.code),
                Paragraph(valid % {"minutes": self.minutes}),
                Button(gettext("Confirm my email"), self.link),
            ),
            why=(
                gettext("Somebody gave this email when asking for an account at %(server)s.") % {"server": _server()},
                gettext("If that was not you, you need not do anything, and nothing will happen."),
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AlreadyApplied(Message):
    """Somebody applied with an email whose owner has a request already. Only they hear of it, and only here.

    address, link: of that request, whose email was verified (else a stranger could have chosen the name); the link is
    its status page.
    """

    address: str
    link: str = field(repr=False)

    def letter(self) -> Letter:
        """Return the words in the active language."""
        again = gettext("Somebody, probably you, has just asked for an account at %(server)s with this email again.")
        there = gettext("Your request for %(address)s is there already, and nothing was changed.")
        return Letter(
            subject=gettext("You have already asked for an account at %(server)s") % {"server": _server()},
            heading=gettext("Your request is there already"),
            parts=(
                Paragraph(f"{again % {'server': _server()}} {there % {'address': self.address}}"),
                Button(gettext("See how it stands"), self.link),
            ),
            why=(gettext("If it was not you, you need not do anything."), _for_you_alone()),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Received(Message):
    """The request is complete and waits for the moderators.

    link: the status page. usual_wait: how long it has taken lately, None where that is not known.
    """

    address: str
    link: str = field(repr=False)
    usual_wait: timedelta | None = None

    def letter(self) -> Letter:
        """Return the words in the active language."""
        people = gettext("Thank you. People read every request here. You get a mail as soon as they have decided.")
        lately = gettext("Lately this has taken about %(time)s.")
        waiting = f"{people} {lately % {'time': rough_time(self.usual_wait)}}" if self.usual_wait else people
        return Letter(
            subject=gettext("Your request for %(address)s has arrived") % {"address": self.address},
            heading=gettext("Your request is being reviewed"),
            parts=(
                Paragraph(gettext("You asked for the account %(address)s.") % {"address": self.address}),
                Paragraph(waiting),
                Button(gettext("See how it stands"), self.link),
                Paragraph(gettext("There you can also correct your email, or withdraw the request.")),
            ),
            why=(gettext("Keep this mail: it leads back to your request."), _for_you_alone()),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Question(Message):
    """The moderators ask something.

    text: the question. link: the status page, where it is answered.
    """

    address: str
    text: str
    link: str = field(repr=False)

    def letter(self) -> Letter:
        """Return the words in the active language."""
        about = gettext("Before they decide about your request for %(address)s, they would like to know:")
        return Letter(
            subject=gettext("A question about your request for %(address)s") % {"address": self.address},
            heading=gettext("The moderators have a question"),
            parts=(
                Paragraph(about % {"address": self.address}),
                Quote(self.text),
                Button(gettext("Answer"), self.link),
                Paragraph(gettext("Please answer on that page. The moderators do not see answers to this mail.")),
            ),
            why=(_for_you_alone(),),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved(Message):
    """Yes.

    link: how to get in, or, where `chooses_password`, the link of the pinned invitation, good until `expires_at`.
    chooses_password: the password was not chosen with the request (`application.password: when_approved`).
    """

    address: str
    link: str = field(repr=False)
    chooses_password: bool = False
    message: str = ""
    expires_at: datetime | None = None

    def letter(self) -> Letter:
        """Return the words in the active language."""
        return Letter(
            subject=gettext("Your request was approved: welcome to %(server)s") % {"server": _server()},
            heading=gettext("Welcome to %(server)s") % {"server": _server()},
            parts=(
                Paragraph(gettext("The moderators have approved your request.")),
                *_from_moderators(self.message),
                *self._next(),
            ),
            why=(_for_you_alone(),),
        )

    def _next(self) -> tuple[Part, ...]:
        if not self.chooses_password:
            there = gettext("Your account %(address)s is there. Sign in with the password that you chose.")
            return (
                Paragraph(there % {"address": self.address}),
                Button(gettext("How to get in"), self.link),
            )
        choose = gettext("Choose a password now, and your account %(address)s is there.") % {"address": self.address}
        until = (Paragraph(_open_until(self.expires_at)),) if self.expires_at else ()
        return (Paragraph(choose), Button(gettext("Choose a password"), self.link), *until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied(Message):
    """No, kindly.

    message: to the applicant, may be empty. may_apply_again_at: None where nothing is to be said about that.
    """

    address: str
    message: str = ""
    may_apply_again_at: datetime | None = None

    def letter(self) -> Letter:
        """Return the words in the active language."""
        read = gettext("The moderators of %(server)s have read your request for %(address)s and did not approve it.")
        again: tuple[Part, ...] = ()
        if self.may_apply_again_at is not None:
            day = long_day(self.may_apply_again_at)
            again = (Paragraph(gettext("You can ask again from %(day)s on.") % {"day": day}),)
        return Letter(
            subject=gettext("About your request at %(server)s") % {"server": _server()},
            heading=gettext("Your request was not approved"),
            parts=(
                Paragraph(read % {"server": _server(), "address": self.address}),
                *_from_moderators(self.message),
                *again,
                Paragraph(
                    gettext("There are many other Matrix servers, and you can talk to everybody from any of them:")
                ),
                Link(gettext("Find another server"), OTHER_SERVERS),
            ),
            why=(gettext("You get this mail because you asked for an account at %(server)s.") % {"server": _server()},),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningFailed(Message):
    """Approved, but the account cannot be made under this name.

    link: where another name is chosen.
    """

    address: str
    link: str = field(repr=False)

    def letter(self) -> Letter:
        """Return the words in the active language."""
        lost = gettext(
            "Your request was approved, but the address %(address)s is not available any more. We are sorry."
        )
        return Letter(
            subject=gettext("Please choose another name for %(server)s") % {"server": _server()},
            heading=gettext("Please choose another name"),
            parts=(
                Paragraph(lost % {"address": self.address}),
                Paragraph(gettext("Choose another one, and your account is there: you need not ask again.")),
                Button(gettext("Choose another name"), self.link),
            ),
            why=(_for_you_alone(),),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Lapsed(Message):
    """The applicant was silent for too long.

    was_approved: the account was not opened in time; else a question of the moderators' was not answered.
    link: the status page, where it is taken up again.
    """

    address: str
    link: str = field(repr=False)
    was_approved: bool = False

    def letter(self) -> Letter:
        """Return the words in the active language."""
        if self.was_approved:
            silence = gettext("Your request for %(address)s was approved, but no password was chosen in time.")
        else:
            silence = gettext(
                "The moderators asked you something about your request for %(address)s and heard no more."
            )
        return Letter(
            subject=gettext("Your request for %(address)s has lapsed") % {"address": self.address},
            heading=gettext("Your request has lapsed"),
            parts=(
                Paragraph(silence % {"address": self.address}),
                Paragraph(gettext("Would you still like to come? Then take it up again.")),
                Button(gettext("Take it up again"), self.link),
            ),
            why=(gettext("If you do not want the account any more, you need not do anything."), _for_you_alone()),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation(Message):
    """You’re invited. `link` carries the key that proves the email, so it is for nobody else's eyes.

    inviter: the shown name, may be empty. localpart: the name, where the invitation is for a certain one.
    """

    link: str = field(repr=False)
    inviter: str = ""
    message: str = ""
    localpart: str = ""
    expires_at: datetime | None = None

    def letter(self) -> Letter:
        """Return the words in the active language."""
        invited = gettext("You’re invited to join %(server)s") % {"server": _server()}
        return Letter(
            subject=invited,
            heading=invited,
            parts=(*self._from_inviter(), *self._what_to_do()),
            why=(
                gettext(
                    "This link is for you alone: it also proves that this email is yours. Please do not pass it on."
                ),
                gettext("If you do not know who invited you, you need not do anything."),
            ),
        )

    def _from_inviter(self) -> tuple[Part, ...]:
        parts: list[Part] = []
        if self.inviter:
            parts.append(Paragraph(gettext("%(name)s invites you") % {"name": self.inviter}))
        if self.message.strip():
            parts.append(Quote(self.message))
        return tuple(parts)

    def _what_to_do(self) -> tuple[Part, ...]:
        if self.localpart:
            address = f"@{self.localpart}:{current().server_name}"
            do = gettext("Choose a password, and you are in.")
            yours = gettext("Your address will be %(address)s.")  # strings inside of an f-string are not gathered
            do = f"{do} {yours % {'address': address}}"
        else:
            do = gettext("Choose a user name and a password, and you are in.")
        until = (Paragraph(_open_until(self.expires_at)),) if self.expires_at else ()
        return (Paragraph(do), Button(gettext("Accept the invitation"), self.link), *until)


def _server() -> str:
    return current().display_name


def _for_you_alone() -> str:
    return gettext("The link in this mail is for you alone. Please do not pass it on.")


def _open_until(moment: datetime) -> str:
    return gettext("Open until %(moment)s") % {"moment": long_moment(moment)}


def _from_moderators(message: str) -> tuple[Part, ...]:
    return (Quote(message, gettext("The moderators write:")),) if message.strip() else ()
