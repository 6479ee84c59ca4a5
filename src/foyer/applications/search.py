"""Finding an application by a piece of its name, email or answers.

What still waits is at most some thousands, and is looked through. Of the decided, of which there may be a million, the
newest some hundred matches are found by an index of trigrams: FTS5 on SQLite, pg_trgm on PostgreSQL. Where the system's
SQLite has no such index, they are looked through as well.
"""

from __future__ import annotations

import functools

from django.db import connection
from django.db.models import QuerySet

from foyer.applications.models import Application, Haystack, State

FTS_TABLE = "applications_search"
NEWEST = 300
SHORTEST = 3
"""The fewest characters that a trigram finds."""


def index(application: Application) -> None:
    """Let it be found by what it says now. Call in the transaction that changed it."""
    answers = " ".join(str(it["answer"]) for it in application.answers)
    # Folded here: SQLite knows capitals of ASCII alone.
    text = f"{application.localpart} {application.email} {answers}".casefold()
    Haystack.objects.update_or_create(application_id=application.pk, defaults={"text": text})


def forget(application_ids: list[int]) -> None:
    """Let them be found no more."""
    Haystack.objects.filter(application_id__in=application_ids).delete()


def among_undecided(rows: QuerySet[Application], words: str) -> QuerySet[Application]:
    """Return those of a few rows that match."""
    return rows.filter(haystack__text__icontains=words.casefold())


def among_all(rows: QuerySet[Application], words: str) -> QuerySet[Application]:
    """Return those of many rows that are among the newest matches. Words too short for the index match whole names."""
    words = words.casefold()
    if len(words) < SHORTEST:
        return rows.filter(localpart=words)
    # The newest of all may be those that still wait: they must not crowd out the rest.
    undecided = Application.objects.filter(state=State.WAITING).count()
    return rows.filter(id__in=_newest_matches(words, NEWEST + undecided))


def _newest_matches(words: str, most: int) -> list[int]:
    if connection.vendor == "sqlite" and _has_index():
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT rowid FROM {FTS_TABLE} WHERE {FTS_TABLE} MATCH %s ORDER BY rowid DESC LIMIT %s",  # noqa: S608
                [_phrase(words), most],
            )
            return [row[0] for row in cursor.fetchall()]
    matches = Haystack.objects.filter(text__icontains=words).order_by("-application_id")
    return list(matches.values_list("application_id", flat=True)[:most])


def _phrase(words: str) -> str:
    """Return the words as one string of FTS5, in which nothing has a meaning but the quote."""
    return '"' + words.replace('"', '""').replace("\0", "") + '"'


@functools.cache
def _has_index() -> bool:
    """Say whether the migration could make the index. Once per process: only a migration changes that."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM sqlite_master WHERE name = %s", [FTS_TABLE])
        return cursor.fetchone() is not None
