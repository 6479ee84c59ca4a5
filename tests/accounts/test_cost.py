"""What a join asks of the database: few statements, and each by an index."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from foyer.accounts import settling
from foyer.accounts.services import JoinAttempt, check_name, open_with_invite
from foyer.homeserver.memory import MemoryHomeserver
from foyer.invites import services as invites
from foyer.invites.services import NewInvite
from foyer.kit.actor import Actor

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL scans small tables on purpose")
def test_no_statement_of_a_join_reads_a_whole_table(homeserver: MemoryHomeserver) -> None:
    made = invites.create(NewInvite(uses_limit=3), actor=Actor.command_line())
    with CaptureQueriesContext(
        connection,
    ) as captured:
        check_name(made.code, "maria")
        open_with_invite(JoinAttempt(made.code, "maria", "correct horse battery"))
        open_with_invite(JoinAttempt(made.code, "maria", "correct horse battery"))

    scanned = []
    for query in captured.captured_queries:
        if re.match("SELECT|UPDATE|DELETE", query["sql"]):
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
                scanned += [(row[3], query["sql"]) for row in cursor.fetchall() if row[3].startswith("SCAN")]
    assert scanned == []


def test_statements_of_a_join_do_not_grow_by_accident(homeserver: MemoryHomeserver) -> None:
    made = invites.create(NewInvite(), actor=Actor.command_line())

    with CaptureQueriesContext(connection) as captured:
        open_with_invite(JoinAttempt(made.code, "maria", "correct horse battery"))

    deeds = [
        query["sql"] for query in captured.captured_queries if re.match("SELECT|UPDATE|DELETE|INSERT", query["sql"])
    ]
    assert len(deeds) <= 13, "\n".join(deeds)


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL scans small tables on purpose")
def test_sweep_of_the_unsettled_reads_them_alone(db: None) -> None:
    asked: list[tuple[str, Any]] = []

    def listen(execute: Callable[..., Any], sql: str, parameters: Any, *more: Any) -> Any:
        asked.append((sql, parameters))
        return execute(sql, parameters, *more)

    with connection.execute_wrapper(listen):
        settling.sweep()

    plans = []
    with connection.cursor() as cursor:
        for sql, parameters in asked:
            if "accounts_account" in sql:
                cursor.execute(f"EXPLAIN QUERY PLAN {sql}", parameters)
                plans += [row[3] for row in cursor.fetchall()]
    assert plans
    assert all("accounts_unsettled" in plan for plan in plans), plans
