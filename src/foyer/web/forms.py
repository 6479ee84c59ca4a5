"""What forms share: errors beside their fields, and the words about a new password."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from foyer.config import current
from foyer.kit.refusal import Refusal
from foyer.web.pages import Paper


@dataclass(frozen=True, slots=True)
class Error:
    """One thing to put right, and the id of the field that it is about."""

    anchor: str
    sentence: str


@dataclass(frozen=True, slots=True)
class PasswordWords:
    """What is said about the password before it is typed."""

    min_length: int
    too_short: str
    hint: str


def errors_of(refusals: Iterable[Refusal]) -> list[Error]:
    """Return the refusals of fields as the page shows them."""
    return [Error(str(refusal.field), str(refusal)) for refusal in refusals]


def by_field(errors: Iterable[Error], fields: Iterable[str]) -> dict[str, str]:
    """Return field → everything that is wrong with it, in one text; every one of `fields` is there."""
    found = dict.fromkeys(fields, "")
    for error in errors:
        before = found.get(error.anchor)
        found[error.anchor] = f"{before} {error.sentence}" if before else error.sentence
    return found


def not_accepted(papers: Iterable[Paper]) -> list[Error]:
    """Return an error for each of the owner's papers that must be accepted and is not."""
    return [
        Error(paper.field, _("Please accept: %(title)s") % {"title": paper.title})
        for paper in papers
        if paper.must_accept and not paper.is_accepted
    ]


def terms_accepted(papers: Iterable[Paper]) -> bool:
    """Say whether there was something that must be accepted, and all of it was."""
    asked = [paper.is_accepted for paper in papers if paper.must_accept]
    return bool(asked) and all(asked)


def password_words() -> PasswordWords:
    """Return them, by the owner's rules."""
    count = current().password.min_length
    short = ngettext("Use at least %(count)s character.", "Use at least %(count)s characters.", count)
    hint = ngettext(
        "At least %(count)s character. A few unrelated words make a good password.",
        "At least %(count)s characters. A few unrelated words make a good password.",
        count,
    )
    return PasswordWords(count, short % {"count": count}, hint % {"count": count})
