"""Registering as a client does: the server says in which stages (flows), and each is done until an account is there.

https://spec.matrix.org/v1.11/client-server-api/#user-interactive-authentication-api
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from foyer.homeserver.client_api import DEVICE_NAME, TRIAL_DEVICE, ClientAPI
from foyer.homeserver.errors import HomeserverError, Misconfigured, NameRefused, NameTaken, Unreachable, filled
from foyer.homeserver.http import Answer
from foyer.homeserver.plain import REGISTRATION_IS_OFF
from foyer.homeserver.port import Created
from foyer.homeserver.synapse_errors import account_refusal

PATH = "/_matrix/client/v3/register"
VALIDITY = "/_matrix/client/v1/register/m.login.registration_token/validity"
TOKEN = "m.login.registration_token"
DUMMY = "m.login.dummy"

STAGES: dict[str, str | Promise] = {
    "m.login.recaptcha": _("a captcha"),
    "m.login.email.identity": _("a confirmed email"),
    "m.login.msisdn": _("a confirmed telephone number"),
    "m.login.terms": _("its terms accepted"),
    "m.login.sso": _("a sign-in elsewhere"),
}
WRONG_TOKEN = _(
    "The homeserver does not accept homeserver.registration_token: it is wrong, used up or expired. Put one there that "
    "has no limit."
)
CANNOT_DO = _(
    "Who registers at the homeserver needs %(stages)s, and Foyer cannot do that for people. Let it ask for the "
    "registration token alone; Foyer has confirmed emails and accepted terms of its own."
)


@dataclass(frozen=True)
class Conversation:
    """What the server says while it wants more: which flows lead to an account, and which stages are done."""

    session: str
    flows: tuple[tuple[str, ...], ...]
    completed: frozenset[str]

    @classmethod
    def of(cls, answer: Answer) -> Conversation | None:
        """Read an answer; None: it is the end, good or bad."""
        session, flows = answer.text("session"), answer.body.get("flows")
        if answer.status != 401 or not session or not isinstance(flows, list):
            return None
        stages = [flow.get("stages") for flow in flows if isinstance(flow, dict)]
        completed = answer.body.get("completed")
        return cls(
            session,
            tuple(tuple(map(str, named)) for named in stages if isinstance(named, list)),
            frozenset(map(str, completed)) if isinstance(completed, list) else frozenset(),
        )

    def way(self) -> tuple[str, ...] | None:
        """Return the flow that we can go; best one that asks for the token."""
        ours = [flow for flow in self.flows if set(flow) <= {TOKEN, DUMMY}]
        return min(ours, key=lambda flow: (TOKEN not in flow, len(flow)), default=None)

    def obstacles(self) -> str:
        """Return in words what the easiest flow asks for that we cannot do."""
        asked = [[stage for stage in flow if stage not in (TOKEN, DUMMY)] for flow in self.flows]
        return ", ".join(str(STAGES.get(stage, stage)) for stage in min(asked, key=len, default=[])) or "?"


@dataclass
class Registration:
    """The registration endpoint that clients use, with a token that only we know."""

    api: ClientAPI
    token: str = field(repr=False)

    def register(self, mxid: str, localpart: str, password: str, *, sign_in: bool) -> Created:
        """Make the account; leaves no device unless sign_in. Errors as port.Creates.create()."""
        account: dict[str, Any] = {"username": localpart, "password": password, "inhibit_login": not sign_in}
        if sign_in:
            account["initial_device_display_name"] = DEVICE_NAME
        else:
            # Where a device is made all the same and the answer is lost, the next trial of the password replaces it.
            account["device_id"] = TRIAL_DEVICE
        answer = self._post(account)
        done: list[str] = []
        while conversation := Conversation.of(answer):
            stage = self._next(conversation, answer, done)
            done.append(stage)
            answer = self._post({**account, "auth": self._auth(stage, conversation.session)})
        if answer.ok:
            return self._created(answer, sign_in=sign_in)
        refusal = self._refusal(answer)
        if isinstance(refusal, NameTaken) and done and self.api.is_ours_after_all(mxid, password):
            return Created(mxid)  # it was free when the conversation began
        raise refusal

    def flows(self) -> Conversation:
        """Ask how one registers, without registering anybody.

        Raises:
            HomeserverError
        """
        answer = self.api.client.call("POST", PATH, {}, writes=False)
        conversation = Conversation.of(answer)
        if conversation is None:
            raise self._refusal(answer)
        return conversation

    def token_is_valid(self) -> bool | None:
        """Say whether the server knows our token; None where it does not tell."""
        answer = self.api.client.get(VALIDITY, query={"token": self.token})
        valid = answer.body.get("valid")
        return valid if answer.ok and isinstance(valid, bool) else None

    def _post(self, body: dict[str, Any]) -> Answer:
        return self.api.client.call("POST", PATH, body)

    def _next(self, conversation: Conversation, answer: Answer, done: list[str]) -> str:
        """Return the stage to do next.

        Raises:
            Misconfigured: what we did was not accepted, or there is something that we cannot do.
        """
        way = conversation.way()
        if way is None:
            raise Misconfigured(remedy=cannot_do(conversation), **answer.said)
        # Not every server lists what is completed; what is refused has an errcode everywhere.
        is_refused = bool(done and answer.errcode and done[-1] not in conversation.completed)
        left = [stage for stage in way if stage not in done]
        if is_refused or not left:
            raise Misconfigured(remedy=WRONG_TOKEN if TOKEN in done else cannot_do(conversation), **answer.said)
        return left[0]

    def _auth(self, stage: str, session: str) -> dict[str, str]:
        auth = {"type": stage, "session": session}
        return {**auth, "token": self.token} if stage == TOKEN else auth

    def _created(self, answer: Answer, *, sign_in: bool) -> Created:
        mxid, token = answer.text("user_id"), answer.text("access_token")
        if not mxid:
            raise Unreachable(maybe_done=True, **answer.said)
        if token and not sign_in:
            self.api.sign_out(token)  # not every server knows inhibit_login
        return Created(mxid, token or None if sign_in else None)

    def _refusal(self, answer: Answer) -> HomeserverError:
        if answer.ok:
            return Unreachable(maybe_done=True, **answer.said)
        if refusal := account_refusal(answer):
            return refusal
        if answer.status == 400 and re.search(r"\busername\b.*\bforbidden\b", answer.error, re.IGNORECASE):
            return NameRefused(**answer.said)
        if answer.errcode == "M_FORBIDDEN" and not self.api.accounts_are_elsewhere():
            return Misconfigured(remedy=REGISTRATION_IS_OFF, **answer.said)
        return self.api.unexpected(answer)


def cannot_do(conversation: Conversation) -> str | Promise:
    """Return what the owner can do about stages that we cannot do."""
    return filled(CANNOT_DO, stages=conversation.obstacles())
