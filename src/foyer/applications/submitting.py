"""The last step of the form: answers, consent, and the password where it is chosen now.

The answers are kept first. Then the homeserver is asked to hold the account, in no transaction, and whatever it does
within some seconds decides when the password is chosen; the request goes to the moderators in any case. Only a name
that is lost, or a password that the homeserver forbids, sends the applicant back to the form.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from foyer.accounts import holding
from foyer.accounts.rows import longest_attempt
from foyer.accounts.rules import password_refusals
from foyer.applications import flags, mailing, queries, search, welcome
from foyer.applications.errors import (
    AnswerMissing,
    AnswerNotAChoice,
    AnswerTooLong,
    AnswerTooShort,
    NameNotChosen,
    NotAccepted,
    SubmitBusy,
)
from foyer.applications.models import Application, PasswordWay, State
from foyer.applications.moves import lock, wrong_state
from foyer.applications.naming import lose_name
from foyer.applications.statements import END_TURN, KEEP_FORM, SUBMIT
from foyer.applications.texts import MAX_TEXT_LENGTH, cleaned
from foyer.audit.services import record
from foyer.audit.verbs import Verb
from foyer.config import current
from foyer.config.schema import Question
from foyer.homeserver.errors import NameRefused, NameTaken
from foyer.homeserver.make import current as current_homeserver
from foyer.homeserver.port import Capability
from foyer.kit.actor import Actor
from foyer.kit.clock import now
from foyer.kit.refusal import Refusal
from foyer.names import services as names

YES = "yes"
POLL_SECONDS = 0.1
SENT = (State.WAITING, State.ASKED, State.APPROVED, State.DENIED, State.DONE)


@dataclass(frozen=True, slots=True)
class Submitted:
    """The request is with the moderators. `chooses_password_later`: from the mail that says yes."""

    chooses_password_later: bool


def password_is_asked() -> bool:
    """Say whether the form ends with a password."""
    wanted = current().application.password
    return wanted != "when_approved" and Capability.HOLD in current_homeserver().capabilities


def validate(
    answers: Mapping[str, str], accepted: Collection[str], password: str = "", confirm: str | None = None
) -> list[Refusal]:
    """Return everything that is wrong with the form, as far as it can be known without the homeserver.

    `answers`: question id → text; a checkbox that is ticked: anything. `accepted`: the URLs of accepted texts.
    """
    found: list[Refusal] = []
    for question in current().application.questions:
        refusal = _refusal_of(question, cleaned(answers.get(question.id, "")))
        found += [refusal] if refusal is not None else []
    found += [
        NotAccepted(url=str(text.url), title=text.title)
        for text in current().legal
        if text.must_accept and str(text.url) not in accepted
    ]
    if password_is_asked():
        found += password_refusals(password, confirm)
    return found


def _refusal_of(question: Question, answer: str) -> Refusal | None:
    if not answer:
        return AnswerMissing(question=question.id) if question.required else None
    if question.kind == "text" and len(answer) < question.min_length:
        return AnswerTooShort(question=question.id, min_length=question.min_length)
    if len(answer) > MAX_TEXT_LENGTH:
        return AnswerTooLong(question=question.id, max_length=MAX_TEXT_LENGTH)
    if question.kind == "choice" and answer not in question.choices:
        return AnswerNotAChoice(question=question.id)
    return None


def save_answers(application: Application, answers: Mapping[str, str]) -> None:
    """Keep what was typed so far, so that going back loses nothing. Nothing is checked but the length.

    Raises:
        WrongState
    """
    kept = _kept_answers(answers)
    if not Application.objects.filter(id=application.id, state=State.VERIFIED).update(answers=kept):
        raise wrong_state(application.id)


def submit(
    application: Application,
    answers: Mapping[str, str],
    accepted: Collection[str],
    password: str = "",
    confirm: str | None = None,
    *,
    ip: str | None = None,
    traps: Collection[str] = (),
    hold_seconds: float = holding.HOLD_SECONDS,
) -> Submitted:
    """Give the application to the moderators. Pressing twice gives it once.

    `traps`: of flags.OF_THE_FORM, those that the form has sprung.

    Raises:
        Refusal: the first of validate().
        NameNotChosen, NameHeld, NameTaken, NameRefused: choose another name; email and answers are kept.
        NotWelcome: by the rules of the moderators; answers are not kept.
        PasswordRefused: by the homeserver's rules.
        DoorBusy: too many people are waiting for the homeserver; the answers are kept.
        SubmitBusy: another press of the same button is under way and takes long.
        WrongState: the email is not proven, or the application is over.
    """
    for refusal in validate(answers, accepted, password, confirm):
        raise refusal
    holds = password_is_asked()
    row = _begin(application.id, answers, accepted, traps, ip=ip, holds=holds)
    if row is None or row.state == State.WAITING:
        return _submitted(row or queries.by_id(application.id))
    try:
        return _finish(row, _hold(row, password, ip, hold_seconds))
    finally:
        if row.state == State.VERIFIED:
            with transaction.atomic():
                END_TURN.run(row.id, row.submitting_at)


def _begin(
    application_id: int,
    answers: Mapping[str, str],
    accepted: Collection[str],
    traps: Collection[str],
    *,
    ip: str | None = None,
    holds: bool = True,
) -> Application | None:
    """Keep the form and take the turn; None where another press has done it all meanwhile.

    `holds`: the homeserver is to be asked. Where it is not, all is done here, and the row that is returned waits.
    """
    deadline = time.monotonic() + holding.HOLD_SECONDS + 1
    while True:
        with transaction.atomic():
            row = lock(application_id)
            if row.state in SENT and row.submitted_at is not None:
                return None
            if row.state != State.VERIFIED:
                raise wrong_state(application_id)
            # The rules of now; they may be newer than the request.
            welcome.require(name=row.localpart, email=row.email, ip=ip or row.ip)
            # Far from now on either side: its process died, and the clock may have been set right since.
            is_dead = row.submitting_at is not None and abs(row.submitting_at - now()) > longest_attempt()
            is_mine = row.submitting_at is None or is_dead
            if is_mine:
                _fill_in(row, answers, accepted, traps)
                if row.localpart and not holds:
                    _give(row, None)
                else:
                    row.submitting_at = now() if row.localpart else None
                    KEEP_FORM(row)
        if not row.localpart:
            raise NameNotChosen
        if is_mine:
            return row
        if time.monotonic() > deadline:
            raise SubmitBusy
        time.sleep(POLL_SECONDS)


def _fill_in(row: Application, answers: Mapping[str, str], accepted: Collection[str], traps: Collection[str]) -> None:
    at = now().isoformat()
    row.answers = _kept_answers(answers)
    row.legal = [
        {"title": text.title, "url": str(text.url), "at": at} for text in current().legal if str(text.url) in accepted
    ]
    row.flags = flags.with_traps(row.flags, traps)


def _kept_answers(answers: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the answers with the questions as they were asked, since the owner may word them anew."""
    kept = []
    for question in current().application.questions:
        answer = cleaned(answers.get(question.id, ""))[:MAX_TEXT_LENGTH]
        if answer and question.kind == "checkbox":
            answer = YES
        kept.append({"id": question.id, "text": question.text, "answer": answer})
    return kept


def _hold(row: Application, password: str, ip: str | None, seconds: float) -> int | None:
    try:
        return holding.hold(row.localpart, password, holder=row.holder, ip=ip, seconds=seconds)
    except (NameTaken, NameRefused, names.NameHeld):
        lose_name(row)
        raise


def _finish(row: Application, account_id: int | None) -> Submitted:
    """Give it to the moderators, if it is as it was."""
    with transaction.atomic():
        fresh = lock(row.id)
        # Withdrawn meanwhile? Then the sweep lets go of what was held, since the name is nobody's any more.
        if fresh.state != State.VERIFIED or fresh.localpart != row.localpart:
            raise wrong_state(row.id)
        _give(fresh, account_id)
    row.state = fresh.state
    return _submitted(fresh)


def _give(row: Application, account_id: int | None) -> None:
    """Give a locked row to the moderators: from verified to waiting. Nobody's turn is left then."""
    row.state, row.submitted_at, row.submitting_at = State.WAITING, now(), None
    row.account_id = account_id
    row.password_way = PasswordWay.WHEN_APPROVED if account_id is None else PasswordWay.WHEN_APPLYING
    flags.look(row)
    SUBMIT(row, state=State.VERIFIED)
    facts = {"password": row.password_way.value}
    record(Verb.APPLICATION_SUBMITTED, actor=Actor.person(), subject=("application", row.id), **facts)
    search.index(row)
    mailing.owe(mailing.RECEIVED, row)
    mailing.tell_moderators_of(row)


def _submitted(row: Application) -> Submitted:
    return Submitted(chooses_password_later=row.password_way == PasswordWay.WHEN_APPROVED)
