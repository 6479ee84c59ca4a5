"""The join where Foyer registers people as a client: a real Synapse with a registration token, cut at every request."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

import pytest

import foyer.config
from dev.proxy import ChaosProxy, Cut, Delay, Garbage, Lose, Mode, Pass, Repeat, Status
from dev.synapse import Synapse
from foyer.accounts import settling
from foyer.accounts.models import Account, State
from foyer.accounts.services import JoinAttempt, Joined, open_with_invite
from foyer.config.load import check
from foyer.homeserver.errors import Misconfigured
from foyer.invites import services as invites
from foyer.invites.models import Invite
from foyer.invites.services import NewInvite
from foyer.jobs.models import Job
from foyer.jobs.worker import Worker
from foyer.kit.actor import Actor
from foyer.kit.refusal import Refusal
from tests.conftest import VALUES
from tests.homeserver.uia_world import OUR_TOKEN, REGISTER, UiaSynapseWorld
from tests.support.native import NATIVE
from tests.support.need import need

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.synapse]

PASSWORD = "correct horse battery"
MODES = [Cut(), Lose(), Delay(2.5), Status(500, "{}"), Garbage(as_http=True), Repeat()]
numbers = itertools.count(time.time_ns() // 1_000_000)


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Synapse]:
    """A Synapse where clients register by a token."""
    need("synapse")
    with Synapse.start(tmp_path_factory.mktemp("synapse"), extra_config=NATIVE) as running:
        yield running


@pytest.fixture
def world(native: Synapse) -> Iterator[UiaSynapseWorld]:
    """The homeserver behind a proxy, and Foyer set up for it."""
    with ChaosProxy(native.url) as chaos:
        world = UiaSynapseWorld(chaos, real=native)
        keys = {"kind": "uia", "url": chaos.url, "registration_token": OUR_TOKEN, "timeout": "2s"}
        with foyer.config.override(check({**VALUES, "server_name": "localhost", "homeserver": keys})):
            yield world


@pytest.fixture
def name() -> str:
    """A name that no other test of this Synapse uses."""
    return f"maria{next(numbers)}"


def invite() -> Invite:
    return invites.create(NewInvite(uses_limit=1), actor=Actor.command_line())


def press(made: Invite, name: str, password: str = PASSWORD) -> Joined:
    return open_with_invite(JoinAttempt(made.code, name, password))


def press_until_in(made: Invite, name: str) -> Joined:
    """Press again and again, as a person would who reads the page."""
    end = time.monotonic() + 60
    while True:
        try:
            return press(made, name)
        except Refusal:
            assert time.monotonic() < end
            settling.sweep()
            Job.objects.filter(leased_until=None).update(next_attempt_at="2000-01-01T00:00Z")
            Worker().run_until_idle("homeserver")
            time.sleep(0.2)


def counts(made: Invite) -> tuple[int, int]:
    fresh = Invite.objects.get(id=made.id)
    return fresh.held, fresh.used


def test_join_makes_the_account_and_leaves_no_device(world: UiaSynapseWorld, name: str) -> None:
    made = invite()

    joined = press(made, name)

    assert joined.mxid == f"@{name}:localhost"
    assert counts(made) == (0, 1)
    assert world.devices(name) == 0
    assert world.sign_in(name, PASSWORD) == "ok"


@pytest.mark.parametrize(
    ("request_number", "mode"),
    [(1, Cut()), (2, Lose()), *((3, mode) for mode in MODES)],
    ids=lambda it: it if isinstance(it, int) else type(it).__name__,
)
def test_join_that_breaks_at_any_request_ends_with_one_account(
    world: UiaSynapseWorld, name: str, mode: Mode, request_number: int
) -> None:
    made = invite()
    world.chaos.add(mode, *REGISTER, times=1)
    if request_number > 1:
        world.chaos.add(Pass(), *REGISTER, times=request_number - 1)

    press_until_in(made, name)

    assert counts(made) == (0, 1)
    assert Account.objects.exclude(state=State.REFUSED).get().state == State.OPEN
    assert world.devices(name) == 0
    assert world.sign_in(name, PASSWORD) == "ok"


def test_join_whose_person_goes_away_is_settled_by_presence(world: UiaSynapseWorld, name: str) -> None:
    made = invite()
    world.lose_answer()
    world.chaos.add(Cut(), "POST", "/login$", times=1)
    with pytest.raises(Refusal):
        press(made, name)
    assert counts(made) == (1, 0)
    account = Account.objects.get(localpart=name)
    assert account.state == State.UNKNOWN

    Account.objects.filter(id=account.id).update(begun_at=account.begun_at - 2 * settling.COUNTS_AS_OPEN_AFTER)
    settling.settle(account.id)

    account.refresh_from_db()
    assert account.state == State.OPEN
    assert counts(made) == (0, 1)


def test_join_with_a_dead_token_spends_nothing_and_tells_the_owner(world: UiaSynapseWorld, name: str) -> None:
    made = invite()
    keys = {"kind": "uia", "url": world.chaos.url, "registration_token": "dead", "timeout": "2s"}
    config = check({**VALUES, "server_name": "localhost", "homeserver": keys})
    with foyer.config.override(config), pytest.raises(Misconfigured) as error:
        press(made, name)

    assert "homeserver.registration_token" in error.value.remedy
    assert "homeserver.registration_token" not in str(error.value)
    assert counts(made) == (0, 0)
