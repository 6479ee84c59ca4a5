"""One try of one delivery."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import structlog
from django.db import transaction

from foyer.audit.services import record
from foyer.audit.verbs import Verb
from foyer.homeserver import make
from foyer.homeserver.errors import NotPossible
from foyer.kit.actor import Actor
from foyer.kit.clock import now
from foyer.notify import email
from foyer.notify.errors import AddressRefused, MailRefused
from foyer.notify.masking import masked
from foyer.notify.messages import Message
from foyer.notify.models import Channel, Delivery, State
from foyer.notify.registry import renderer_of, tell_refused
from foyer.notify.statements import BY_ID, NOTE

GIVE_UP_AFTER = timedelta(days=3)
FAULT_OF_OURS = "fault"
log = structlog.get_logger(__name__)


def attempt(delivery_id: int) -> Callable[[], object] | None:
    """Send a message if it is still owed. Call outside of any transaction.

    That it was sent, or dropped, is noted by what is returned: call it in the transaction that crosses the job off.
    What else may come of it is noted here.

    Raises:
        MailError, HomeserverError: it is still owed, and time or the owner heals this.
        LookupError: this version does not know the kind; a newer one does.
    """
    delivery = BY_ID.first(delivery_id)
    if delivery is None or delivery.state != State.OWED:
        return None
    if delivery.attempts and now() - delivery.owed_at > GIVE_UP_AFTER:
        _fail(delivery, State.GAVE_UP, delivery.last_error or FAULT_OF_OURS)
        return None
    delivery.attempts, delivery.attempted_at = delivery.attempts + 1, now()
    try:
        is_sent = _try(delivery)
    except AddressRefused as error:
        _fail(delivery, State.REFUSED, error.code)
    except (MailRefused, NotPossible) as error:
        _fail(delivery, State.GAVE_UP, error.code)
    except Exception as error:  # raised again; a fault of ours is a try, too
        with transaction.atomic():
            _note(delivery, State.OWED, getattr(error, "code", delivery.last_error))
        raise
    else:
        return partial(_note, delivery, State.SENT if is_sent else State.DROPPED)
    return None


def _try(delivery: Delivery) -> bool:
    """Put it into words, and send these; False where there is nothing to say any more."""
    message = renderer_of(delivery.kind)(delivery.whole_subject, delivery.recipient)
    if message is None:
        return False
    _address(delivery, message.to)
    _carry(delivery, message)
    return True


def _carry(delivery: Delivery, message: Message) -> None:
    if delivery.channel == Channel.ROOM:
        make.current().say_in_room(message.to, message.in_room(), key=delivery.message_id)
    else:
        email.send(message.content(), to=message.to, message_id=delivery.message_id, keep=True)


def _address(delivery: Delivery, to: str) -> None:
    """Remember to whom it really goes: an email may have been corrected since it was owed."""
    if to != delivery.recipient:
        delivery.recipient = to
        delivery.recipient_shown = masked(to) if delivery.channel == Channel.EMAIL else to


def _note(delivery: Delivery, state: State, error: str = "") -> bool:
    """Note a try and what came of it; False where it is not owed any more."""
    recipient = "" if state in (State.SENT, State.DROPPED) else delivery.recipient
    finished_at = None if state == State.OWED else now()
    to = (recipient, delivery.recipient_shown)
    tries = (delivery.attempts, delivery.attempted_at)
    return bool(NOTE.run(state.value, *to, error, *tries, finished_at, delivery.id))


def _fail(delivery: Delivery, state: State, reason: str) -> None:
    """Note that it will not be tried again by itself. The recipient is kept, for whoever presses `try_again`."""
    with transaction.atomic():
        if not _note(delivery, state, reason):
            return
        record(
            Verb.JOB_GAVE_UP, actor=Actor.job(), subject=("delivery", delivery.id), kind=delivery.kind, reason=reason
        )
        if state == State.REFUSED:
            tell_refused(delivery.kind, delivery.whole_subject, delivery.recipient)
    log.warning("message not delivered", kind=delivery.kind, delivery=delivery.id, reason=reason)
