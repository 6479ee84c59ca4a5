"""What has to be done about sessions, without anybody asking."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.sessions.models import Session

from foyer.jobs.registry import handler
from foyer.kit.clock import now


@handler("staff.sessions", lane="house", every=timedelta(hours=1))
def sessions(subject: str) -> None:  # noqa: ARG001 - the schedule has none to give
    """Delete the sessions that are over."""
    Session.objects.filter(expire_date__lt=now()).delete()
