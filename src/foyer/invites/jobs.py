"""The deeds that invitations owe after a commit."""

from __future__ import annotations

from foyer.invites import mailing
from foyer.jobs.registry import handler
from foyer.notify.errors import MailBusy, MailError, MailMisconfigured, MailUnreachable


@handler("invites.mail", lane="mail", passing=(MailBusy, MailUnreachable, MailMisconfigured), lasting=(MailError,))
def mail(subject: str) -> None:
    """Mail an invitation."""
    mailing.deliver(subject)
