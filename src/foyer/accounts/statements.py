"""What every join runs on accounts."""

from __future__ import annotations

from foyer.accounts.models import Account
from foyer.config.prepared import Insert, Statement

OF_NAME = Statement(Account, "SELECT {columns} FROM {table} WHERE localpart = %s AND state <> 'refused'")
"""The account of a name (localpart) that is being made, exists, or is kept: there is one at most."""

DEAD = Statement(
    Account,
    "SELECT {columns} FROM {table} WHERE state IN ('creating', 'unknown') AND (begun_at <= %s OR begun_at >= %s) "
    "ORDER BY begun_at",
)
"""The unsettled that began before the one moment or after the other. With the states as parameters, SQLite would not
see that the index of the unsettled has them all, and read every account there is."""

ADD = Insert(Account, or_leave=True)
"""A new attempt, unless there is an account of that name."""

MOVE = Statement(
    Account,
    "UPDATE {table} SET state = %s, reason = %s, settled_at = %s, absent_at = NULL "
    "WHERE id = %s AND begun_at = %s AND state IN (%s, %s)",
)
"""Move one attempt: the new state, reason and moment; id, when it began, and the two states that it may be in."""
