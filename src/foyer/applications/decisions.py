"""What moderators do. Every door calls these: the desk, the admin, the API, the command line.

One UPDATE decides. Whoever comes second changes nothing and is told who was first, and when. What a decision does to
the world comes a minute later (`effects`), so that it can be undone until then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q

from foyer.accounts import holding
from foyer.applications import flags, mailing
from foyer.applications.errors import AlreadyApplied, TooLate
from foyer.applications.models import Application, Decision, Message, Note, PasswordWay, State
from foyer.applications.moves import lock, move, wrong_state
from foyer.applications.queries import by_id
from foyer.applications.texts import optional, required
from foyer.audit.services import record
from foyer.audit.verbs import Verb
from foyer.jobs import services as jobs
from foyer.kit.actor import Actor
from foyer.kit.clock import now
from foyer.kit.refusal import Refusal
from foyer.names import services as names

TIME_TO_UNDO = timedelta(seconds=60)
READING = timedelta(minutes=5)
BATCH = 100
UNDECIDED = (State.WAITING, State.ASKED)
NOT_DECIDED: dict[str, Any] = {
    "decision": Decision.NONE,
    "decided_at": None,
    "decided_by": "",
    "message": "",
    "reason": "",
    "is_silent": False,
    "effects_at": None,
    "effects_started_at": None,
}


def approve(
    application_id: int,
    actor: Actor,
    message: str = "",
    reason: str = "",
    *,
    silent: bool = False,
    at_once: bool = False,
) -> Application:
    """Say yes. `message` goes to the applicant, `reason` to nobody but moderators.

    Takes effect after `TIME_TO_UNDO`, or with `at_once` as soon as a worker is free.

    Raises:
        WrongState: with who decided, and when.
        ApplicationUnknown, TextTooLong
    """
    return _decide(State.APPROVED, application_id, actor, message, reason, silent=silent, at_once=at_once)


def deny(
    application_id: int,
    actor: Actor,
    message: str = "",
    reason: str = "",
    *,
    silent: bool = False,
    at_once: bool = False,
) -> Application:
    """Say no. As approve()."""
    return _decide(State.DENIED, application_id, actor, message, reason, silent=silent, at_once=at_once)


def _decide(
    target: State, application_id: int, actor: Actor, message: str, reason: str, *, silent: bool, at_once: bool
) -> Application:
    message, reason, moment = optional(message), optional(reason), now()
    delay = timedelta(0) if at_once else TIME_TO_UNDO
    is_yes = target == State.APPROVED
    with transaction.atomic():
        decided = move(
            application_id,
            UNDECIDED,
            target,
            verb=Verb.APPLICATION_APPROVED if is_yes else Verb.APPLICATION_DENIED,
            actor=actor,
            facts={"silent": silent, "message": bool(message)},
            state_before=F("state"),
            decision=Decision.APPROVE if is_yes else Decision.DENY,
            decided_at=moment,
            decided_by=str(actor),
            message=message,
            reason=reason,
            is_silent=silent,
            effects_at=moment + delay,
            effects_started_at=None,
            claimed_by="",
            claimed_until=None,
        )
        jobs.enqueue("applications.effects", subject=str(application_id), delay=delay)
    return decided


def undo(application_id: int, actor: Actor) -> Application:
    """Take a decision back before it takes effect. It competes with the job: one of the two wins.

    Raises:
        TooLate: it has taken effect.
        WrongState: there is no decision.
    """
    undecided = {**NOT_DECIDED, "state_before": ""}
    with transaction.atomic():
        mine = Application.objects.filter(
            id=application_id, state__in=[State.APPROVED, State.DENIED], effects_started_at=None
        )
        if not mine.update(state=F("state_before"), **undecided):
            refusal = wrong_state(application_id)
            if refusal.state in {State.APPROVED, State.DENIED, State.DONE}:
                raise TooLate(state=refusal.state, decided_by=refusal.decided_by, decided_at=refusal.decided_at)
            raise refusal
        record(Verb.APPLICATION_UNDONE, actor=actor, subject=("application", application_id))
    return by_id(application_id)


def reopen(application_id: int, actor: Actor) -> Application:
    """Let a denied application wait again, with the name that it had.

    Raises:
        NameHeld: somebody else has the name by now.
        AlreadyApplied: the email has another application under way.
        WrongState: it is not denied.
    """
    if Application.objects.filter(id=application_id, state=State.DENIED, effects_started_at=None).exists():
        return undo(application_id, actor)
    try:
        with transaction.atomic():
            row = move(
                application_id,
                [State.DENIED],
                State.WAITING,
                verb=Verb.APPLICATION_REOPENED,
                actor=actor,
                ended_at=None,
                state_before="",
                **NOT_DECIDED,
            )
            names.claim(row.localpart, holder=row.holder)
            flags.forget_denied(row)
            if not holding.is_held_for(row.account_id, holder=row.holder):
                row.account_id, row.password_way = None, PasswordWay.WHEN_APPROVED
                row.save(update_fields=["account_id", "password_way"])
    except IntegrityError:
        raise AlreadyApplied from None
    return row


def ask(application_id: int, actor: Actor, text: str) -> Application:
    """Ask the applicant something, by mail and on their status page.

    Raises:
        TextMissing, TextTooLong
        WrongState
    """
    text = required(text)
    with transaction.atomic():
        asked = move(application_id, UNDECIDED, State.ASKED, verb=Verb.APPLICATION_ASKED, actor=actor, asked_at=now())
        question = Message.objects.create(application=asked, by=str(actor), text=text)
        mailing.owe(mailing.QUESTION, asked, part=question)
    return asked


def note(application_id: int, actor: Actor, text: str) -> Note:
    """Keep a note for the other moderators.

    Raises:
        TextMissing, TextTooLong, ApplicationUnknown
    """
    text = required(text)
    with transaction.atomic():
        row = lock(application_id)
        if row.state in {State.WITHDRAWN, State.EXPIRED}:
            raise wrong_state(application_id)
        record(Verb.APPLICATION_NOTED, actor=actor, subject=("application", application_id))
        return Note.objects.create(application=row, by=str(actor), text=text)


def claim_for_reading(application_id: int, actor: Actor) -> bool:
    """Tell the others that one is reading it, for some minutes. False: somebody else is."""
    moment = now()
    ran_ahead = Q(claimed_until__gt=moment + 2 * READING)
    free = Q(claimed_until=None) | Q(claimed_until__lte=moment) | Q(claimed_by=str(actor)) | ran_ahead
    mine = Application.objects.filter(free, id=application_id, state__in=UNDECIDED)
    return mine.update(claimed_by=str(actor), claimed_until=moment + READING) == 1


def release(application_id: int, actor: Actor) -> None:
    """Stop reading it."""
    mine = Application.objects.filter(id=application_id, claimed_by=str(actor))
    mine.update(claimed_by="", claimed_until=None)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one of many; `refusal` None: it was done."""

    application_id: int
    refusal: Refusal | None = None


def approve_many(
    application_ids: Sequence[int],
    actor: Actor,
    message: str = "",
    reason: str = "",
    *,
    silent: bool = False,
    at_once: bool = False,
) -> list[Outcome]:
    """Say yes to many; what cannot be is reported, and keeps nothing else from being done."""
    return _each(application_ids, lambda one: approve(one, actor, message, reason, silent=silent, at_once=at_once))


def deny_many(
    application_ids: Sequence[int],
    actor: Actor,
    message: str = "",
    reason: str = "",
    *,
    silent: bool = False,
    at_once: bool = False,
) -> list[Outcome]:
    """Say no to many. As approve_many()."""
    return _each(application_ids, lambda one: deny(one, actor, message, reason, silent=silent, at_once=at_once))


def undo_many(application_ids: Sequence[int], actor: Actor) -> list[Outcome]:
    """Take many decisions back. As approve_many()."""
    return _each(application_ids, lambda one: undo(one, actor))


def _each(application_ids: Sequence[int], decide: Callable[[int], Application]) -> list[Outcome]:
    """Decide in transactions of `BATCH`: fast, and no writer waits long for the gate.

    In the order of the numbers, since two moderators with the same selection would deadlock on PostgreSQL.
    """
    outcomes: dict[int, Outcome] = {}
    ordered = sorted(set(application_ids))
    for begin in range(0, len(ordered), BATCH):
        with transaction.atomic():
            for one in ordered[begin : begin + BATCH]:
                outcomes[one] = _outcome(one, decide)
    return [outcomes[one] for one in dict.fromkeys(application_ids)]


def _outcome(one: int, decide: Callable[[int], Application]) -> Outcome:
    try:
        decide(one)
    except Refusal as refusal:
        return Outcome(one, refusal)
    return Outcome(one)
