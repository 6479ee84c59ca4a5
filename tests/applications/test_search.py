"""Searching among very many: what an index finds, what is looked through, and what is said where the time is over."""

from __future__ import annotations

import itertools
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from foyer.applications import days, queries, search
from foyer.applications.models import Application, Haystack, State
from foyer.kit.clock import now

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]
COUNT = itertools.count()
ON_SQLITE = "PostgreSQL scans small tables on purpose"


def decided(count: int, text: str = "i play the cello", state: State = State.DONE) -> list[Application]:
    rows = [
        Application(
            localpart=f"p{number}",
            email=f"p{number}@{next(COUNT)}.example.net",
            state=state,
            submitted_at=now(),
            decided_at=None if state == State.WAITING else now(),
            nonce=str(next(COUNT)),
            key_digest=str(next(COUNT)),
        )
        for number in range(count)
    ]
    made = Application.objects.bulk_create(rows)
    Haystack.objects.bulk_create(
        Haystack(application_id=row.pk, text=f"{row.localpart} {row.email} {text}") for row in made
    )
    return made


def nothing_in_time(_words: str, _before: int) -> None:
    """Stand for an index that takes too long."""


def walk(words: str, *, tab: queries.Tab = "decided", size: int = 7, seconds: float = 60.0) -> tuple[list[int], int]:
    """Return what all pages together show, and how many pages there were."""
    seen: list[int] = []
    after, pages = "", 0
    while pages == 0 or after:
        page = queries.queue(tab, words=words, after=after, size=size, seconds=seconds)
        seen += [row.pk for row in page.rows]
        after, pages = page.after, pages + 1
    return seen, pages


@pytest.mark.parametrize("words", ["cello", "play the cello", "p12", "the cello"])
def test_pages_of_a_search_together_are_all_that_matches(words: str) -> None:
    made = decided(40)
    decided(5, "nobody plays anything")

    seen, _pages = walk(words)

    expected = [row.pk for row in reversed(made) if words in f"{row.localpart} i play the cello"]
    assert seen == expected


@pytest.mark.parametrize("tab", ["decided", "waiting"])
def test_search_whose_time_is_over_says_how_far_it_got_and_goes_on_from_there(
    monkeypatch: pytest.MonkeyPatch, tab: queries.Tab
) -> None:
    for name in ("FIRST_STEP", "LONGEST_STEP", "FIRST_LOOK", "LONGEST_LOOK"):
        monkeypatch.setattr(search, name, 5)
    monkeypatch.setattr(queries, "LOOKED_AT", 5)
    state = State.WAITING if tab == "waiting" else State.DONE
    rare = decided(1, "i play the viola", state)
    decided(20, "i play the vio, the iol and the ola", state)
    rare += decided(2, "i play the viola too", state)

    monkeypatch.setattr(search, "_by_index", nothing_in_time)

    page = queries.queue(tab, words="viola", size=50, seconds=0)

    assert page.after
    assert page.looked_to is not None
    assert sorted(walk("viola", tab=tab, size=50, seconds=0)[0]) == sorted(row.pk for row in rare)


def test_search_that_ends_in_time_misses_nothing_and_says_nothing() -> None:
    decided(3)

    page = queries.queue("decided", words="cello", size=3)

    assert (len(page.rows), page.after, page.looked_to) == (3, "", None)


def test_phrase_of_frequent_pieces_is_found_whole() -> None:
    decided(10, "stone wall, wall of stone")
    one = decided(1, "a wall of stones and wallflowers")[0]

    assert walk("of stones and wall")[0] == [one.pk]


def test_index_that_takes_too_long_is_given_up_and_the_newest_are_looked_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("FTS5 is asked a step at a time")
    made = decided(5, "i play the viola")
    decided(500, "i play the cello")
    monkeypatch.setattr(search, "FIRST_LOOK", 300)
    monkeypatch.setattr(search, "_by_index", nothing_in_time)

    assert walk("viola")[0] == [row.pk for row in reversed(made)]


def test_statement_that_is_cancelled_for_its_time_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("only there")
    decided(2000)
    monkeypatch.setattr(search, "INDEX_SECONDS", 0.001)
    monkeypatch.setattr(search, "FIRST_LOOK", 5)

    walk("viola")

    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason=ON_SQLITE)
@pytest.mark.parametrize("words", ["", "cello", "zz"])
@pytest.mark.parametrize("tab", queries.TABS)
def test_no_statement_of_the_queue_reads_a_whole_table(words: str, tab: queries.Tab) -> None:
    decided(3)
    decided(3, "waits", State.WAITING)
    assert search._has_index()  # asked once in a process
    with CaptureQueriesContext(
        connection,
    ) as captured:
        queries.queue(tab, words=words)
        queries.counts()
        queries.typical_wait()
        days.lately()

    assert scans(captured) == []


def scans(captured: CaptureQueriesContext) -> list[tuple[str, str]]:
    """Return the statements that read a whole table, by no index and no virtual table."""
    found = []
    for query in captured.captured_queries:
        if re.match("SELECT|UPDATE|DELETE", query["sql"]):
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
                found += [
                    (row[3], query["sql"])
                    for row in cursor.fetchall()
                    if row[3].startswith("SCAN")
                    and "USING" not in row[3]
                    and "VIRTUAL" not in row[3]
                    # In the order of the numbers, and with a limit: it ends where enough is found.
                    and not ("LIMIT" in query["sql"] and 'ORDER BY "' in query["sql"])
                ]
    return found
