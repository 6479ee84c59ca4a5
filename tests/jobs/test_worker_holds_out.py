"""The worker's threads outlive what goes wrong around them, and give back what they cannot finish."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import structlog
from django.db import DataError, IntegrityError, InterfaceError, InternalError, OperationalError, connection

from foyer.jobs import registry, services
from foyer.jobs import worker as crew
from foyer.jobs.models import Job
from foyer.jobs.worker import FINISH_WITHIN_SECONDS, Worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

FULL = "database or disk is full"
OUTAGES = [OperationalError(FULL), InterfaceError("connection already closed"), InternalError("read-only transaction")]
FAULTS = [IntegrityError("a fault of ours"), DataError("too long"), ZeroDivisionError()]


@pytest.fixture
def deeds() -> Iterator[dict[str, Callable[[], None]]]:
    """What each subject of the kind "test.deed" does; nothing unless it is told."""
    wanted: dict[str, Callable[[], None]] = {}
    before = dict(registry._handlers)
    registry._handlers.clear()

    @registry.handler("test.deed", lane="house")
    def deed(subject: str) -> None:
        wanted.get(subject, lambda: None)()

    yield wanted
    registry._handlers.clear()
    registry._handlers.update(before)


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    """A worker that is in a hurry, and runs."""
    for name in ("IDLE_SECONDS", "KEEPER_SECONDS", "AFTER_DATABASE_ERROR_SECONDS"):
        monkeypatch.setattr(crew, name, 0.05)
    made = Worker()
    thread = threading.Thread(target=made.run, kwargs={"finish_within_seconds": 0.3})
    thread.start()
    yield made
    made.stop()
    thread.join(60)
    assert not thread.is_alive()


def eventually(question: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not question():
        assert time.monotonic() < end
        time.sleep(0.02)


def failing(error: Exception) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


def is_done(subject: str) -> bool:
    return not Job.objects.filter(subject=subject).exists()


@pytest.mark.parametrize("error", OUTAGES, ids=repr)
def test_database_that_fails_in_a_deed_leaves_it_to_its_lease_and_the_worker_goes_on(
    deeds: dict[str, Callable[[], None]], worker: Worker, error: Exception
) -> None:
    deeds["bad"] = failing(error)
    with structlog.testing.capture_logs() as logs:
        services.enqueue("test.deed", subject="bad")
        eventually(lambda: Job.objects.filter(subject="bad").exclude(leased_until=None).exists())
        for number in range(3):  # the house has one thread: it is the same that failed
            services.enqueue("test.deed", subject=str(number))
            eventually(lambda number=number: is_done(str(number)))  # type: ignore[misc]

    assert Job.objects.get(subject="bad").last_error == ""
    assert logs[0]["event"] == "the database cannot be used, so the worker waits"
    assert not any(entry["log_level"] == "error" for entry in logs[1:])


@pytest.mark.parametrize("error", FAULTS, ids=repr)
def test_fault_of_ours_in_a_deed_is_put_back_and_is_no_outage(
    deeds: dict[str, Callable[[], None]], worker: Worker, error: Exception
) -> None:
    deeds["bad"] = failing(error)
    with structlog.testing.capture_logs() as logs:
        services.enqueue("test.deed", subject="bad")
        eventually(lambda: Job.objects.filter(subject="bad", leased_until=None, attempts=1).exists())

    assert Job.objects.get(subject="bad").last_error == type(error).__name__
    assert logs[0]["event"] == "job broke"
    assert not any("database" in entry["event"] for entry in logs)


def test_keeper_that_cannot_reach_its_table_goes_on_keeping(
    deeds: dict[str, Callable[[], None]], worker: Worker
) -> None:
    turns: list[str] = []
    registry.handler("test.turn", lane="house", every=timedelta(0))(turns.append)
    eventually(lambda: bool(turns))

    with connection.cursor() as cursor, structlog.testing.capture_logs() as logs:
        cursor.execute("ALTER TABLE jobs_schedule RENAME TO elsewhere")
        try:
            eventually(lambda: any(entry["log_level"] == "error" for entry in logs))
        finally:
            cursor.execute("ALTER TABLE elsewhere RENAME TO jobs_schedule")
        so_far = len(turns)
        eventually(lambda: len(turns) > so_far + 1)


def test_outage_is_said_once_and_its_end_too(deeds: dict[str, Callable[[], None]]) -> None:
    outage = crew.Outage()
    with structlog.testing.capture_logs() as logs:
        outage.end()
        for _ in range(50):
            outage.begin(OperationalError(FULL))
        outage.end()
        outage.end()

    assert [(entry["event"], entry["log_level"]) for entry in logs] == [
        ("the database cannot be used, so the worker waits", "error"),
        ("the database can be used again", "info"),
    ]
    if connection.vendor == "sqlite":
        assert logs[0]["reason"].endswith("is full. Make room on it.")


def test_worker_told_to_stop_finishes_what_it_holds_and_gives_back_what_takes_too_long(
    deeds: dict[str, Callable[[], None]],
) -> None:
    begun, go_on = threading.Barrier(2), threading.Event()

    def take_long() -> None:
        begun.wait(60)
        go_on.wait(60)

    deeds["long"] = take_long
    for wait in (False, True):
        services.enqueue("test.deed", subject="long")
        worker = Worker()
        thread = threading.Thread(target=worker.run, kwargs={"finish_within_seconds": 60.0 if wait else 0.2})
        thread.start()
        begun.wait(60)
        worker.stop()
        if wait:
            go_on.set()
        thread.join(60)
        assert not thread.is_alive()
        if not wait:
            job = Job.objects.get(subject="long")
            assert (job.leased_until, job.lease, job.attempts) == (None, "", 0)

    eventually(lambda: is_done("long"))


def test_worker_gives_back_before_serve_ends_it() -> None:
    from foyer.cli.serve.web import STOP_WITHIN_SECONDS  # the web server's library is only needed here

    assert FINISH_WITHIN_SECONDS + 3 <= STOP_WITHIN_SECONDS
