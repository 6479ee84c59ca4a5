"""What the command line says at once of invitations that are registration tokens of the homeserver as well."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from foyer.homeserver.errors import HomeserverError
from foyer.invites import mirroring
from foyer.invites.errors import InviteBusy
from foyer.invites.models import Invite, Mirror

AT_ONCE = 20
"""For more the worker does it: whoever makes a thousand does not want to wait."""


def tell(invites: Sequence[Invite]) -> None:
    """Tell the homeserver now, and say where it did not work; what is not told now, the worker tells."""
    for invite in invites[:AT_ONCE]:
        if not mirroring.standing(invite):
            continue
        try:
            mirroring.sync(invite.code)
        except (HomeserverError, InviteBusy) as refusal:
            print(f"The homeserver is told of {invite.code} later. {refusal}", file=sys.stderr)
            return
        except Mirror.DoesNotExist:
            continue
        invite.refresh_from_db()
        if mirroring.standing(invite) == "taken":
            print(
                f"The homeserver has a registration token {invite.code} already, so this invitation is good here only. "
                "Make one with another code to have both.",
                file=sys.stderr,
            )
