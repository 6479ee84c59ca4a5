"""What has to be done about sessions, without anybody asking."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.sessions.models import Session
from django.db import connection

from foyer.jobs.registry import handler
from foyer.kit.clock import now

LONGEST_COUNT = timedelta(hours=1)


@handler("staff.sessions", lane="house", every=timedelta(hours=1))
def sessions(subject: str) -> None:  # noqa: ARG001 - the schedule has none to give
    """Delete the sessions that are over."""
    Session.objects.filter(expire_date__lt=now()).delete()


@handler("staff.counts", lane="house", every=timedelta(minutes=1))
def counts(subject: str) -> None:  # noqa: ARG001 - the schedule has none to give
    """Delete counts of failed sign-ins that end later than any can.

    A clock that ran ahead wrote them, and they would keep people out until that time came true.
    """
    latest = connection.ops.adapt_datetimefield_value(now() + LONGEST_COUNT)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM staff_cache WHERE expires > %s", [latest])
