"""The join against a real Synapse, cut before, during and after the deed."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.db import connection

import foyer.config
from dev.proxy import ChaosProxy, Cut, Delay, Garbage, Hang, Lose, Mode, Pass, Repeat, Status
from dev.synapse import Synapse
from foyer.accounts import settling
from foyer.accounts.errors import OutcomeUnknown
from foyer.accounts.models import Account, State
from foyer.accounts.rows import UNSETTLED
from foyer.accounts.services import JoinAttempt, Joined, open_with_invite
from foyer.config.load import check
from foyer.homeserver.errors import Busy, HomeserverError, NameTaken
from foyer.invites import services as invites
from foyer.invites.models import Invite
from foyer.invites.services import NewInvite
from foyer.jobs.models import Job
from foyer.jobs.worker import Worker
from foyer.kit.actor import Actor
from foyer.kit.refusal import Refusal
from tests.conftest import VALUES
from tests.support.ahead import time_out, work_until
from tests.support.synapse import homeserver_keys

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.database,
    pytest.mark.synapse,
]

PASSWORD = "correct horse battery"
numbers = itertools.count(time.time_ns() // 1_000_000)


@pytest.fixture
def name() -> str:
    """A name that no other test of this Synapse uses."""
    return f"maria{next(numbers)}"


@pytest.fixture(autouse=True)
def through_the_proxy(
    request: pytest.FixtureRequest, synapse: Synapse, chaos: ChaosProxy, credentials: str
) -> Iterator[None]:
    keys = {**homeserver_keys(synapse, credentials, url=chaos.url), "timeout": time_out(request)}
    with foyer.config.override(check({**VALUES, "server_name": synapse.server_name, "homeserver": keys})):
        yield


def invite(uses_limit: int | None = 1) -> Invite:
    return invites.create(NewInvite(uses_limit=uses_limit), actor=Actor.command_line())


def press(made: Invite, name: str, password: str = PASSWORD, *, wants_token: bool = False) -> Joined:
    return open_with_invite(JoinAttempt(made.code, name, password, wants_token=wants_token))


def counts(made: Invite) -> tuple[int, int]:
    fresh = Invite.objects.get(id=made.id)
    return fresh.held, fresh.used


def settle_within(seconds: float) -> None:
    """Do what is owed until all is settled, for so long by the clock at most."""

    def once() -> None:
        settling.sweep()
        Job.objects.filter(kind="accounts.settle", leased_until=None).update(next_attempt_at="2000-01-01T00:00Z")
        Worker().run_until_idle("homeserver")

    def is_done() -> bool:
        return not Account.objects.filter(state__in=UNSETTLED).exists()

    work_until(is_done, once, within=timedelta(seconds=seconds))


def test_join_signs_in_with_the_chosen_password(synapse: Synapse, name: str) -> None:
    made = invite()

    joined = press(made, name)

    assert joined.mxid == f"@{name}:{synapse.server_name}"
    assert synapse.login(name, PASSWORD)[0] == 200
    assert counts(made) == (0, 1)


def test_join_that_wants_a_token_gets_one_that_works(synapse: Synapse, name: str) -> None:
    token = press(invite(), name, wants_token=True).access_token

    status, me = synapse.request("GET", "/_matrix/client/v3/account/whoami", token=token)
    assert (status, me["user_id"]) == (200, f"@{name}:{synapse.server_name}")


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
DEEDS = {"secret": ("POST", "/v1/register"), "both": ("POST", "/v1/register"), "token": ("PUT", "/v2/users/")}


def test_join_broken_before_the_deed_gives_everything_back(chaos: ChaosProxy, name: str, credentials: str) -> None:
    made = invite()
    chaos.add(Lose(), "GET", "/v1/register|username_available|profile", times=1)

    with pytest.raises(HomeserverError):
        press(made, name)

    assert counts(made) == (0, 0)
    assert press(made, name).localpart == name


@pytest.mark.parametrize("broken", BREAKS)
def test_join_broken_at_the_deed_is_never_made_twice_and_a_retry_succeeds(
    synapse: Synapse, chaos: ChaosProxy, name: str, broken: str, credentials: str
) -> None:
    chaos.add(BREAKS[broken], *DEEDS[credentials], times=1)
    _retry_until_in(synapse, chaos, name, credentials)


@pytest.mark.parametrize("credentials", ["token"])
@pytest.mark.parametrize("broken", BREAKS)
def test_join_broken_between_claim_and_password_is_finished_by_the_retry(
    synapse: Synapse, chaos: ChaosProxy, name: str, broken: str, credentials: str
) -> None:
    chaos.add(Pass(), *DEEDS[credentials], times=1)
    chaos.add(BREAKS[broken], *DEEDS[credentials], times=1)
    _retry_until_in(synapse, chaos, name, credentials)


def _retry_until_in(synapse: Synapse, chaos: ChaosProxy, name: str, credentials: str) -> None:
    made = invite()
    try:
        press(made, name)
    except (HomeserverError, OutcomeUnknown):
        chaos.wait_until_still()  # what was stuck on its way arrives
        chaos.clear()
        settle_within(60 if credentials == "secret" else 300)  # without an admin, presence takes the person's own retry
        assert press(made, name).localpart == name

    assert synapse.login(name, PASSWORD)[0] == 200
    assert counts(made) == (0, 1)
    assert Account.objects.filter(localpart=name, state=State.OPEN).count() == 1


def test_join_with_the_homeserver_stopped_keeps_the_invitation(chaos: ChaosProxy, name: str) -> None:
    made = invite()
    chaos.refuse()

    with pytest.raises(HomeserverError) as caught:
        press(made, name)

    assert caught.value.status == 503
    assert counts(made) == (0, 0)
    chaos.accept()
    assert press(made, name).localpart == name


def test_join_when_asked_to_wait_says_how_long(chaos: ChaosProxy, name: str) -> None:
    made = invite()
    limited = '{"errcode": "M_LIMIT_EXCEEDED", "error": "Too Many Requests", "retry_after_ms": 4000}'
    chaos.add(Status(429, limited), ".*", "register|v2/users|username_available|profile")

    with pytest.raises(Busy) as caught:
        press(made, name)

    assert caught.value.retry_after == pytest.approx(4, abs=1)
    assert counts(made) == (0, 0)


def at_once(presses: list[Callable[[], Joined]]) -> list[Joined | Refusal]:
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


def test_twenty_people_at_one_name_make_one_account_with_the_winners_password(synapse: Synapse, name: str) -> None:
    made = [invite() for _ in range(20)]

    results = at_once([lambda n=n: press(made[n], name, f"password no {n}") for n in range(20)])  # type: ignore[misc]

    assert sum(isinstance(result, Joined) for result in results) == 1
    winner = next(n for n in range(20) if counts(made[n]) == (0, 1))
    assert synapse.login(name, f"password no {winner}")[0] == 200
    assert sum(counts(one) == (0, 0) for one in made) == 19


@pytest.mark.parametrize("credentials", ["both"], indirect=True)
def test_join_with_the_secret_and_a_dead_token_is_done_and_the_rest_waits(
    synapse: Synapse, chaos: ChaosProxy, credentials: str, name: str
) -> None:
    keys = {**homeserver_keys(synapse, credentials, url=chaos.url), "admin_token": "syt_nobody"}
    made = invite(2)
    values = {**VALUES, "server_name": synapse.server_name, "after": {"rooms": ["#welcome:localhost"]}}
    with foyer.config.override(check({**values, "homeserver": keys})):
        assert press(made, name).localpart == name
        assert press(made, name).localpart == name
        synapse.register(f"{name}b", PASSWORD)
        with pytest.raises(NameTaken):
            press(made, f"{name}b", "some other words")

    assert counts(made) == (0, 1)
    assert Account.objects.get(localpart=name).state == State.OPEN
    assert synapse.login(name, PASSWORD)[0] == 200
    assert Job.objects.filter(kind="accounts.join-room").count() == 1
