"""Accounts by the page, the newest first."""

from __future__ import annotations

from foyer.accounts.models import Account, State

PAGE = 50


def page(
    *, states: list[str] | None = None, words: str = "", before: int | None = None, size: int = PAGE
) -> tuple[list[Account], int | None]:
    """Return a page and the `before` of the next one; None at the end. `words`: a piece of the name.

    An account that was refused is left out unless `states` asks for it: nobody came.
    """
    rows = Account.objects.filter(state__in=states) if states else Account.objects.exclude(state=State.REFUSED)
    if words := words.strip().removeprefix("@").partition(":")[0].lower():
        rows = rows.filter(localpart__contains=words)
    if before is not None:
        rows = rows.filter(id__lt=before)
    found = list(rows.order_by("-id")[: size + 1])
    return found[:size], found[size - 1].pk if len(found) > size else None
