"""Reading accounts, and thinking of names."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from django.db.models import Count

from foyer.accounts import services
from foyer.accounts.models import Account, State
from foyer.config import current
from foyer.kit.matrix import parse_localpart
from foyer.kit.refusal import Refusal

SUGGESTIONS = 3
# After these another name is worth trying; a name that is only mistyped is better mended by hand.
TAKEN = frozenset({"name-taken", "name-reserved"})


def suggestions(code: str, username: str) -> list[str]:
    """Return up to three free names like the one that was typed, for the holder of a live invitation."""
    try:
        localpart = parse_localpart(username, current().server_name)
    except Refusal:
        return []
    free = []
    for candidate in variants(localpart):
        try:
            free.append(services.check_name(code, candidate))
        except Refusal:
            continue
    return free


def variants(localpart: str) -> tuple[str, ...]:
    """Return names like this one, free or not."""
    first, second, third = secrets.SystemRandom().sample(range(10, 100), SUGGESTIONS)
    return (f"{localpart}{first}", f"{localpart}.{second}", f"{localpart}_{third}")


def by_ids(identifiers: Iterable[int]) -> dict[int, Account]:
    """Return id → account."""
    return Account.objects.in_bulk(list(identifiers))


def rooms_of(localpart: str) -> list[str]:
    """Return the rooms that somebody who came through this door was put in, or will be in a moment."""
    account = Account.objects.filter(localpart=localpart, state=State.OPEN).only("rooms").first()
    return list(account.rooms) if account else []


def count_by_state() -> dict[str, int]:
    """Return state → how many accounts are in it, for every state there is."""
    counted = dict(Account.objects.order_by().values_list("state").annotate(Count("id")))
    return {state.value: counted.get(state.value, 0) for state in State}
