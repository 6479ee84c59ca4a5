"""The deeds that applications owe after a commit."""

from __future__ import annotations

from datetime import timedelta

from foyer.accounts.errors import DoorBusy
from foyer.accounts.settling import StillUnknown
from foyer.applications import days, effects, mailing, retention
from foyer.homeserver.errors import HomeserverError
from foyer.jobs.registry import handler

PASSING = (HomeserverError, StillUnknown, DoorBusy)
AT_MOST = timedelta(minutes=1)


@handler("applications.effects", lane="house", passing=(effects.NotYet,), give_up_after=None)
def begin_effects(subject: str) -> None:
    """Let a decision take effect."""
    effects.begin(int(subject))


@handler("applications.open", lane="homeserver", passing=PASSING, longest_wait=AT_MOST, give_up_after=None)
def open_account(subject: str) -> None:
    """Open a held account."""
    effects.open_account(int(subject))


@handler("applications.invite", lane="homeserver", passing=PASSING, longest_wait=AT_MOST, give_up_after=None)
def invite(subject: str) -> None:
    """Make the link of an approved applicant who chooses the password now."""
    effects.invite(int(subject))


@handler("applications.sweep", lane="house", every=timedelta(seconds=5))
def sweep(_subject: str) -> None:
    """Find approved applicants who have joined."""
    effects.sweep()


@handler("applications.digest", lane="house")
def digest(_subject: str) -> None:
    """Tell the moderators of many applications in one mail."""
    mailing.tell_moderators_all()


@handler("applications.daily", lane="house", every=timedelta(minutes=10))
def daily(_subject: str) -> None:
    """Tell the moderators each morning who waits, where the owner wants that."""
    mailing.tell_moderators_daily()


@handler("applications.retention", lane="house", every=timedelta(hours=1))
def keep_retention(_subject: str) -> None:
    """Let lapse, expire and be erased what is due."""
    retention.run()


@handler("applications.days", lane="house", every=timedelta(hours=1))
def keep_days(_subject: str) -> None:
    """Count the days that are over."""
    days.keep()
