"""The predecessor's two commands, in its own words: `generate` and `status`.

Plain functions; the command line prints what they return. Like its API they ignore our defaults for invitations.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

from django.utils.translation import gettext as _

from foyer.invites import queries, services
from foyer.invites.errors import InviteRefused
from foyer.kit.actor import Actor
from foyer.legacy.tokens import shown
from foyer.legacy.values import LARGEST

DAY = "%Y-%m-%d"


def generate(maximum: int = 0, expires: str | datetime | None = None, one_time: bool = False) -> str:
    """Make a token and return its name. `maximum` 0: any number of uses; `expires`: a day, meant is its begin in UTC.

    Raises:
        ValueError: with a sentence.
    """
    if not 0 <= maximum <= LARGEST:
        raise ValueError(_("Write 0 for any number of uses, or how many accounts the token is for."))
    wanted = services.NewInvite(uses_limit=1 if one_time else maximum or None, expires_at=_moment(expires))
    return services.create(wanted, actor=Actor.command_line()).code


def status(name: str | None = None, list_all: bool = False, disable: str | None = None) -> tuple[str, bool]:
    """Return what to print (it may be nothing), and whether all went well.

    Of several wishes one is granted: to disable, else to show, else to list.
    """
    if disable:
        return _disable(disable)
    if name:
        return _show(name)
    if list_all:
        return ", ".join(invite.code for batch in queries.batches() for invite in batch), True
    return "", True


def _moment(expires: str | datetime | None) -> datetime | None:
    if expires is None:
        return None
    if isinstance(expires, str):
        try:
            expires = datetime.strptime(expires, DAY).replace(tzinfo=UTC)
        except ValueError:
            raise ValueError(_("Write the day as YYYY-MM-DD, such as 2030-01-31.")) from None
    return expires if expires.tzinfo is not None else expires.replace(tzinfo=UTC)


def _disable(name: str) -> tuple[str, bool]:
    try:
        done = services.revoke(queries.find(name), actor=Actor.command_line())
    except InviteRefused:
        done = False
    return ("Token disabled", True) if done else ("Token couldn't be disabled", False)


def _show(name: str) -> tuple[str, bool]:
    try:
        invite = queries.find(name)
    except InviteRefused:
        return "No token with that name", False
    verdict = "valid" if invite.is_live else "not valid"
    return f"This token is {verdict}\n{json.dumps(shown(invite), indent=2)}", True
