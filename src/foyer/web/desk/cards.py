"""A request as the desk shows it: plain values for the templates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from foyer.applications import flags
from foyer.applications.models import Application, State
from foyer.applications.moves import who
from foyer.applications.submitting import YES
from foyer.config import current
from foyer.kit.clock import now
from foyer.kit.matrix import mxid
from foyer.notify.masking import masked
from foyer.web.desk.door import Me

DECIDABLE = (State.WAITING, State.ASKED)
_STATE_WORDS = {
    State.UNVERIFIED: _("email not confirmed"),
    State.VERIFIED: _("not finished"),
    State.WAITING: _("waiting"),
    State.ASKED: _("asked"),
    State.APPROVED: _("approved"),
    State.DENIED: _("denied"),
    State.DONE: _("let in"),
    State.LAPSED: _("lapsed"),
    State.WITHDRAWN: _("withdrawn"),
    State.EXPIRED: _("expired"),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """One question with what was answered; empty: nothing."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Card:
    """One request, for the eyes of a moderator."""

    id: int
    address: str
    email: str
    email_shown: str
    is_verified: bool
    takes_no_mail: bool
    answers: list[Answer]
    since: datetime
    age: timedelta
    subnet: str
    flags: list[str]
    state: str
    state_word: str
    may_decide: bool
    may_undo: bool
    may_reopen: bool
    read_by: str
    is_mine: bool
    decision: str
    decided_by: str
    decided_at: datetime | None


def card(row: Application, me: Me) -> Card:
    """Return one."""
    moment = now()
    since = row.submitted_at or row.created_at
    is_read = bool(row.claimed_by) and row.claimed_until is not None and row.claimed_until > moment
    is_revocable = row.effects_started_at is None and row.effects_at is not None and row.effects_at > moment
    return Card(
        id=row.pk,
        address=address_of(row),
        email=row.email,
        email_shown=masked(row.email) if row.email else "",
        is_verified=row.email_verified_at is not None,
        takes_no_mail=row.mail_refused_at is not None,
        answers=[Answer(str(it["text"]), _answer(str(it["id"]), str(it["answer"]))) for it in row.answers],
        since=since,
        age=max(moment - since, timedelta(minutes=1)),
        subnet=row.subnet,
        flags=[flags.phrase(flag) for flag in row.flags],
        state=row.state,
        state_word=state_word(row.state),
        may_decide=row.state in DECIDABLE,
        may_undo=is_revocable and row.state in (State.APPROVED, State.DENIED),
        may_reopen=row.state == State.DENIED,
        read_by=who(row.claimed_by) if is_read else "",
        is_mine=is_read and row.claimed_by == str(me.actor),
        decision=row.decision,
        decided_by=who(row.decided_by),
        decided_at=row.decided_at,
    )


def cards(rows: Iterable[Application], me: Me) -> list[Card]:
    """Return one for each."""
    return [card(row, me) for row in rows]


def address_of(row: Application) -> str:
    """Return the Matrix address that is asked for."""
    return mxid(row.localpart, current().server_name) if row.localpart else gettext("(no name)")


def _answer(question_id: str, answer: str) -> str:
    is_ticked = answer == YES and any(
        question.kind == "checkbox" for question in current().application.questions if question.id == question_id
    )
    return gettext("Yes") if is_ticked else answer


def state_word(state: str) -> str:
    """Return where a request stands, in a word or two."""
    return str(_STATE_WORDS[State(state)])
