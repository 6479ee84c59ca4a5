"""The join at a Matrix Authentication Service (its double), cut before, during and after each deed."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import time_machine
from django.db import connection

import foyer.config
from dev.proxy import Cut, Delay, Garbage, Hang, Lose, Mode, Repeat, Status
from foyer.accounts import settling
from foyer.accounts.errors import MadeAlready, OutcomeUnknown
from foyer.accounts.models import Account, State
from foyer.accounts.rows import UNSETTLED
from foyer.accounts.services import JoinAttempt, Joined, open_with_invite
from foyer.config.load import check
from foyer.homeserver.errors import HomeserverError, NameTaken, PasswordRefused
from foyer.invites import services as invites
from foyer.invites.errors import InviteSpent
from foyer.invites.models import Invite
from foyer.invites.services import NewInvite
from foyer.jobs.models import Job
from foyer.jobs.worker import Worker
from foyer.kit.actor import Actor
from foyer.kit.clock import now
from foyer.kit.refusal import Refusal
from foyer.names import services as names
from tests.conftest import VALUES
from tests.homeserver.mas_world import MasWorld, mas_keys, mas_world
from tests.support.ahead import time_out, work_until

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "correct horse battery"
OTHER = "quarzlampe nebel tragen ufer"
ADD, SET = ("POST", "/api/admin/v1/users$"), ("POST", "/set-password$")
LOGIN = ("POST", "/client/v3/login$")
BREAKS: dict[str, Mode] = {
    "cut": Cut(),
    "lost": Lose(),
    "slow": Delay(1.5, after=True),
    "stuck": Delay(1.5),
    "hang": Hang(),
    "garbage": Garbage(as_http=True),
    "error": Status(502, "<html>bad gateway</html>"),
    "twice": Repeat(),
}
numbers = itertools.count(1)


@pytest.fixture
def name() -> str:
    return f"maria{next(numbers)}"


@pytest.fixture
def world(request: pytest.FixtureRequest) -> Iterator[MasWorld]:
    with mas_world("token") as made:
        values = {**VALUES, "server_name": "localhost", "homeserver": mas_keys(made, timeout=time_out(request))}
        with foyer.config.override(check(values)):
            yield made


def invite(uses_limit: int | None = 1, **more: str) -> Invite:
    return invites.create(NewInvite(uses_limit=uses_limit, **more), actor=Actor.command_line())  # type: ignore[arg-type]


def press(made: Invite, name: str, password: str = PASSWORD, *, wants_token: bool = False) -> Joined:
    return open_with_invite(JoinAttempt(made.code, name, password, wants_token=wants_token))


def counts(made: Invite) -> tuple[int, int]:
    fresh = Invite.objects.get(id=made.id)
    return fresh.held, fresh.used


def work(seconds: float = 300) -> None:
    """Do what is owed until nothing is, for so long by the clock at most."""

    def once() -> None:
        settling.sweep()
        Job.objects.filter(leased_until=None, gave_up_at=None).update(next_attempt_at="2000-01-01T00:00Z")
        Worker().run_until_idle("homeserver")

    def is_done() -> bool:
        owed = Job.objects.filter(gave_up_at=None, lane="homeserver").exists()
        return not owed and not Account.objects.filter(state__in=UNSETTLED).exists()

    work_until(is_done, once, within=timedelta(seconds=seconds))


def test_join_is_made_at_the_service_and_arrives_everywhere(world: MasWorld, name: str) -> None:
    room = world.make_room("lobby", public=True)
    made = invites.create(NewInvite(rooms=[room]), actor=Actor.command_line())

    joined = press(made, name)
    work()

    assert joined.mxid == f"@{name}:localhost"
    assert world.sign_in(name, PASSWORD) == "ok"
    assert counts(made) == (0, 1)
    assert world.rooms(name) == [room]
    assert world.devices(name) == 0


def test_join_whose_account_synapse_hears_of_later_gets_its_rooms_then(world: MasWorld, name: str) -> None:
    room = world.make_room("lobby", public=True)
    world.mas.provision = lambda _name: None
    press(invites.create(NewInvite(rooms=[room]), actor=Actor.command_line()), name)
    work(0.5)
    assert world.rooms(name) == []

    world.synapse.provision(name)
    work()

    assert world.rooms(name) == [room]


def test_join_that_wants_a_token_gets_one_of_the_service(world: MasWorld, name: str) -> None:
    token = press(invite(), name, wants_token=True).access_token

    assert token is not None
    assert token.startswith("mct_")
    assert world.devices(name) == 1


def test_join_pressed_again_lets_the_same_person_in_and_nobody_else(world: MasWorld, name: str) -> None:
    made = invite(uses_limit=2)
    press(made, name)

    assert press(made, name).localpart == name
    with pytest.raises((NameTaken, names.NameHeld)):
        press(made, name, OTHER)
    assert counts(made) == (0, 1)
    assert world.sign_in(name, PASSWORD) == "ok"
    assert world.devices(name) == 0


def test_join_pressed_again_where_no_password_can_be_tried_says_that_it_is_made(world: MasWorld, name: str) -> None:
    world.mas.has_compat = False
    made = invite()
    press(made, name)

    with pytest.raises(MadeAlready) as refusal:
        press(made, name)

    assert "If it was you, sign in" in str(refusal.value)
    with pytest.raises(InviteSpent):
        press(made, f"{name}-2")
    assert counts(made) == (0, 1)


@pytest.mark.parametrize("deed", [ADD, SET], ids=["claim", "password"])
@pytest.mark.parametrize("broken", BREAKS)
def test_join_broken_at_each_deed_is_never_made_twice_and_a_retry_succeeds(
    world: MasWorld, name: str, broken: str, deed: tuple[str, str]
) -> None:
    world.chaos.add(BREAKS[broken], *deed, times=1)
    _retry_until_in(world, name)


@pytest.mark.parametrize("broken", ["cut", "lost", "stuck", "error"])
def test_join_broken_at_the_password_and_at_the_trial_of_it_is_settled_within_a_minute(
    world: MasWorld, name: str, broken: str
) -> None:
    world.chaos.add(BREAKS[broken], *SET, times=1)
    world.chaos.add(BREAKS[broken], *LOGIN, times=1)
    _retry_until_in(world, name)


@pytest.mark.parametrize("broken", ["cut", "lost", "error"])
def test_join_broken_without_the_compatibility_layer_is_settled_by_looking_it_up(
    world: MasWorld, name: str, broken: str
) -> None:
    world.mas.has_compat = False
    world.chaos.add(BREAKS[broken], *SET, times=1)
    _retry_until_in(world, name)


@pytest.mark.parametrize("deed", ["/set-password$", "/unlock$"])
@pytest.mark.parametrize("broken", ["cut", "lost", "stuck", "error"])
def test_join_that_fills_a_shell_and_breaks_is_finished_by_the_retry(
    world: MasWorld, name: str, broken: str, deed: str
) -> None:
    world.chaos.add(Cut(), *SET, times=1)
    with pytest.raises(OutcomeUnknown):
        press(invite(), name, OTHER)
    work()
    assert Account.objects.get(localpart=name).state == State.SHELVED
    world.chaos.add(BREAKS[broken], "POST", deed, times=1)

    with time_machine.travel(now() + timedelta(minutes=3)):  # nothing of the first press can be on its way any more
        _retry_until_in(world, name)

    assert world.sign_in(name, OTHER) == "wrong"


def _retry_until_in(world: MasWorld, name: str) -> None:
    made = invite()
    try:
        press(made, name)
    except (HomeserverError, OutcomeUnknown):
        world.chaos.wait_until_still()  # what was stuck on its way arrives
        world.chaos.clear()
        work()
        assert press(made, name).localpart == name
    work()

    assert world.sign_in(name, PASSWORD) == "ok"
    assert counts(made) == (0, 1)
    assert Account.objects.filter(localpart=name, state=State.OPEN).count() == 1
    assert sum(person.username == name for person in world.mas.people.values()) == 1


def test_join_with_a_password_that_only_the_service_finds_weak_is_refused_and_another_one_will_do(
    world: MasWorld, name: str
) -> None:
    made = invite()
    press(invite(), f"{name}-before", OTHER)  # its rules are known from now on
    world.mas.site["minimum_password_complexity"] = 4

    for _ in range(2):
        with pytest.raises(PasswordRefused):
            press(made, name, "garden12")
        assert counts(made) == (0, 0)
        assert world.sign_in(name, "garden12") == "wrong"
        assert Account.objects.get(localpart=name).state == State.SHELVED
    press(made, name, OTHER)

    assert world.sign_in(name, OTHER) == "ok"
    assert counts(made) == (0, 1)


def test_join_never_touches_somebody_who_registers_at_the_service_at_that_moment(world: MasWorld, name: str) -> None:
    made = invite()
    world.chaos.add(Delay(0.5), *ADD)

    def register_at_the_service() -> None:
        world.chaos.wait_for(1, *ADD)
        world.mas.register(name, OTHER)

    quicker = threading.Thread(target=register_at_the_service)
    quicker.start()

    with pytest.raises(NameTaken):
        press(made, name)
    quicker.join()
    work()

    assert world.sign_in(name, OTHER) == "ok"
    assert world.devices(name) == 1
    assert counts(made) == (0, 0)


def test_twenty_people_at_a_one_use_link_get_one_account(world: MasWorld, name: str) -> None:
    made = invite()

    results = _at_once([lambda n=n: press(made, f"{name}-{n}") for n in range(20)])  # type: ignore[misc]

    assert sum(isinstance(result, Joined) for result in results) == 1
    work()
    assert len(world.mas.people) == 1
    assert counts(made) == (0, 1)


def test_twenty_people_at_one_name_make_one_account_with_the_winners_password(world: MasWorld, name: str) -> None:
    made = [invite() for _ in range(20)]

    results = _at_once([lambda n=n: press(made[n], name, f"password no {n}") for n in range(20)])  # type: ignore[misc]

    assert sum(isinstance(result, Joined) for result in results) == 1
    winner = next(n for n in range(20) if counts(made[n]) == (0, 1))
    assert world.sign_in(name, f"password no {winner}") == "ok"
    assert sum(counts(one) == (0, 0) for one in made) == 19


def _at_once(presses: list[Callable[[], Joined]]) -> list[Joined | Refusal]:
    results: list[Joined | Refusal] = []
    barrier = threading.Barrier(len(presses))

    def run(one: Callable[[], Joined]) -> None:
        barrier.wait()
        try:
            results.append(one())
        except Refusal as refusal:
            results.append(refusal)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(one,)) for one in presses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
