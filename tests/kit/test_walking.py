from __future__ import annotations

import pytest

from foyer.kit import walking
from foyer.kit.walking import Walked, walk

ROWS = range(0, 30_000, 3)


def look(low: int, high: int, most: int) -> list[int]:
    return [row for row in reversed(ROWS) if low <= row < high and row % 2][:most]


def pages(wanted: int, seconds: float) -> tuple[list[int], list[Walked[int]]]:
    found: list[int] = []
    all_pages: list[Walked[int]] = []
    begin: int | None = 30_000
    while begin is not None:
        page = walk(look, number_of=int, begin=begin, end=0, wanted=wanted, seconds=seconds)
        all_pages.append(page)
        found += page.found
        begin = page.before
    return found, all_pages


@pytest.mark.parametrize("wanted", [700, 2500, 100_000])
@pytest.mark.parametrize("seconds", [0, 60])
def test_pages_together_are_everything_once(wanted: int, seconds: float) -> None:
    found, _all = pages(wanted, seconds)

    assert found == [row for row in reversed(ROWS) if row % 2]


def test_walk_whose_time_is_over_says_so_and_always_gets_on() -> None:
    _found, all_pages = pages(100_000, 0)

    assert [page.is_cut for page in all_pages] == [True] * (len(all_pages) - 1) + [False]
    assert all_pages[0].before == 30_000 - walking.FIRST


def test_walk_that_found_enough_is_not_cut() -> None:
    page = walk(look, number_of=int, begin=30_000, end=0, wanted=2)

    assert page == Walked([29_997, 29_991], 29_991)


def test_walk_through_nothing_finds_nothing() -> None:
    assert walk(look, number_of=int, begin=1, end=1, wanted=2) == Walked([], None)
