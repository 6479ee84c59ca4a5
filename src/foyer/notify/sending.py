"""One try of one delivery."""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.db import transaction
from django.db.models import F

from foyer.audit.services import record
from foyer.audit.verbs import Verb
from foyer.homeserver import make
from foyer.homeserver.errors import HomeserverError, NotPossible
from foyer.kit.actor import Actor
from foyer.kit.clock import now
from foyer.notify import email
from foyer.notify.errors import AddressRefused, MailError, MailRefused
from foyer.notify.masking import masked
from foyer.notify.messages import Message
from foyer.notify.models import Channel, Delivery, State
from foyer.notify.registry import renderer_of, tell_refused

GIVE_UP_AFTER = timedelta(days=3)
FAULT_OF_OURS = "fault"
log = structlog.get_logger(__name__)


def attempt(delivery_id: int) -> None:
    """Send a message if it is still owed, and note what came of it. Call outside of any transaction.

    Raises:
        MailError, HomeserverError: it is still owed, and time or the owner heals this.
        LookupError: this version does not know the kind; a newer one does.
    """
    delivery = Delivery.objects.filter(id=delivery_id, state=State.OWED).first()
    if delivery is None:
        return
    if delivery.attempts and now() - delivery.owed_at > GIVE_UP_AFTER:
        _fail(delivery, State.GAVE_UP, delivery.last_error or FAULT_OF_OURS)
        return
    mine = Delivery.objects.filter(id=delivery.id, state=State.OWED)
    mine.update(attempts=F("attempts") + 1, attempted_at=now())
    message = renderer_of(delivery.kind)(delivery.whole_subject, delivery.recipient)
    if message is None:
        _finish(delivery, State.DROPPED)
        return
    _address(delivery, message.to)
    try:
        _carry(delivery, message)
    except AddressRefused as error:
        _fail(delivery, State.REFUSED, error.code)
    except (MailRefused, NotPossible) as error:
        _fail(delivery, State.GAVE_UP, error.code)
    except (MailError, HomeserverError) as error:
        mine.update(last_error=error.code)
        raise
    else:
        _finish(delivery, State.SENT)


def _carry(delivery: Delivery, message: Message) -> None:
    if delivery.channel == Channel.ROOM:
        make.current().say_in_room(message.to, message.in_room(), key=delivery.message_id)
    else:
        email.send(message.content(), to=message.to, message_id=delivery.message_id)


def _address(delivery: Delivery, to: str) -> None:
    """Note to whom it really goes: an email may have been corrected since it was owed."""
    if to == delivery.recipient:
        return
    delivery.recipient = to
    delivery.recipient_shown = masked(to) if delivery.channel == Channel.EMAIL else to
    delivery.save(update_fields=["recipient", "recipient_shown"])


def _finish(delivery: Delivery, state: State) -> None:
    Delivery.objects.filter(id=delivery.id, state=State.OWED).update(
        state=state, recipient="", last_error="", finished_at=now()
    )


def _fail(delivery: Delivery, state: State, reason: str) -> None:
    """Note that it will not be tried again by itself. The recipient is kept, for whoever presses `try_again`."""
    with transaction.atomic():
        owed = Delivery.objects.filter(id=delivery.id, state=State.OWED)
        if not owed.update(state=state, last_error=reason, finished_at=now()):
            return
        record(
            Verb.JOB_GAVE_UP, actor=Actor.job(), subject=("delivery", delivery.id), kind=delivery.kind, reason=reason
        )
        if state == State.REFUSED:
            tell_refused(delivery.kind, delivery.whole_subject, delivery.recipient)
    log.warning("message not delivered", kind=delivery.kind, delivery=delivery.id, reason=reason)
