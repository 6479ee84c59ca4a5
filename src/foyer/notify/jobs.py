"""The deeds of this room. When to give a message up is decided in `sending`, with its record, and not by the job."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from foyer.homeserver.errors import HomeserverError
from foyer.jobs.registry import handler, when_idle
from foyer.notify import sending, services, smtp
from foyer.notify.errors import MailError


@handler("notify.email", lane="mail", passing=(MailError,), give_up_after=None)
def send_email(subject: str) -> Callable[[], object] | None:
    """Try to send a mail."""
    return sending.attempt(int(subject))


@handler("notify.room", lane="homeserver", passing=(HomeserverError,), give_up_after=None)
def say_in_room(subject: str) -> Callable[[], object] | None:
    """Try to say something in a room."""
    return sending.attempt(int(subject))


@handler("notify.sweep", lane="house", every=timedelta(hours=1))
def sweep(_subject: str) -> None:
    """Delete records that are older than `retention.decided`."""
    services.sweep()


@when_idle("mail")
def hang_up() -> None:
    """Keep no connection to the mail server for a mail that may come at some time."""
    smtp.hang_up()
