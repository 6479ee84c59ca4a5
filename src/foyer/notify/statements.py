"""What every message runs when it is sent."""

from __future__ import annotations

from foyer.config.prepared import Insert, Statement
from foyer.notify.models import Delivery

ADD = Insert(Delivery)

BY_ID = Statement(Delivery, "SELECT {columns} FROM {table} WHERE id = %s")

NOTE = Statement(
    Delivery,
    "UPDATE {table} SET state = %s, recipient = %s, recipient_shown = %s, last_error = %s, attempts = %s, "
    "attempted_at = %s, finished_at = %s WHERE id = %s AND state = 'owed'",
)
"""Note a try of one that is still owed: the new state and the other columns as they stand here; id."""
