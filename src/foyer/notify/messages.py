"""What is said. A message knows its words; a channel (`email.py`) knows how to carry them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from django.utils import translation
from django.utils.translation import gettext

from foyer.config import current
from foyer.notify.rendering import render


@dataclass(frozen=True, slots=True)
class Content:
    """The words of a mail, the same in plain text and in HTML."""

    subject: str
    text: str
    html: str


class Mail(Protocol):
    """What a mail needs to be carried."""

    @property
    def to(self) -> str:
        """The email, exactly as it was given."""
        ...

    @property
    def delivery(self) -> str:
        """What makes this delivery the same when it is tried again, and another one different. Opaque."""
        ...

    @property
    def language(self) -> str:
        """The language of the words, as Django names it."""
        ...

    def content(self) -> Content:
        """The words, in that language."""
        ...


@dataclass(frozen=True, slots=True)
class InvitationMail:
    """You’re invited. `link` carries the key that proves the email, so it is for nobody else's eyes."""

    to: str
    delivery: str
    link: str = field(repr=False)
    language: str = "en"
    inviter: str = ""
    message: str = ""
    localpart: str = ""
    expires_at: datetime | None = None

    def content(self) -> Content:
        """Return the words."""
        with translation.override(self.language):
            server = current().display_name
            words = {
                "link": self.link,
                "inviter": self.inviter,
                "message": self.message.strip(),
                "localpart": self.localpart,
                "expires_at": self.expires_at,
            }
            return Content(
                subject=gettext("You’re invited to join %(server)s") % {"server": server},
                text=render("invitation.txt", **words),
                html=render("invitation.html", **words),
            )
