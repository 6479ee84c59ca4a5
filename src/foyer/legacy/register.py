"""POST /register as the predecessor answers it, for programs and for owners' pages on other origins.

It uses no cookie and no session, so no other site can borrow anybody's. A valid invitation is all it asks for.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import structlog
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext_lazy as _

from foyer.accounts import services as accounts
from foyer.accounts.services import JoinAttempt, Joined
from foyer.config import current
from foyer.homeserver.errors import HomeserverError
from foyer.kit.refusal import Refusal
from foyer.legacy import wire, wording

FIELDS = ("username", "password", "confirm", "token")
COME_BACK_SECONDS = 60.0
# The homeserver's words for what we found out ourselves.
MATRIX_WORDS = {
    "name-taken": ("M_USER_IN_USE", "User ID already taken."),
    "name-refused": ("M_INVALID_USERNAME", "User ID is not valid"),
}
log = structlog.get_logger(__name__)


class NotText(Refusal):
    """A field of a JSON body holds something else than text."""

    code = "not-text"
    sentence = _("Send text in this field.")


@dataclass(frozen=True, slots=True)
class Sent:
    """What arrived; `odd` names the fields that are no text."""

    values: dict[str, str] = field(repr=False)
    odd: tuple[str, ...] = ()

    def attempt(self, request: HttpRequest) -> JoinAttempt:
        """Return it as the accounts room takes it."""
        client = wire.client(request)
        return JoinAttempt(
            code=self.values["token"].strip(),
            username=self.values["username"],
            password=self.values["password"],
            confirm=self.values["confirm"],
            ip=client.ip if client.is_known else None,
            wants_token=True,
        )


def preflight(request: HttpRequest) -> HttpResponse:
    """Answer OPTIONS /register."""
    return wire.options("GET", "HEAD", "POST")


@wire.route("POST", rule="join")
def submit(request: HttpRequest) -> HttpResponse:
    """Make an account of an invitation, and answer in JSON."""
    sent = _read(request)
    if sent.odd:
        errors = {name: [wording.INPUT] for name in sent.odd}
        return wire.error(wire.BAD_REQUEST, errors, more=wire.explained(NotText()))
    attempt = sent.attempt(request)
    try:
        if len(attempt.username) > wording.LONGEST_USERNAME:
            raise wording.UsernameTooLong
        joined = accounts.open_with_invite(attempt)
    except Refusal as refusal:
        return _refused(attempt, refusal)
    return _welcome(joined)


def _welcome(joined: Joined) -> HttpResponse:
    return wire.answer(
        {
            "access_token": joined.access_token,
            "home_server": current().server_name,
            "status": "success",
            "status_code": 200,
            "user_id": joined.mxid,
        }
    )


def _read(request: HttpRequest) -> Sent:
    """Return the fields of a form or of a JSON body; one that is missing is empty.

    Raises:
        Unreadable
    """
    if request.content_type == "application/json":
        return _read_object(wire.read_json(request))
    try:
        return Sent({name: request.POST.get(name, "") for name in FIELDS})
    except RequestDataTooBig:
        raise wire.Unreadable(status=413) from None
    except (MultiPartParserError, SuspiciousOperation, UnreadablePostError, LookupError, ValueError):
        # LookupError: a charset that Python does not know.
        raise wire.Unreadable from None


def _read_object(content: object) -> Sent:
    if not isinstance(content, dict):
        raise wire.Unreadable
    values = {name: content.get(name) for name in FIELDS}
    odd = tuple(name for name, value in values.items() if value is not None and not isinstance(value, str))
    return Sent({name: value if isinstance(value, str) else "" for name, value in values.items()}, odd)


def _refused(attempt: JoinAttempt, refusal: Refusal) -> HttpResponse:
    if refusal.status >= 500:
        return _not_now(refusal)
    errcode, text = _homeservers_words(refusal)
    if errcode:
        return wire.error(errcode, text, more=wire.explained(refusal))
    refusals = _everything_wrong(attempt, refusal)
    first = min(refusals, key=lambda it: wording.FIELDS.index(wording.field_of(it)))
    return wire.error(wire.BAD_REQUEST, wording.messages(attempt, refusals), more=wire.explained(first))


def _homeservers_words(refusal: Refusal) -> tuple[str, str]:
    """Return errcode and error of what only a homeserver can say; nothing for the rest."""
    if isinstance(refusal, HomeserverError) and refusal.errcode:
        return refusal.errcode, refusal.error
    return MATRIX_WORDS.get(refusal.code, ("", ""))


def _everything_wrong(attempt: JoinAttempt, first: Refusal) -> list[Refusal]:
    """Return all that is wrong, and not only what was found first."""
    found = accounts.validate(attempt)
    if isinstance(first, wording.UsernameTooLong):
        return [first, *(it for it in found if it.code != first.code)]
    return found if any(it.code == first.code for it in found) else [*found, first]


def _not_now(refusal: Refusal) -> HttpResponse:
    """Answer what may work in a while. The homeserver's own words are for the log: they may tell of its set-up."""
    log.warning("could not register", reason=refusal.code, detail=getattr(refusal, "detail", ""))
    wait = float(getattr(refusal, "retry_after", 0) or COME_BACK_SECONDS)
    response = wire.error("M_UNKNOWN", str(refusal), refusal.status, wire.explained(refusal))
    return wire.later(response, wait)
