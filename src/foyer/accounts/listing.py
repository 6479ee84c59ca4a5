"""Accounts by the page, the newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from foyer.accounts.models import Account, State
from foyer.kit.walking import SECONDS, walk

PAGE = 50


@dataclass(frozen=True, slots=True)
class Page:
    """Some accounts, and the `before` of the next page; None at the end.

    `looked_to`: the time for one page was over here, and the next page goes on; None: nothing was missed.
    """

    accounts: list[Account]
    before: int | None
    looked_to: datetime | None = None


def page(
    *,
    states: list[str] | None = None,
    words: str = "",
    before: int | None = None,
    size: int = PAGE,
    seconds: float = SECONDS,
) -> Page:
    """Return a page. `words`: a piece of the name; whoever has the whole name stands first, however old.

    An account that was refused is left out unless `states` asks for it: nobody came.
    """
    rows = Account.objects.filter(state__in=states) if states else Account.objects.exclude(state=State.REFUSED)
    if words := words.strip().removeprefix("@").partition(":")[0].lower():
        return _with(words, rows, before, size, seconds)
    if before is not None:
        rows = rows.filter(id__lt=before)
    found = list(rows.order_by("-id")[: size + 1])
    return Page(found[:size], found[size - 1].pk if len(found) > size else None)


def _with(words: str, rows: QuerySet[Account], before: int | None, size: int, seconds: float) -> Page:
    exact = [] if before is not None else list(rows.filter(localpart=words).order_by("-id")[:size])
    others = rows.filter(localpart__contains=words).exclude(localpart=words)
    numbers = Account.objects.values_list("id", flat=True)
    walked = walk(
        lambda low, high, most: list(others.filter(id__gte=low, id__lt=high).order_by("-id")[:most]),
        number_of=lambda account: account.id,
        begin=before if before is not None else 1 + (numbers.order_by("-id").first() or 0),
        end=numbers.order_by("id").first() or 0,
        wanted=max(1, size - len(exact)),
        seconds=seconds,
    )
    last = None
    if walked.is_cut:
        last = Account.objects.filter(id__gte=walked.before).order_by("id").values_list("begun_at", flat=True).first()
    return Page([*exact, *walked.found], walked.before, last)
