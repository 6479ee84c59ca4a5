from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
import time_machine
from django.db import OperationalError, connection

from foyer.audit.models import Event
from foyer.jobs import registry, services
from foyer.jobs.models import Job, Schedule
from foyer.jobs.worker import Worker
from foyer.kit.actor import Actor
from foyer.kit.clock import now

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


class Passing(Exception):
    code = "passing"


class Lasting(Exception):
    code = "lasting"


@pytest.fixture
def done() -> Iterator[list[str]]:
    """What the test handlers were asked for. A subject that names an error raises it."""
    seen: list[str] = []
    before = dict(registry._handlers)

    @registry.handler("test.deed", lane="mail", passing=(Passing,), lasting=(Lasting,))
    def deed(subject: str) -> None:
        seen.append(subject)
        if subject == "passing":
            raise Passing
        if subject == "lasting":
            raise Lasting
        if subject == "fault":
            raise ZeroDivisionError

    yield seen
    registry._handlers.clear()
    registry._handlers.update(before)


def test_enqueue_twice_owes_once_at_the_earlier_time(done: list[str]) -> None:
    services.enqueue("test.deed", subject="a", delay=timedelta(hours=1))
    services.enqueue("test.deed", subject="a")
    services.enqueue("test.deed", subject="a", delay=timedelta(hours=2))

    Worker().run_until_idle("mail")

    assert done == ["a"]
    assert not Job.objects.exists()


def test_enqueue_of_an_unknown_kind_is_a_fault_of_ours() -> None:
    with pytest.raises(LookupError):
        services.enqueue("test.nothing", subject="a")


def test_enqueue_while_the_same_deed_is_being_done_does_it_again_at_once(done: list[str]) -> None:
    services.enqueue("test.deed", subject="a")
    job = services.take("mail")
    assert job is not None

    services.enqueue("test.deed", subject="a")
    assert services.take("mail") is None
    services.finish(job)

    assert Job.objects.filter(subject="a").count() == 1
    Worker().run_until_idle("mail")
    assert done == ["a"]
    assert not Job.objects.exists()


def test_deed_that_is_owed_anew_stays_with_the_one_who_does_it(done: list[str]) -> None:
    services.enqueue("test.deed", subject="a")
    job = services.take("mail")
    assert job is not None
    services.enqueue("test.deed", subject="a")

    almost_over = now() + services.LEASE - timedelta(seconds=1)
    with time_machine.travel(almost_over):
        services.renew([job])
    with time_machine.travel(almost_over + timedelta(seconds=5)):
        assert services.take("mail") is None

        services.release([job])

        again = services.take("mail")
        assert again is not None
        assert again.attempts == 1


@pytest.mark.parametrize("subject", ["passing", "lasting"])
def test_deed_that_fails_after_it_was_owed_anew_waits_and_is_not_given_up(done: list[str], subject: str) -> None:
    services.enqueue("test.deed", subject=subject)
    job = services.take("mail")
    assert job is not None
    services.enqueue("test.deed", subject=subject)

    services.fail(job, Lasting() if subject == "lasting" else Passing(), lasting=subject == "lasting", handler=None)

    row = Job.objects.get()
    assert (row.gave_up_at, row.leased_until, row.last_error) == (None, None, subject)
    assert row.next_attempt_at > now()


def test_worker_told_to_stop_gives_the_next_job_back_untouched(done: list[str]) -> None:
    worker = Worker()

    @registry.handler("test.last", lane="mail")
    def last(subject: str) -> None:
        done.append(subject)
        worker.stop()

    services.enqueue("test.last", subject="first")
    services.enqueue("test.deed", subject="second")

    worker._work("mail")

    assert done == ["first"]
    row = Job.objects.get()
    assert (row.kind, row.leased_until, row.attempts) == ("test.deed", None, 0)


def test_deed_that_gave_way_to_another_is_put_back_without_waiting_for_the_lease(done: list[str]) -> None:
    @registry.handler("test.crossed", lane="mail")
    def crossed(subject: str) -> None:
        raise OperationalError("deadlock detected") from psycopg.errors.DeadlockDetected()

    services.enqueue("test.crossed", subject="a")

    Worker().run_until_idle("mail")

    row = Job.objects.get()
    assert (row.gave_up_at, row.leased_until, row.last_error) == (None, None, "OperationalError")
    assert row.next_attempt_at > now()


def test_passing_error_waits_longer_each_time(done: list[str]) -> None:
    services.enqueue("test.deed", subject="passing")
    waits = []
    moment = now()
    for _ in range(5):
        with time_machine.travel(moment, tick=False):
            Worker().run_until_idle("mail")
            job = Job.objects.get()
            waits.append((job.next_attempt_at - now()).total_seconds())
            moment = job.next_attempt_at

    assert [0.7 * 2**n < wait < 1.3 * 2**n for n, wait in enumerate(waits)] == [True] * 5
    assert Job.objects.get().last_error == "passing"


def test_passing_error_is_given_up_when_the_job_is_too_old_and_can_be_tried_again(done: list[str]) -> None:
    services.enqueue("test.deed", subject="passing")
    Job.objects.update(created_at=now() - timedelta(days=4))

    Worker().run_until_idle("mail")

    job = Job.objects.get()
    assert job.gave_up_at is not None
    assert Event.objects.filter(verb="job.gave-up").count() == 1
    assert services.try_again(job.id, actor=Actor.staff("anna"))
    assert not services.try_again(job.id, actor=Actor.staff("anna"))
    Worker().run_until_idle("mail")
    assert done == ["passing", "passing"]


def test_lasting_error_is_given_up_at_once(done: list[str]) -> None:
    services.enqueue("test.deed", subject="lasting")

    Worker().run_until_idle("mail")

    assert Job.objects.get().gave_up_at is not None
    assert done == ["lasting"]


def test_fault_of_ours_is_tried_again(done: list[str]) -> None:
    services.enqueue("test.deed", subject="fault")

    Worker().run_until_idle("mail")

    job = Job.objects.get()
    assert (job.gave_up_at, job.last_error) == (None, "ZeroDivisionError")


def test_job_of_a_killed_worker_is_taken_by_another_when_the_lease_ends(done: list[str]) -> None:
    services.enqueue("test.deed", subject="a")
    assert services.take("mail") is not None
    assert services.take("mail") is None

    with time_machine.travel(now() + services.LEASE + timedelta(seconds=1)):
        Worker().run_until_idle("mail")

    assert done == ["a"]


def test_finish_by_a_worker_that_lost_its_lease_leaves_the_job(done: list[str]) -> None:
    services.enqueue("test.deed", subject="a")
    slow = services.take("mail")
    assert slow is not None
    with time_machine.travel(now() + services.LEASE + timedelta(seconds=1)):
        quick = services.take("mail")
        assert quick is not None

        services.finish(slow)
        assert Job.objects.count() == 1
        services.finish(quick)
        assert not Job.objects.exists()


def test_ten_takers_at_once_take_each_job_once(done: list[str]) -> None:
    for number in range(20):
        services.enqueue("test.deed", subject=str(number))
    taken: list[int] = []

    def take_all() -> None:
        try:
            while (job := services.take("mail")) is not None:
                taken.append(job.id)
        finally:
            connection.close()

    threads = [threading.Thread(target=take_all) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    # A taker may find nothing while others hold what it saw; nothing is taken twice.
    assert len(taken) == len(set(taken))
    while (job := services.take("mail")) is not None:
        taken.append(job.id)
    assert sorted(taken) == sorted(Job.objects.values_list("id", flat=True))


def test_worker_stopped_while_idle_ends(done: list[str]) -> None:
    worker = Worker()
    thread = threading.Thread(target=worker.run)
    thread.start()
    services.enqueue("test.deed", subject="a")
    for _ in range(100):
        if done:
            break
        threading.Event().wait(0.05)

    worker.stop()
    thread.join(timeout=60)

    assert not thread.is_alive()
    assert done == ["a"]
    assert not Job.objects.filter(kind="test.deed").exists()


def test_schedule_asks_once_in_each_turn(done: list[str]) -> None:
    @registry.handler("test.turn", lane="house", every=timedelta(minutes=1))
    def turn(subject: str) -> None:
        done.append("turn")

    moment = now()
    for seconds in (0, 10, 59, 61, 62, 300):
        with time_machine.travel(moment + timedelta(seconds=seconds), tick=False):
            services.run_schedule()
            Worker().run_until_idle("house")

    assert done.count("turn") == 3
    assert Schedule.objects.get(name="test.turn").next_run_at == moment + timedelta(seconds=360)
