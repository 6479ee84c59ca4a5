"""What every join runs on invitations and their uses."""

from __future__ import annotations

from foyer.config.prepared import Insert, Statement
from foyer.invites.models import Invite, Mirror, Use

BY_CODE = Statement(Invite, "SELECT {columns} FROM {table} WHERE code = %s")
"""The invitation of a code."""

RESERVE = Statement(
    Invite,
    "UPDATE {table} SET held = held + 1 WHERE code = %s AND revoked_at IS NULL "
    "AND (expires_at IS NULL OR expires_at > %s) AND (uses_limit IS NULL OR uses_limit > used + held)",
    then="SELECT {columns} FROM {table} WHERE code = %s",
)
"""Hold one use: code, moment. However many ask at once, `used + held` does not pass the limit."""

ADD_USE = Insert(Use)

SPEND = Statement(
    Use,
    "UPDATE {table} SET spent_at = %s WHERE holder = %s AND spent_at IS NULL",
    then="SELECT {columns} FROM {table} WHERE holder = %s",
    columns=("invite_id",),
)
"""Spend what is held: moment, holder; returns the invitation's id.

Nothing is returned where nothing is held, or it was spent before.
"""

COUNT_SPENT = Statement(
    Invite, "UPDATE {table} SET held = CASE WHEN held > 0 THEN held - 1 ELSE 0 END, used = used + 1 WHERE id = %s"
)
"""Move one use of an invitation (id) from held to used."""

GIVE_BACK = Statement(Invite, "UPDATE {table} SET held = CASE WHEN held > 0 THEN held - 1 ELSE 0 END WHERE id = %s")
"""Let others have one use of an invitation (id) that was held."""

OF_HOLDER = Statement(Use, "SELECT {columns} FROM {table} WHERE holder = %s")
"""The use, held or spent, of one holder."""

MIRRORED = Statement(Mirror, "SELECT {columns} FROM {table} WHERE code = %s AND state = 'there'")
"""The token that the homeserver has of an invitation (code)."""
