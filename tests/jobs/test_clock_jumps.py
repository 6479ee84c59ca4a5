"""A clock that runs ahead and is set right again: nothing and nobody waits for the wrong time to come true."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from foyer.jobs import registry, services
from foyer.jobs import worker as crew
from foyer.jobs.models import Job, Schedule
from foyer.jobs.worker import Worker
from foyer.kit.clock import now

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

RIGHT = datetime(2027, 3, 14, 9, 26, tzinfo=UTC)
JUMPS = [timedelta(hours=1), timedelta(hours=5), timedelta(days=1), timedelta(days=400)]


class Passing(Exception):
    retry_after = 10_000.0


@pytest.fixture
def done() -> Iterator[list[str]]:
    """What was done, each with its hour; the first try of "again" fails and asks for hours."""
    seen: list[str] = []
    before = dict(registry._handlers)
    registry._handlers.clear()

    @registry.handler("test.deed", lane="house", passing=(Passing,), give_up_after=None)
    def deed(subject: str) -> None:
        if subject == "again" and "again?" not in seen:
            seen.append("again?")
            raise Passing
        seen.append(subject)

    @registry.handler("test.turn", lane="house", every=timedelta(seconds=5))
    def turn(_subject: str) -> None:
        seen.append("turn")

    yield seen
    registry._handlers.clear()
    registry._handlers.update(before)


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_what_was_owed_by_a_clock_that_ran_ahead_is_done_once_it_is_right(done: list[str], jump: timedelta) -> None:
    with time_machine.travel(RIGHT + jump, tick=False):
        services.run_schedule()
        services.enqueue("test.deed", subject="again")
        services.enqueue("test.deed", subject="later", delay=timedelta(minutes=5))
        Worker().run_until_idle()
        services.enqueue("test.deed", subject="left by the dead")
        assert services.take("house") is not None
    assert done == ["turn", "again?"]

    with time_machine.travel(RIGHT, tick=False) as clock:
        for _ in range(3):
            services.mend_times()
            services.run_schedule()
            Worker().run_until_idle()
            clock.shift(services.LEASE + timedelta(seconds=1))

    assert sorted(set(done)) == ["again", "again?", "later", "left by the dead", "turn"]
    assert not Job.objects.exists()
    assert done.count("turn") >= 3


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_clock_that_jumps_ahead_does_everything_once_and_gives_nothing_up(done: list[str], jump: timedelta) -> None:
    with time_machine.travel(RIGHT, tick=False) as clock:
        for subject in ("again", "later"):
            services.enqueue("test.deed", subject=subject, delay=timedelta(minutes=10))
        clock.shift(jump)
        Worker().run_until_idle()
        services.mend_times()
        clock.shift(services.LONGEST_WAIT * 1.25)
        Worker().run_until_idle()

    assert sorted(done) == ["again", "again?", "later"]
    assert not Job.objects.exists()


def test_waits_as_they_should_be_are_left_alone(done: list[str]) -> None:
    with time_machine.travel(RIGHT, tick=False):
        services.run_schedule()
        services.enqueue("test.deed", subject="later", delay=services.LONGEST_WAIT)
        services.enqueue("test.deed", subject="held")
        services.take("house")
        before = list(Job.objects.order_by("id").values()), list(Schedule.objects.values())

        services.mend_times()
        services.run_schedule()

        assert (list(Job.objects.order_by("id").values()), list(Schedule.objects.values())) == before
        assert done == []


def test_worker_lives_through_jumps_in_both_directions(done: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "KEEPER_SECONDS", 0.05)
    monkeypatch.setattr(crew, "IDLE_SECONDS", 0.02)
    worker = Worker()
    thread = threading.Thread(target=worker.run)
    with time_machine.travel(RIGHT) as clock:
        thread.start()
        for number, jump in enumerate([timedelta(days=1), timedelta(days=-1), timedelta(hours=-5), timedelta(hours=5)]):
            clock.move_to(now() + jump)
            services.enqueue("test.deed", subject=str(number))
            end = time.monotonic() + 60
            while str(number) not in done:
                assert time.monotonic() < end, (number, done)
                time.sleep(0.02)
            turns, end = done.count("turn"), time.monotonic() + 60
            while done.count("turn") == turns:
                assert time.monotonic() < end, (number, done)
                clock.shift(timedelta(seconds=5))
                time.sleep(0.1)
        worker.stop()
        thread.join(60)
    assert not thread.is_alive()
