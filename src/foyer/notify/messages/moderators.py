"""What moderators are told, by mail and in their Matrix room.

Plain values only. `address` is a full Matrix address; `link` leads to the desk, where one signs in: it decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from django.utils.translation import gettext, ngettext

from foyer.config import current
from foyer.notify.messages.letter import Button, Letter, Message, Paragraph, Part, Points, Quote
from foyer.notify.rendering import long_moment


@dataclass(frozen=True, slots=True, kw_only=True)
class NewApplication(Message):
    """Somebody asks for an account.

    email_shown: masked. answers: each question with its answer. flags: what stands out, a phrase each.
    waiting: how many requests wait for a decision, this one included.
    """

    is_for_moderators: ClassVar[bool] = True
    address: str
    email_shown: str
    link: str
    answers: tuple[tuple[str, str], ...] = ()
    flags: tuple[str, ...] = ()
    waiting: int = 1

    def letter(self) -> Letter:
        """Return the words in the active language."""
        parts: list[Part] = [Paragraph(gettext("Confirmed email: %(email)s") % {"email": self.email_shown})]
        if self.flags:
            parts.append(Points(gettext("What stands out:"), tuple((flag, "") for flag in self.flags)))
        parts += [Quote(answer, question) for question, answer in self.answers]
        parts.append(Button(gettext("Open the request"), self.link))
        if self.waiting > 1:
            parts.append(Paragraph(_waiting(self.waiting)))
        return Letter(
            subject=gettext("New request: %(address)s") % {"address": self.address},
            heading=gettext("%(address)s asks for an account") % {"address": self.address},
            parts=tuple(parts),
            why=_why(),
        )

    def in_room(self) -> str:
        """Return what is said in the room: the owner's own words (`moderators.notice`) where there are any."""
        notice = current().moderators.notice
        if notice is None:
            return super(NewApplication, self).in_room()
        facts = {"address": self.address, "link": self.link, "server": current().display_name}
        for name, value in {**facts, "waiting": str(self.waiting)}.items():
            notice = notice.replace(f"{{{name}}}", value)
        return notice


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered(Message):
    """An applicant answered the moderators' question."""

    is_for_moderators: ClassVar[bool] = True
    address: str
    text: str
    link: str

    def letter(self) -> Letter:
        """Return the words in the active language."""
        answered = gettext("%(address)s has answered") % {"address": self.address}
        return Letter(
            subject=answered,
            heading=answered,
            parts=(Quote(self.text), Button(gettext("Open the request"), self.link)),
            why=_why(),
        )


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request in a digest. flags: a phrase each."""

    address: str
    since: datetime
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest(Message):
    """Several requests in one mail.

    requests: the oldest first; not more than fit a mail. waiting: how many wait in all. link: the queue.
    """

    is_for_moderators: ClassVar[bool] = True
    requests: tuple[Waiting, ...]
    waiting: int
    link: str

    def letter(self) -> Letter:
        """Return the words in the active language."""
        more = self.waiting - len(self.requests)
        parts: list[Part] = [Points("", tuple((request.address, _small(request)) for request in self.requests))]
        if more > 0:
            text = ngettext("And %(count)s more.", "And %(count)s more.", more) % {"count": more}
            parts.append(Paragraph(text))
        return Letter(
            subject=gettext("%(server)s: %(requests)s")
            % {"server": current().display_name, "requests": _waiting(self.waiting)},
            heading=_waiting(self.waiting),
            parts=(*parts, Button(gettext("Open the queue"), self.link)),
            why=_why(),
        )


def _waiting(count: int) -> str:
    return ngettext("%(count)s request is waiting", "%(count)s requests are waiting", count) % {"count": count}


def _small(request: Waiting) -> str:
    since = gettext("since %(moment)s") % {"moment": long_moment(request.since)}
    return " · ".join([since, *request.flags])


def _why() -> tuple[str, ...]:
    because = gettext("You get this mail because you are a moderator of %(server)s.")
    return (because % {"server": current().display_name},)
