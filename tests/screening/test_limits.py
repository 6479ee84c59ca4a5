from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection

from foyer.kit.client_ip import ClientAddress
from foyer.screening import limits
from foyer.screening.errors import TooMany, TooManyOverall
from tests.conftest import Configure

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

# A moment at which a minute begins.
START = datetime(2030, 1, 1, 12, 0, 0, tzinfo=UTC)
MARIA = ClientAddress("192.0.2.1", is_known=True)
OTTO = ClientAddress("192.0.2.2", is_known=True)
HIDDEN = ClientAddress("127.0.0.1", is_known=False)


@pytest.fixture(autouse=True)
def counting(configure: Configure) -> Iterator[None]:
    """Two a minute and three an hour for each IP, five a minute for the door."""
    configure(screening={"join_per_ip": "2/minute, 3/hour", "join_overall": "5/minute"})
    limits.reset()
    yield
    limits.reset()


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """A clock that stands still."""
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def tries(client: ClientAddress, times: int) -> list[bool]:
    """Try, and return which attempts were let through."""
    found = []
    for _ in range(times):
        try:
            limits.check("join", client)
        except TooMany:
            found.append(False)
        else:
            found.append(True)
    return found


def test_check_within_the_rate_lets_through_and_beyond_it_refuses(clock: time_machine.Traveller) -> None:
    assert tries(MARIA, 4) == [True, True, False, False]


def test_refusal_says_when_to_come_back_and_then_it_is_let_through(clock: time_machine.Traveller) -> None:
    tries(MARIA, 2)
    with pytest.raises(TooMany) as refused:
        limits.check("join", MARIA)

    clock.shift(refused.value.retry_after - 1)
    assert tries(MARIA, 1) == [False]
    clock.shift(1)
    assert tries(MARIA, 1) == [True]
    assert (refused.value.code, refused.value.status, refused.value.field) == ("too-many", 429, None)


def test_refused_attempts_do_not_count(clock: time_machine.Traveller) -> None:
    tries(MARIA, 50)
    clock.shift(120)

    assert tries(MARIA, 2) == [True, False]  # the third of this hour, and no more


def test_window_slides_so_that_no_minute_lets_twice_as_many_through(
    configure: Configure, clock: time_machine.Traveller
) -> None:
    configure(screening={"join_per_ip": "10/minute"})
    clock.shift(55)
    assert tries(MARIA, 11) == [True] * 10 + [False]
    clock.shift(10)  # the next minute of the clock, of which 55 seconds are left

    assert tries(MARIA, 10) == [True] + [False] * 9


def test_one_client_does_not_count_for_another(clock: time_machine.Traveller) -> None:
    tries(MARIA, 3)

    assert tries(OTTO, 2) == [True, True]


def test_ipv6_clients_of_one_subnet_count_together(clock: time_machine.Traveller) -> None:
    first = ClientAddress("2001:db8:1:2::1", is_known=True)
    second = ClientAddress("2001:db8:1:2:ffff::7", is_known=True)
    elsewhere = ClientAddress("2001:db8:1:3::1", is_known=True)
    tries(first, 2)

    assert tries(second, 1) == [False]
    assert tries(elsewhere, 1) == [True]


def test_unknown_client_counts_for_the_door_alone(clock: time_machine.Traveller) -> None:
    assert tries(HIDDEN, 6) == [True] * 5 + [False]
    with pytest.raises(TooManyOverall) as refused:
        limits.check("join", MARIA)
    assert refused.value.retry_after == 61


def test_attempt_that_the_door_refuses_takes_nothing_from_its_client(clock: time_machine.Traveller) -> None:
    tries(HIDDEN, 5)
    tries(MARIA, 3)
    clock.shift(120)

    assert tries(MARIA, 2) == [True, True]


def test_rules_do_not_share_counts(clock: time_machine.Traveller) -> None:
    tries(MARIA, 3)

    limits.check("availability", MARIA)


def test_require_looks_without_counting(clock: time_machine.Traveller) -> None:
    for _ in range(20):
        limits.require("wrong-secret", MARIA)
    for _ in range(10):
        limits.check("wrong-secret", MARIA)

    with pytest.raises(TooMany):
        limits.require("wrong-secret", MARIA)
    limits.require("wrong-secret", OTTO)


def test_wrong_secrets_of_others_never_close_the_door_to_a_known_client(clock: time_machine.Traveller) -> None:
    for _ in range(60):
        limits.check("wrong-secret", HIDDEN)

    with pytest.raises(TooManyOverall):
        limits.require("wrong-secret", HIDDEN)
    limits.require("wrong-secret", MARIA)


def test_limits_switched_off_count_nothing(configure: Configure) -> None:
    configure(screening={"limits": False, "join_per_ip": "1/day"})

    assert tries(MARIA, 5) == [True] * 5
    limits.require("join", MARIA)


def test_sweep_removes_what_counts_no_more_and_keeps_the_rest(clock: time_machine.Traveller) -> None:
    tries(MARIA, 1)
    clock.shift(timedelta(minutes=2))
    tries(OTTO, 1)

    # Maria's minute and the door's are over, though Otto has just used the door's again; her hour is not.
    assert limits.storage().sweep() == 1
    assert limits.storage().sweep() == 0


def test_clock_that_goes_back_a_little_keeps_the_count(clock: time_machine.Traveller) -> None:
    tries(MARIA, 2)
    clock.shift(-1)  # into the minute before

    assert tries(MARIA, 1) == [False]


def test_clock_that_was_far_ahead_locks_nobody_out(clock: time_machine.Traveller) -> None:
    clock.shift(timedelta(days=400))
    tries(MARIA, 2)
    clock.move_to(START)

    assert tries(MARIA, 1) == [True]


def test_keys_tell_no_ip(clock: time_machine.Traveller) -> None:
    tries(MARIA, 1)
    if connection.vendor == "sqlite":
        from pathlib import Path

        from foyer.screening.sqlite_counters import path_beside

        path = path_beside(Path(connection.settings_dict["NAME"]))
        stored = b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
        assert path.stat().st_mode & 0o777 == 0o600
    else:
        with connection.cursor() as cursor:
            cursor.execute("SELECT string_agg(key, ' ') FROM screening_counter")
            stored = cursor.fetchone()[0].encode()

    assert b"192.0.2.1" not in stored
    assert b"join" not in stored
