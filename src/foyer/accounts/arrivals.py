"""What follows when an account is open: its email attached, its rooms joined, its person welcomed.

Each is a job of its own, never part of the request, and can be done twice without harm.
"""

from __future__ import annotations

from foyer.accounts.models import Account, State
from foyer.audit.services import record
from foyer.audit.verbs import Verb
from foyer.config import current
from foyer.homeserver.make import current as current_homeserver
from foyer.homeserver.port import Capability
from foyer.jobs import services as jobs
from foyer.kit.actor import Actor
from foyer.kit.clock import now


def owe(account: Account) -> None:
    """Enqueue what this homeserver allows of it. Call in the transaction that opens the account."""
    can = current_homeserver().capabilities
    if account.email and Capability.EMAIL in can:
        jobs.enqueue("accounts.attach-email", subject=str(account.id))
    if Capability.ROOMS in can:
        for room in account.rooms:
            jobs.enqueue("accounts.join-room", subject=f"{account.id} {room}")
    if account.accepted_terms and Capability.CONSENT in can:
        jobs.enqueue("accounts.record-consent", subject=str(account.id))
    if current().after.welcome_message and Capability.SAY in can:
        jobs.enqueue("accounts.welcome", subject=str(account.id))


def attach_email(account: Account) -> None:
    """Attach the proven email, if no other account has it.

    Raises:
        HomeserverError
    """
    if account.state == State.OPEN and account.email:
        current_homeserver().attach_email(account.localpart, account.email)
        record(Verb.ACCOUNT_EMAIL_ATTACHED, actor=Actor.job(), subject=("account", account.id))


def join_room(account: Account, room: str) -> None:
    """Put the newcomer into a room (ID or alias).

    Raises:
        HomeserverError
    """
    if account.state == State.OPEN:
        current_homeserver().join(account.localpart, room)
        record(Verb.ACCOUNT_ROOM_JOINED, actor=Actor.job(), subject=("account", account.id), room=room)


def record_consent(account: Account) -> None:
    """Have the homeserver note that its terms were accepted, for a person who accepted them here.

    Raises:
        HomeserverError
    """
    if account.state == State.OPEN and account.accepted_terms:
        current_homeserver().record_consent(account.localpart)
        record(Verb.ACCOUNT_CONSENT_RECORDED, actor=Actor.job(), subject=("account", account.id))


def welcome(account: Account) -> None:
    """Say the owner's welcome, once as far as we know.

    Raises:
        HomeserverError
    """
    message = current().after.welcome_message
    if account.state != State.OPEN or account.welcomed_at is not None or not message:
        return
    current_homeserver().say(account.localpart, message)
    Account.objects.filter(id=account.id).update(welcomed_at=now())
    record(Verb.ACCOUNT_WELCOMED, actor=Actor.job(), subject=("account", account.id))
