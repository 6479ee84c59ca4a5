"""Owing messages, and trying again by hand."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction

from foyer.audit.services import record
from foyer.audit.verbs import Verb
from foyer.config import current
from foyer.jobs import services as jobs
from foyer.kit.actor import Actor
from foyer.kit.clock import now
from foyer.kit.codes import keyed_digest
from foyer.notify.email import new_message_id
from foyer.notify.masking import masked
from foyer.notify.models import Channel, Delivery, State
from foyer.notify.statements import ADD

JOBS = {Channel.EMAIL: "notify.email", Channel.ROOM: "notify.room"}
SWEEP_BATCH = 1000
_FAILED = (State.REFUSED, State.GAVE_UP)


def deliver(kind: str, subject: str, *, to: str, channel: str = Channel.EMAIL, key: str | None = None) -> int:
    """Owe a message, and return the id of its delivery.

    Call inside the transaction that makes it due. `subject` is what it is about, such as `application:17`, with more
    for the renderer after a space, such as `application:17 message:4`. `to` is an email, or a room's id or alias where
    `channel` is "room". Owing the same `key` twice owes it once.
    """
    about, _space, detail = subject.partition(" ")
    with transaction.atomic(savepoint=False):
        if key is not None and (known := Delivery.objects.filter(key=key).first()):
            return known.id
        owed = Delivery(
            kind=kind,
            subject=about,
            detail=detail,
            channel=Channel(channel),
            recipient=to,
            recipient_shown=masked(to) if channel == Channel.EMAIL else to,
            message_id=new_message_id(),
            key=key,
        )
        if key is None:
            ADD(owed)
        else:
            # Somebody may owe it at this moment, too: the row that is there wins.
            Delivery.objects.bulk_create([owed], ignore_conflicts=True)
            owed = Delivery.objects.get(key=key)
        _enqueue(owed)
    return owed.id


def tell_moderators(
    kind: str, subject: str, *, key: str | None = None, by_mail: bool = True, in_room: bool = True
) -> None:
    """Owe a message to every email of `moderators.emails`, and to `moderators.room`. As `deliver`."""
    moderators = current().moderators
    heard: list[tuple[str, Channel]] = [(to, Channel.EMAIL) for to in moderators.emails] if by_mail else []
    if moderators.room and in_room:
        heard.append((moderators.room, Channel.ROOM))
    with transaction.atomic(savepoint=False):
        for to, channel in heard:
            its_own = None if key is None else f"{key} {keyed_digest(settings.SECRET_KEY, 'recipient', to)[:16]}"
            deliver(kind, subject, to=to, channel=channel, key=its_own)


def try_again(delivery_id: int, *, actor: Actor) -> bool:
    """Try a message again now: one that was refused or given up, or one that waits for its next turn.

    False where it is sent or dropped, or not there any more.
    """
    moment = now()
    with transaction.atomic():
        one = Delivery.objects.filter(id=delivery_id)
        one.filter(state__in=_FAILED).update(
            state=State.OWED, attempts=0, last_error="", owed_at=moment, finished_at=None
        )
        owed = one.filter(state=State.OWED).first()
        if owed is None:
            return False
        _enqueue(owed)
        record(Verb.DELIVERY_TRIED_AGAIN, actor=actor, subject=("delivery", delivery_id), kind=owed.kind)
    return True


def forget(subject: str) -> int:
    """Delete every record about a subject (`application:17`), what is owed included; return how many.

    Call inside the transaction that erases the subject.
    """
    return Delivery.objects.filter(subject=subject).delete()[0]


def sweep() -> int:
    """Delete the records whose retention is over, a batch at a time; return how many. What is owed stays."""
    over = now() - current().retention.decided
    swept = 0
    while True:
        batch = list(
            Delivery.objects.exclude(state=State.OWED)
            .filter(finished_at__lt=over)
            .order_by("finished_at", "id")
            .values_list("id", flat=True)[:SWEEP_BATCH]
        )
        if not batch:
            return swept
        swept += Delivery.objects.filter(id__in=batch).exclude(state=State.OWED).delete()[0]


def _enqueue(owed: Delivery) -> None:
    jobs.enqueue(JOBS[Channel(owed.channel)], subject=str(owed.id))
