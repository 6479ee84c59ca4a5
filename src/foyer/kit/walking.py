"""Looking through a long table from its newest rows back, for no longer than a page may take.

An index answers most questions. For the rest there is this: the table is looked at a stretch at a time, and where the
time is over, the page says how far back it has looked, and leads on from there.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
SECONDS = 0.03
FIRST = 4000
"""How many numbers the first stretch has. Each further one has at most twice as many."""


@dataclass(frozen=True, slots=True)
class Walked(Generic[T]):
    """What was found, the newest first. `before`: the number below which to go on; None: there is no more.

    `is_cut`: the time was over before enough was found.
    """

    found: list[T]
    before: int | None
    is_cut: bool = False


def walk(
    look: Callable[[int, int, int], list[T]],
    *,
    number_of: Callable[[T], int],
    begin: int,
    end: int,
    wanted: int,
    seconds: float = SECONDS,
) -> Walked[T]:
    """Return up to `wanted` rows with numbers from `end` on and below `begin`; at least one stretch is looked at.

    `look(low, high, most)` returns up to `most` rows with low ≤ number < high, those with the highest numbers first.
    """
    until, found, stretch = time.monotonic() + seconds, list[T](), FIRST
    while begin > end:
        low, began = max(end, begin - stretch), time.monotonic()
        found += look(low, begin, wanted + 1 - len(found))
        if len(found) > wanted:
            return Walked(found[:wanted], number_of(found[wanted - 1]))
        begin, ended = low, time.monotonic()
        if ended > until:
            return Walked(found, begin if begin > end else None, is_cut=begin > end)
        # As many as half of what is left of the time is enough for, going by the last stretch.
        rate = stretch / max(ended - began, 1e-4)
        stretch = max(FIRST // 4, min(2 * stretch, int(rate * (until - ended) / 2)))
    return Walked(found, None)
