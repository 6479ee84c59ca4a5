"""The deeds that accounts owe after a commit."""

from __future__ import annotations

from datetime import timedelta

from foyer.accounts import arrivals, holding, settling
from foyer.accounts.models import Account
from foyer.config import current
from foyer.homeserver.errors import Busy, HomeserverError, Misconfigured, Unreachable
from foyer.invites import services as invites
from foyer.jobs.registry import handler
from foyer.kit.clock import now

PASSING = (Busy, Unreachable, Misconfigured)
LASTING = (HomeserverError,)


@handler(
    "accounts.settle",
    lane="homeserver",
    passing=(*PASSING, HomeserverError, settling.StillUnknown),
    longest_wait=timedelta(seconds=10),
    give_up_after=None,
)
def settle(subject: str) -> None:
    """Find out what became of an account whose answer was lost."""
    settling.settle(int(subject))


@handler(
    "accounts.look-again",
    lane="homeserver",
    passing=(*PASSING, HomeserverError, settling.StillUnknown),
    longest_wait=timedelta(minutes=1),
)
def look_again(subject: str) -> None:
    """Find accounts that came late; the subject is the account's id, and that of the invitation."""
    account, _space, invite = subject.partition(" ")
    settling.look_again(int(account), int(invite) if invite else None)


@handler("accounts.sweep", lane="house", every=timedelta(seconds=5))
def sweep(_subject: str) -> None:
    """Find accounts whose request died."""
    settling.sweep()


@handler(
    "accounts.shelve",
    lane="homeserver",
    passing=(*PASSING, HomeserverError, settling.StillUnknown),
    longest_wait=timedelta(minutes=1),
    give_up_after=None,
)
def shelve(subject: str) -> None:
    """Empty a held account that nobody has a right to any more."""
    holding.shelve_held(int(subject))


@handler("accounts.sweep-held", lane="house", every=timedelta(minutes=1))
def sweep_held(_subject: str) -> None:
    """Find held accounts that nobody has a right to any more."""
    holding.sweep()


@handler("accounts.attach-email", lane="homeserver", passing=PASSING, lasting=LASTING)
def attach_email(subject: str) -> None:
    """Attach a proven email."""
    arrivals.attach_email(Account.objects.get(id=int(subject)))


@handler("accounts.join-room", lane="homeserver", passing=PASSING, lasting=LASTING)
def join_room(subject: str) -> None:
    """Join a room; the subject is the account's id, a space, the room."""
    identifier, _, room = subject.partition(" ")
    arrivals.join_room(Account.objects.get(id=int(identifier)), room)


@handler("accounts.record-consent", lane="homeserver", passing=PASSING, lasting=LASTING)
def record_consent(subject: str) -> None:
    """Record that the terms were accepted."""
    arrivals.record_consent(Account.objects.get(id=int(subject)))


@handler("accounts.welcome", lane="homeserver", passing=PASSING, lasting=LASTING)
def welcome(subject: str) -> None:
    """Say the welcome."""
    arrivals.welcome(Account.objects.get(id=int(subject)))


@handler("accounts.forget-ips", lane="house", every=timedelta(hours=1))
def forget_ips(_subject: str) -> None:
    """Erase IPs that are older than `retention.ips`."""
    before = now() - current().retention.ips
    Account.objects.filter(begun_at__lt=before, ip__isnull=False).update(ip=None)
    invites.forget_ips(before)
