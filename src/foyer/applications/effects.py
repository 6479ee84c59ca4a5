"""What a decision does to the world, once it cannot be undone any more.

`begin` takes the decision from the undo by one compare-and-set, and owes the rest: each outside step is a job of its
own, and can be done twice without harm.

    denied    → the name released, the held account emptied, digests kept, mail
    approved  → the held account opened → done, mail
              → or, where none is held or it was lost, a link for one: `invite` → mail → (joined by it) → done
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from foyer.accounts import holding, rows
from foyer.accounts import services as accounts
from foyer.accounts.errors import HoldLost
from foyer.accounts.models import Account
from foyer.accounts.settling import StillUnknown
from foyer.applications import flags, mailing
from foyer.applications.errors import WrongState
from foyer.applications.models import Application, PasswordWay, State
from foyer.applications.moves import lock, move
from foyer.applications.waiting import let_go
from foyer.audit.services import record
from foyer.audit.verbs import Verb
from foyer.config import current
from foyer.homeserver.errors import NameRefused, NameTaken
from foyer.invites import services as invites
from foyer.invites.models import Invite, Use
from foyer.invites.services import NewInvite
from foyer.jobs import services as jobs
from foyer.kit.actor import Actor
from foyer.kit.clock import now
from foyer.kit.folding import skeleton
from foyer.names import services as names

LINK_IS_GOOD_FOR = timedelta(days=14)
SWEEP_BATCH = 200
CLOCKS_DIFFER = timedelta(minutes=1)
"""What is further in the future than this was decided by a clock that ran ahead; nobody waits for it to come true."""
log = structlog.get_logger(__name__)


class NotYet(Exception):
    """The decision was made anew since the job was owed: its minute is not over."""

    code = "not-yet"

    def __init__(self, retry_after: float) -> None:
        super().__init__(self.code)
        self.retry_after = retry_after


def begin(application_id: int) -> None:
    """Let a decision take effect, if it is due and was not undone. Twice is once.

    Raises:
        NotYet
    """
    moment = now()
    with transaction.atomic():
        decided = Application.objects.filter(
            id=application_id, state__in=[State.APPROVED, State.DENIED], effects_started_at=None
        )
        is_due = Q(effects_at__lte=moment) | Q(decided_at__gt=moment + CLOCKS_DIFFER)
        if not decided.filter(is_due).update(effects_started_at=moment):
            waiting = decided.first()
            if waiting is not None and waiting.effects_at is not None:
                raise NotYet((waiting.effects_at - moment).total_seconds())
            return
        row = Application.objects.get(id=application_id)
        record(Verb.APPLICATION_EFFECTS_STARTED, actor=Actor.job(), subject=("application", row.id))
        if row.state == State.DENIED:
            _deny(row)
        elif row.account_id is not None:
            jobs.enqueue("applications.open", subject=str(row.id))
        else:
            jobs.enqueue("applications.invite", subject=str(row.id))


def _deny(row: Application) -> None:
    let_go(row)
    flags.remember_denied(row)
    Application.objects.filter(id=row.id).update(ended_at=now())
    if not row.is_silent:
        mailing.owe(mailing.DENIED, row)


def _approved(application_id: int) -> Application | None:
    """Return an approved application whose decision stands, and that has no link yet."""
    approved = Application.objects.filter(id=application_id, state=State.APPROVED, invite_id=None)
    return approved.exclude(effects_started_at=None).first()


def open_account(application_id: int) -> None:
    """Open the account that was held. Lost for good, it is replaced by a link.

    Raises:
        StillUnknown: it is being settled; again soon.
        HomeserverError
    """
    row = _approved(application_id)
    if row is None or row.account_id is None:
        return
    try:
        holding.open_held(row.account_id, holder=row.holder)
        _note_open(row)
    except HoldLost as lost:
        log.warning("an approved account could not be opened", application=row.id, reason=lost.code)
        _fall_back(row)
    except WrongState:
        # Withdrawn while the homeserver worked on it. The account is let go, and that locks it again.
        log.info("an application was withdrawn while its account was being opened", application=row.id)


def _note_open(row: Application) -> None:
    with transaction.atomic():
        fresh = lock(row.id)
        if fresh.state != State.APPROVED or fresh.account_id is None:
            raise WrongState(state=fresh.state)
        holding.settle_opened(
            fresh.account_id, holder=fresh.holder, email=fresh.email, accepted_terms=_accepted_terms(fresh)
        )
        done = _finish(fresh)
        if not done.is_silent:
            mailing.owe(mailing.APPROVED, done)


def _accepted_terms(row: Application) -> bool:
    """Say whether the person ticked all that must be accepted now, and there is something to tick."""
    asked = {str(text.url) for text in current().legal if text.must_accept}
    return bool(asked) and asked <= {text["url"] for text in row.legal}


def _finish(row: Application, **changes: Any) -> Application:
    return move(
        row.id, [State.APPROVED], State.DONE, verb=Verb.APPLICATION_DONE, actor=Actor.job(), ended_at=now(), **changes
    )


def _fall_back(row: Application) -> None:
    """There is nothing to open: the application stays approved, and its person makes the account by a link."""
    with transaction.atomic():
        approved = Application.objects.filter(id=row.id, state=State.APPROVED, account_id=row.account_id)
        if approved.update(account_id=None, password_way=PasswordWay.WHEN_APPROVED):
            record(Verb.APPLICATION_OPENING_FAILED, actor=Actor.job(), subject=("application", row.id))
            jobs.enqueue("applications.invite", subject=str(row.id))


def invite(application_id: int) -> None:
    """Make the link by which an approved applicant makes the account: for the name, if that can still be had.

    Raises:
        StillUnknown: what was half made for them is not cleared away yet.
        HomeserverError
    """
    row = _approved(application_id)
    if row is None:
        return
    can_be_had = _name_can_be_had(row)
    with transaction.atomic():
        fresh = lock(row.id)
        if fresh.state != State.APPROVED or fresh.invite_id is not None:
            return
        _make_link(fresh, can_be_had=can_be_had and names.holder_of(fresh.localpart) == fresh.holder)


def _name_can_be_had(row: Application) -> bool:
    if names.holder_of(row.localpart) != row.holder:
        return False
    if rows.is_unsettled(row.localpart, row.holder):
        raise StillUnknown
    try:
        accounts.require_free(row.localpart)
    except (NameTaken, NameRefused):
        return False
    return True


def _make_link(row: Application, *, can_be_had: bool) -> None:
    made = invites.create(
        NewInvite(
            uses_limit=1,
            expires_at=now() + LINK_IS_GOOD_FOR,
            label=row.holder,
            localpart=row.localpart if can_be_had else "",
            email=row.email,
        ),
        actor=Actor.job(),
    )
    if can_be_had:
        rows.hand_over(row.localpart, holder=row.holder, to=made.holder)
        names.hand_over(row.localpart, holder=row.holder, to=made.holder)
    else:
        names.release(row.localpart, holder=row.holder)
    Application.objects.filter(id=row.id).update(invite_id=made.id)
    record(
        Verb.APPLICATION_INVITED,
        actor=Actor.job(),
        subject=("application", row.id),
        invite=made.id,
        free_choice=not can_be_had,
    )
    if not row.is_silent:
        mailing.owe(mailing.APPROVED if can_be_had else mailing.OPENING_FAILED, row)


def sweep() -> None:
    """Find approved applicants who have joined by their link."""
    is_used = Exists(Invite.objects.filter(id=OuterRef("invite_id"), used__gt=0))
    # In the order of the index of those that have a link: there may be any number of invitations that were used.
    found = Application.objects.filter(is_used, state=State.APPROVED, invite_id__isnull=False).order_by("invite_id")
    for row in found[:SWEEP_BATCH]:
        try:
            with transaction.atomic():
                _finish(row, **_account_made_by(row))
        except WrongState:
            continue  # withdrawn, or another worker was first


def _account_made_by(row: Application) -> dict[str, Any]:
    """Return which account came of the link, and under which name: it may have been chosen freely."""
    uses = Use.objects.filter(invite=row.invite_id).exclude(spent_at=None)
    numbers = [use.holder.removeprefix("account:") for use in uses.order_by("id")]
    account = Account.objects.filter(id__in=[int(number) for number in numbers if number.isdecimal()]).first()
    if account is None:
        return {}
    return {"account_id": account.id, "localpart": account.localpart, "skeleton": skeleton(account.localpart)}
