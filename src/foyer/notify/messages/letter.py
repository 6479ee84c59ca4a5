"""What every message is made of. A message says its words once, as parts; plain text and HTML are made from these."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from django.utils import translation

from foyer.notify.rendering import render


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Some sentences."""

    kind: ClassVar[str] = "paragraph"
    text: str


@dataclass(frozen=True, slots=True)
class Quote:
    """What a person wrote, as they wrote it, and under which heading."""

    kind: ClassVar[str] = "quote"
    text: str
    heading: str = ""


@dataclass(frozen=True, slots=True)
class Button:
    """The one thing to do."""

    kind: ClassVar[str] = "button"
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Link:
    """Something that may be looked at."""

    kind: ClassVar[str] = "link"
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Code:
    """Something short to type."""

    kind: ClassVar[str] = "code"
    code: str


@dataclass(frozen=True, slots=True)
class Points:
    """A list: each point may have some words in small print."""

    kind: ClassVar[str] = "points"
    heading: str
    points: tuple[tuple[str, str], ...]


Part = Paragraph | Quote | Button | Link | Code | Points


@dataclass(frozen=True, slots=True)
class Letter:
    """The words of a message, in one language. `why` says, at the end, why it came and what not to do."""

    subject: str
    heading: str
    parts: tuple[Part, ...]
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """A mail ready to be carried: the same words in plain text and in HTML.

    A mail to moderators says how one can stop getting more of them.
    """

    subject: str
    text: str
    html: str
    language: str = "en"
    is_for_moderators: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Message(ABC):
    """What every message has.

    to: the email or the room that it is for. For an applicant, take it from the same row as the links' keys.
    language: as Django names it.
    """

    is_for_moderators: ClassVar[bool] = False
    to: str
    language: str = "en"

    @abstractmethod
    def letter(self) -> Letter:
        """Return the words in the active language."""

    def content(self) -> Content:
        """Return the mail, in the message's language. The desk shows the same before anybody decides."""
        with translation.override(self.language):
            letter = self.letter()
            return Content(
                subject=" ".join(letter.subject.split()),
                text=render("letter.txt", letter=letter),
                html=render("letter.html", letter=letter),
                language=self.language,
                is_for_moderators=self.is_for_moderators,
            )

    def in_room(self) -> str:
        """Return what is said in a Matrix room, in the message's language."""
        with translation.override(self.language):
            letter = self.letter()
            links = [part.url for part in letter.parts if isinstance(part, Button)]
            return "\n".join([letter.subject, *links])
