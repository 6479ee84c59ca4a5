"""Finding an application by a piece of its name, email or answers, among a million, within the time of a page.

A word that many have said is found by looking through the newest. A rare one is found by an index of trigrams: FTS5 on
SQLite, pg_trgm on PostgreSQL. Which of the two a word is, the newest texts tell. Neither may take longer than
`SECONDS`: where the time is over, what was found until then is shown, with the place where the search goes on.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet, Value
from django.db.models.functions import StrIndex

from foyer.applications.models import Application, Haystack
from foyer.applications.statements import INDEX

FTS_TABLE = "applications_search"
SECONDS = 0.02
INDEX_SECONDS = 0.02
SHORTEST = 3
"""The fewest characters that a trigram finds."""
SAMPLE = 300
RAREST = 4
FIRST_STEP, LONGEST_STEP = 250, 1000
FIRST_LOOK, LONGEST_LOOK = 4000, 64_000
FREQUENT = 250
"""One in so many: what is not rarer is found faster without the index."""
MOST = 300
CANCELLED = "57014"
"""PostgreSQL's word for a statement that took longer than it might."""


@dataclass(frozen=True, slots=True)
class Matches:
    """Numbers of applications that match, the newest first, down to and with `down_to`; None: down to the oldest."""

    ids: list[int]
    down_to: int | None


def index(application: Application) -> None:
    """Let it be found by what it says now. Call in the transaction that changed it."""
    answers = " ".join(str(it["answer"]) for it in application.answers)
    # Folded here: SQLite knows capitals of ASCII alone.
    text = f"{application.localpart} {application.email} {answers}".casefold()
    INDEX.run(application.pk, text)


def forget(application_ids: list[int]) -> None:
    """Let them be found no more."""
    Haystack.objects.filter(application_id__in=application_ids).delete()


def newest(
    words: str,
    *,
    wanted: int,
    keep: Callable[[list[int]], set[int]],
    before: int | None = None,
    may_ask: bool = True,
    seconds: float = SECONDS,
) -> Matches:
    """Return up to `wanted` matches with a number below `before`, as far as `seconds` go; at least one step is taken.

    `may_ask`: whether PostgreSQL's index is asked; not where it took too long for the page before.
    `keep`: which of some numbers are wanted at all. `words` have at least `SHORTEST` characters.
    """
    until, found = time.monotonic() + seconds, list[int]()
    if before is None:
        before = 1 + (
            Haystack.objects.order_by("-application_id").values_list("application_id", flat=True).first() or 0
        )
    words, is_sqlite = words.casefold(), connection.vendor == "sqlite"
    by = _by_trigrams(words, before) if is_sqlite and _has_index() else _by_looking(words, before, may_ask=may_ask)
    for matches in by:
        for begin in range(0, len(matches.ids), step := 2 * wanted):
            some = matches.ids[begin : begin + step]
            kept = keep(some)
            found += [number for number in some if number in kept]
            if len(found) >= wanted:
                is_all = len(found) == wanted and matches.down_to is None and some[-1] == matches.ids[-1]
                return Matches(found[:wanted], None if is_all else found[wanted - 1])
        if matches.down_to is None or time.monotonic() > until:
            return Matches(found, matches.down_to)
    return Matches(found, None)


def among_all(rows: QuerySet[Application], words: str, *, seconds: float = SECONDS) -> QuerySet[Application]:
    """Return those of many rows that are among the newest matches. Words too short for the index match whole names."""
    words = words.casefold()
    if len(words) < SHORTEST:
        return rows.filter(localpart=words)

    def keep(ids: list[int]) -> set[int]:
        return set(rows.filter(id__in=ids).values_list("id", flat=True))

    return rows.filter(id__in=newest(words, wanted=MOST, keep=keep, seconds=seconds).ids)


def _by_trigrams(words: str, before: int) -> Iterator[Matches]:
    """Yield what matches, by the few of its trigrams that are rarest among the newest texts.

    All of them would find no more, and take several times as long: the index goes through the places of each.
    """
    trigrams = list(dict.fromkeys(words[at : at + SHORTEST] for at in range(len(words) - SHORTEST + 1)))
    newest_texts = Haystack.objects.order_by("-application_id").values_list("text", flat=True)[:SAMPLE]
    texts = list(newest_texts) if len(trigrams) > RAREST else []
    rarest = sorted(trigrams, key=lambda trigram: sum(trigram in text for text in texts))[:RAREST]
    query = " AND ".join('"' + trigram.replace('"', '""') + '"' for trigram in rarest)
    step = FIRST_STEP
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {FTS_TABLE}.rowid, instr(it.text, %s) FROM {FTS_TABLE} "  # noqa: S608 - our own name
                f"CROSS JOIN applications_haystack it ON it.application_id = {FTS_TABLE}.rowid "
                f"WHERE {FTS_TABLE} MATCH %s AND {FTS_TABLE}.rowid < %s ORDER BY {FTS_TABLE}.rowid DESC LIMIT %s",
                [words, query, before, step],
            )
            rows = cursor.fetchall()
        is_over = len(rows) < step
        before = rows[-1][0] if rows else before
        yield Matches([row[0] for row in rows if row[1]], None if is_over else before)
        if is_over:
            return
        step = min(4 * step, LONGEST_STEP)


def _by_looking(words: str, before: int, *, may_ask: bool) -> Iterator[Matches]:
    """Yield what matches among the newest; where that is next to nothing, what the index finds."""
    hit, oldest = StrIndex("text", Value(words)), _numbers().first() or 0
    step, looked, hits = FIRST_LOOK, 0, 0
    while before > oldest:
        begin = max(oldest, before - step)
        some = _numbers().filter(application_id__gte=begin, application_id__lt=before)
        found = list(some.annotate(hit=hit).filter(hit__gt=0).order_by("-application_id")[:LONGEST_STEP])
        begin = found[-1] if len(found) == LONGEST_STEP else begin
        looked, hits, before = looked + before - begin, hits + len(found), begin
        yield Matches(found, before if before > oldest else None)
        if may_ask and hits * FREQUENT < looked and connection.vendor == "postgresql" and _has_index():
            may_ask = False
            if (by_index := _by_index(words, before)) is not None:
                yield by_index
                return
        step = min(2 * step, LONGEST_LOOK)


def _by_index(words: str, before: int) -> Matches | None:
    """Return what PostgreSQL's index finds; None where that takes too long, since many have said it after all."""
    matches = Haystack.objects.filter(text__icontains=words, application_id__lt=before).order_by("-application_id")
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{INDEX_SECONDS * 1000:.0f}"])
            ids = list(matches.values_list("application_id", flat=True)[:MOST])
            cursor.execute("SELECT set_config('statement_timeout', '0', true)")
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != CANCELLED:
            raise
        return None
    return Matches(ids, ids[-1] if len(ids) == MOST else None)


def _numbers() -> QuerySet[Haystack, int]:
    return Haystack.objects.order_by("application_id").values_list("application_id", flat=True)


@functools.cache
def _has_index() -> bool:
    """Say whether the migration could make the index. Once per process: only a migration changes that."""
    known = "SELECT 1 FROM sqlite_master WHERE name = %s"
    if connection.vendor == "postgresql":
        known = "SELECT 1 FROM pg_indexes WHERE schemaname = current_schema() AND indexname = %s"
    with connection.cursor() as cursor:
        cursor.execute(known, [FTS_TABLE])
        return cursor.fetchone() is not None
