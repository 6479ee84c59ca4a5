"""The history by page: by an index where there is one for the question, else looked through, and nothing is missed."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from foyer.audit import queries
from foyer.audit.models import Event
from foyer.audit.queries import Wanted
from foyer.audit.verbs import Verb
from foyer.kit import walking
from foyer.kit.clock import now

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

ACTORS = ("person", "staff:anna", "key:anna", "job", "staff:bert")
VERBS = (Verb.ACCOUNT_OPENED, Verb.RULE_MADE, Verb.RULE_EDITED, Verb.INVITE_CREATED)


@pytest.fixture(autouse=True)
def events() -> list[Event]:
    begin = now() - timedelta(days=10)
    return Event.objects.bulk_create(
        Event(
            at=begin + timedelta(hours=number),
            verb=VERBS[number % 4],
            actor=ACTORS[number % 5],
            subject_kind="thing",
            subject_id=str(number % 7),
        )
        for number in range(200)
    )


QUESTIONS = [
    Wanted(),
    Wanted(verb="rule"),
    Wanted(verb="rule.made"),
    Wanted(verb="nothing"),
    Wanted(actor="anna"),
    Wanted(actor="person"),
    Wanted(actor="anna", verb="rule"),
    Wanted(subject_kind="thing"),
    Wanted(subject_kind="thing", subject_id="3"),
    Wanted(since=now() - timedelta(days=5), until=now() - timedelta(days=4)),
    Wanted(since=now() + timedelta(days=1)),
    Wanted(actor="bert", until=now() - timedelta(days=4)),
]


def is_wanted(event: Event, wanted: Wanted) -> bool:
    return (
        (not wanted.verb or event.verb == wanted.verb or event.verb.startswith(f"{wanted.verb}."))
        and (not wanted.actor or event.actor.rpartition(":")[2] == wanted.actor)
        and (not wanted.subject_kind or event.subject_kind == wanted.subject_kind)
        and (not wanted.subject_id or event.subject_id == wanted.subject_id)
        and (wanted.since is None or event.at >= wanted.since)
        and (wanted.until is None or event.at < wanted.until)
    )


@pytest.mark.parametrize("seconds", [0, 60])
@pytest.mark.parametrize("wanted", QUESTIONS, ids=range(len(QUESTIONS)))
def test_pages_together_are_all_that_is_wanted_the_newest_first(
    events: list[Event], wanted: Wanted, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "FIRST", 30)
    found: list[int] = []
    before: int | None = None
    while True:
        page = queries.page(wanted, before=before, size=7, seconds=seconds)
        found += [event.pk for event in page.events]
        if (before := page.before) is None:
            break

    expected = [event.pk for event in reversed(events) if is_wanted(event, wanted)]
    assert found == expected
    assert [event.pk for event in queries.each(wanted)] == expected


def test_page_whose_time_is_over_says_how_far_it_looked(events: list[Event], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "FIRST", 30)

    page = queries.page(Wanted(verb="invite", actor="nobody"), seconds=0)

    assert (page.events, page.before, page.looked_to) == ([], events[-30].pk, events[-30].at)


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL scans small tables on purpose")
@pytest.mark.parametrize(
    ("wanted", "index"),
    [(Wanted(verb="rule.made"), "audit_verb"), (Wanted(actor="anna"), "audit_actor")],
)
def test_history_by_what_and_by_whom_is_answered_by_an_index(wanted: Wanted, index: str) -> None:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        queries.page(wanted)

    plans = []
    for query in captured.captured_queries:
        if re.match("SELECT", query["sql"]):
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
                plans += [row[3] for row in cursor.fetchall()]
    assert index in plans[0]
    assert [plan for plan in plans if "audit_event" in plan and "SEARCH" not in plan] == []
