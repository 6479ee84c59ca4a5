"""The deeds that invitations owe after a commit."""

from __future__ import annotations

from datetime import timedelta

from foyer.homeserver.errors import Busy, HomeserverError, Misconfigured, Unreachable
from foyer.invites import mirroring
from foyer.invites.errors import InviteBusy
from foyer.invites.models import Mirror
from foyer.jobs.registry import handler
from foyer.jobs.services import enqueue

PASSING = (Busy, Unreachable, Misconfigured, InviteBusy)


@handler(
    mirroring.KIND,
    lane="homeserver",
    passing=PASSING,
    lasting=(HomeserverError,),
    longest_wait=timedelta(minutes=1),
    give_up_after=None,
)
def mirror(subject: str) -> None:
    """Make the homeserver's token what the invitation is; the subject is the code."""
    try:
        mirroring.sync(subject)
    except Mirror.DoesNotExist:
        return


@handler(
    "invites.mirror-all",
    lane="homeserver",
    passing=PASSING,
    lasting=(HomeserverError,),
    longest_wait=timedelta(minutes=1),
    every=timedelta(minutes=1),
)
def mirror_all(_subject: str) -> None:
    """Count what was used at the homeserver itself."""
    if mirroring.is_possible() and mirroring.sync_all():
        enqueue("invites.mirror-all", subject="")
