"""The very mail that a decision sends, before it is made.

It comes from the same message, and the same renderer, that will make it in a minute; only the key in its link is left
out. With that key one is the applicant, and moderators are not.
"""

from __future__ import annotations

import copy
import dataclasses
from dataclasses import dataclass
from typing import Literal

from django.utils import translation

from foyer.applications import mailing
from foyer.applications.decisions import TIME_TO_UNDO
from foyer.applications.effects import LINK_IS_GOOD_FOR
from foyer.applications.models import Application
from foyer.config import current
from foyer.kit.clock import now
from foyer.notify import messages
from foyer.notify.messages.letter import Letter
from foyer.web.desk.cards import address_of

Act = Literal["approve", "deny", "ask"]
HIDDEN = "•••"


@dataclass(frozen=True, slots=True)
class Preview:
    """A mail: `to` whom, its words as parts, and its plain text as it is sent."""

    to: str
    language: str
    letter: Letter
    text: str


def preview(row: Application, act: Act, text: str) -> Preview:
    """Return the mail to one applicant, with what was written to them."""
    message = _message(row, act, text)
    with translation.override(message.language):
        letter = message.letter()
    return Preview(message.to, message.language, letter, message.content().text)


def _message(row: Application, act: Act, text: str) -> messages.Message:
    unsaved = copy.copy(row)
    unsaved.message = text.strip()
    base = str(current().public_url).rstrip("/")
    link = f"{base}/apply/{HIDDEN}"
    match act:
        case "approve":
            yes = mailing.approved_message(unsaved)
            if not yes.chooses_password:
                return dataclasses.replace(yes, link=link)
            # Their invitation is made when the decision takes effect.
            until = yes.expires_at or now() + TIME_TO_UNDO + LINK_IS_GOOD_FOR
            return dataclasses.replace(yes, link=f"{base}/i/{HIDDEN}", expires_at=until)
        case "deny":
            return mailing.denied_message(unsaved)
        case "ask":
            return messages.Question(
                to=row.email, language=row.language, address=address_of(row), text=text.strip() or "…", link=link
            )
