"""What every claim of a name runs."""

from __future__ import annotations

from foyer.config.prepared import Statement
from foyer.names.models import Claim

_STANDS = "({table}.until IS NULL OR {table}.until > excluded.at)"

CLAIM = Statement(
    Claim,
    # S608: made of constants.
    "INSERT INTO {table} (localpart, holder, until, at) VALUES (%s, %s, %s, %s) "  # noqa: S608
    "ON CONFLICT (localpart) DO UPDATE SET "
    f"holder = CASE WHEN {{table}}.holder = %s AND {_STANDS} THEN {{table}}.holder ELSE excluded.holder END, "
    "until = excluded.until, at = excluded.at "
    f"WHERE {{table}}.holder IN (excluded.holder, %s) OR NOT {_STANDS}",
    then="SELECT {columns} FROM {table} WHERE localpart = %s",
    columns=("holder",),
)
"""Take a name: localpart, holder, until, moment, and twice who may have it already and then keeps it; returns who has.

A row of somebody else's whose time is not over is left as it is, and nothing is returned. One statement, so that no two
can both have the name; on PostgreSQL the second waits for the first, and a conflict ends no transaction.
"""

HOLDER = Statement(Claim, "SELECT {columns} FROM {table} WHERE localpart = %s AND (until IS NULL OR until > %s)")
"""The claim on a name (localpart) that stands at a moment."""
