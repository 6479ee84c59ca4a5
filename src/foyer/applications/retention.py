"""What lapses, what expires, and what is erased, each when its time is over.

What waits, was asked, or is approved and can still be used is never deleted. Every step takes a batch of rows, so that
no other writer waits long, and a run that is killed loses nothing but time. What a person does meanwhile wins: a row is
looked at again, or found, under its lock.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from foyer.accounts import holding
from foyer.accounts.models import Account
from foyer.accounts.rows import UNSETTLED
from foyer.applications import floods, mailing
from foyer.applications.errors import ApplicationUnknown, WrongState
from foyer.applications.models import Application, DenialDigest, State
from foyer.applications.moves import lock
from foyer.applications.waiting import end, erase
from foyer.audit.models import Event
from foyer.audit.verbs import Verb
from foyer.config import current
from foyer.invites import services as invites
from foyer.invites.models import Invite
from foyer.kit.actor import Actor
from foyer.kit.clock import now
from foyer.names.models import Claim
from foyer.notify import services as notify

BATCH = 1000
DELETED_AT_ONCE = 100
SMALL_BATCH = 20
SILENCE = timedelta(days=30)
A_MOMENT = timedelta(hours=1)
HOLDER = "application:"
OVER = (State.DONE, State.DENIED, State.LAPSED, State.WITHDRAWN, State.EXPIRED)


def run() -> dict[str, int]:
    """Do everything that is due; return what was done how often."""
    return {
        "lapsed": _lapse_asked() + _lapse_approved(),
        "expired": _expire(),
        "deleted": _delete_over(),
        "names": _release_names(),
        "digests": _forget_digests(),
        "mailed": floods.forget(),
        "ips": _forget_ips(),
    }


def _one_by_one(rows: QuerySet[Application], step: Callable[[Application], None]) -> int:
    """Do `step` to each row, in transactions of a few; return how often it did something.

    A row that it could not be done to is passed over until the next run.
    """
    done, last = 0, 0
    while batch := list(rows.filter(id__gt=last).order_by("id").values_list("id", flat=True)[:SMALL_BATCH]):
        last = batch[-1]
        with transaction.atomic():
            done += sum(_step(rows, identifier, step) for identifier in batch)
    return done


def _step(rows: QuerySet[Application], identifier: int, step: Callable[[Application], None]) -> bool:
    try:
        with transaction.atomic():
            row = lock(identifier)
            if not rows.filter(id=identifier).exists():
                return False  # its person, or a moderator, was at it since it was found
            step(row)
            return True
    except (WrongState, ApplicationUnknown):
        return False


def _lapse_asked() -> int:
    silent = Application.objects.filter(state=State.ASKED, asked_at__lt=now() - SILENCE)
    return _one_by_one(silent, lambda row: _lapse(row, State.ASKED))


def _lapse_approved() -> int:
    """Approved, and the link ran out or was taken back unused."""
    live = Invite.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now()) | Q(used__gt=0) | Q(held__gt=0))
    live = live.filter(Q(revoked_at=None) | Q(used__gt=0) | Q(held__gt=0), id=OuterRef("invite_id"))
    dead = Application.objects.filter(~Exists(live), state=State.APPROVED, invite_id__isnull=False)
    return _one_by_one(dead, lambda row: _lapse(row, State.APPROVED))


def _lapse(row: Application, source: State) -> None:
    end(row, State.LAPSED, verb=Verb.APPLICATION_LAPSED, actor=Actor.job(), sources=[source])
    Application.objects.filter(id=row.id).update(invite_id=None)
    mailing.owe(mailing.LAPSED, row)


def _expire() -> int:
    before = now() - current().retention.unverified
    unverified = Application.objects.filter(state=State.UNVERIFIED, created_at__lt=before).exclude(
        mailed_at__gte=before
    )
    verified = Application.objects.filter(state=State.VERIFIED, email_verified_at__lt=before).exclude(
        submitting_at__gt=now() - A_MOMENT
    )
    return _one_by_one(unverified, _expire_one) + _one_by_one(verified, _expire_one)


def _expire_one(row: Application) -> None:
    sources = [State.UNVERIFIED, State.VERIFIED]
    end(row, State.EXPIRED, verb=Verb.APPLICATION_EXPIRED, actor=Actor.job(), sources=sources)
    erase(row)


def _delete_over() -> int:
    """Delete what is over. An account keeps its row; what it knew of the person goes, too."""
    before = now() - current().retention.decided
    unsettled = Account.objects.filter(state__in=UNSETTLED).exclude(made_for="")
    deleted = 0
    while True:
        with transaction.atomic():
            over = Application.objects.filter(state__in=OVER, ended_at__lt=before).order_by("ended_at", "id")
            over = over.exclude(account_id__in=unsettled.values("id"))
            # Locked, so that nobody takes one up again before it is deleted. One that is being taken up is passed over.
            over = over.select_for_update(skip_locked=True)
            batch = list(over.only("state", "account_id", "invite_id")[:DELETED_AT_ONCE])
            _delete(batch)
        deleted += len(batch)
        if len(batch) < DELETED_AT_ONCE:
            return deleted


def _delete(rows: list[Application]) -> None:
    application_ids = [row.id for row in rows]
    # One that was let go may be somebody else's by now.
    holding.forget_emails([row.account_id for row in rows if row.account_id and row.state == State.DONE])
    for invite in Invite.objects.filter(id__in=[row.invite_id for row in rows if row.invite_id]):
        invites.edit(invite, actor=Actor.job(), email="", localpart="")
    for identifier in application_ids:
        notify.forget(f"application:{identifier}")
    Application.objects.filter(id__in=application_ids).delete()
    Event.objects.bulk_create(
        Event(
            verb=Verb.APPLICATION_DELETED,
            actor=str(Actor.job()),
            subject_kind="application",
            subject_id=str(identifier),
        )
        for identifier in application_ids
    )


def _release_names() -> int:
    """Give back the names of applications that are gone."""
    claims = Claim.objects.filter(holder__startswith=HOLDER, at__lt=now() - A_MOMENT)
    holders = list(claims.values_list("holder", flat=True))
    released = 0
    for begin in range(0, len(holders), BATCH):
        batch = {int(holder.removeprefix(HOLDER)) for holder in holders[begin : begin + BATCH]}
        gone = batch.difference(Application.objects.filter(id__in=batch).values_list("id", flat=True))
        released += claims.filter(holder__in=[f"{HOLDER}{number}" for number in gone]).delete()[0] if gone else 0
    return released


def _forget_digests() -> int:
    before = now() - current().retention.denial_digests
    forgotten = 0
    while batch := list(DenialDigest.objects.filter(at__lt=before).order_by("at").values_list("id", flat=True)[:BATCH]):
        forgotten += DenialDigest.objects.filter(id__in=batch).delete()[0]
    return forgotten


def _forget_ips() -> int:
    old = Application.objects.filter(created_at__lt=now() - current().retention.ips, ip__isnull=False)
    forgotten = 0
    while batch := list(old.order_by("created_at", "id").values_list("id", flat=True)[:BATCH]):
        forgotten += Application.objects.filter(id__in=batch).update(ip=None, subnet="")
    return forgotten
