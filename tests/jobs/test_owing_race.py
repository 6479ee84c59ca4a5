"""Owing a deed at the moment in which another worker crosses the same deed off."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection, transaction

from foyer.jobs import registry, services
from foyer.jobs.models import Job

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


@pytest.fixture(autouse=True)
def deed() -> Iterator[None]:
    """A kind of job."""
    before = dict(registry._handlers)
    registry.handler("test.deed", lane="mail")(lambda _subject: None)
    yield
    registry._handlers.clear()
    registry._handlers.update(before)


def test_enqueue_while_the_same_deed_is_crossed_off_owes_it_again() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("there one writer waits for the other")
    services.enqueue("test.deed", subject="a")
    in_hand = services.take("mail")
    assert in_hand is not None

    def cross_off() -> None:
        services.finish(in_hand)
        connection.close()

    def then_cross_off(execute: Callable[..., Any], sql: str, *more: Any) -> Any:
        done = execute(sql, *more)
        if sql.startswith("INSERT"):
            other = threading.Thread(target=cross_off)
            other.start()
            other.join()
        return done

    with transaction.atomic(), connection.execute_wrapper(then_cross_off):
        services.enqueue("test.deed", subject="a")

    assert Job.objects.filter(kind="test.deed", subject="a").count() == 1
