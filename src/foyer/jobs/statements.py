"""What every job runs from owing to crossing off."""

from __future__ import annotations

from foyer.config.prepared import Insert, Statement
from foyer.jobs.models import Job

_DUE = (
    "FROM {table} WHERE lane = %s AND gave_up_at IS NULL AND next_attempt_at <= %s "
    "AND (leased_until IS NULL OR leased_until <= %s) ORDER BY next_attempt_at, id LIMIT 1"
)

ADD = Insert(Job, or_leave=True)
"""A job, unless the same is owed already."""

OWE_AGAIN = Statement(
    Job,
    # One that is being done now may have read what has changed since: without its lease it cannot be crossed off.
    "UPDATE {table} SET lease = '', next_attempt_at = "
    "CASE WHEN leased_until IS NULL AND next_attempt_at < %s THEN next_attempt_at ELSE %s END "
    "WHERE kind = %s AND subject = %s AND gave_up_at IS NULL",
)
"""Owe what is owed already, at the earlier time: twice the moment; kind, subject."""

NEXT = Statement(Job, f"SELECT {{columns}} {_DUE}")
"""The job of a lane that has been due longest: lane, and twice the moment."""

TAKE = Statement(
    Job,
    "UPDATE {table} SET lease = %s, leased_until = %s, attempts = attempts + 1 "  # noqa: S608 - made of constants
    f"WHERE id = (SELECT id {_DUE}{{skip_locked}})",
    then="SELECT {columns} FROM {table} WHERE lease = %s",
)
"""Lease that job: the lease, until when; then as NEXT."""

CROSS_OFF = Statement(Job, "DELETE FROM {table} WHERE id = %s AND lease = %s")
"""Cross a job off, unless it was owed anew meanwhile, or is somebody else's: id, lease."""

LET_GO = Statement(Job, "UPDATE {table} SET leased_until = NULL WHERE id = %s AND lease = ''")
"""Let a job that was owed anew while it was done be taken at once: id."""
