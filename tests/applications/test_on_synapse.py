"""Applications against a real Synapse, held, opened and shelved through a network that breaks at each step."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

import foyer.config
from dev.proxy import ChaosProxy, Cut, Delay, Garbage, Hang, Lose, Mode, Pass, Repeat, Status
from dev.synapse import Synapse
from foyer.accounts import holding, settling
from foyer.accounts.models import Account
from foyer.accounts.models import State as AccountState
from foyer.accounts.rows import UNSETTLED
from foyer.accounts.services import JoinAttempt, open_with_invite
from foyer.applications import decisions, effects, services
from foyer.applications.models import Application, PasswordWay, State
from foyer.config.load import check
from foyer.homeserver.memory import MemoryHomeserver
from foyer.invites import services as invites
from foyer.invites.models import Invite
from foyer.jobs.models import Job
from foyer.jobs.worker import Worker
from tests.applications.acts import ANNA, ANSWERS, OTHER, PASSWORD, fresh, mails, submit, verified
from tests.applications.conftest import OPEN
from tests.conftest import VALUES
from tests.support.ahead import time_out, work_until
from tests.support.synapse import homeserver_keys

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.database,
    pytest.mark.synapse,
]

numbers = itertools.count(time.time_ns() // 1_000_000)
LOCKED, WRONG, IN = (401, "M_USER_LOCKED"), (403, "M_FORBIDDEN"), (200, "")
BREAKS: dict[str, Mode] = {
    "cut": Cut(),
    "lost": Lose(),
    "slow": Delay(1.5, after=True),
    "stuck": Delay(1.5),
    "hang": Hang(),
    "garbage": Garbage(as_http=True),
    "error": Status(502, "<html>bad gateway</html>"),
    "twice": Repeat(),
    "busy": Status(429, '{"errcode": "M_LIMIT_EXCEEDED", "error": "Too Many Requests", "retry_after_ms": 100}'),
}
SOME_BREAKS = ("cut", "lost", "stuck", "error", "twice")
REGISTER, PUT, RESET = ("POST", "/v1/register"), ("PUT", "/v2/users/"), ("POST", "/v1/reset_password/")
HOLDING = {
    "both": {"register": [REGISTER], "lock": [PUT], "password": [RESET]},
    "token": {"claim": [PUT], "lock": [PUT, PUT], "password": [RESET]},
}


@pytest.fixture
def name() -> str:
    """A name that no other test of this Synapse uses."""
    return f"maria{next(numbers)}"


@pytest.fixture(params=["token", "both"])
def credentials(request: pytest.FixtureRequest) -> str:
    """Those that can hold accounts."""
    return str(request.param)


@pytest.fixture(autouse=True)
def through_the_proxy(
    request: pytest.FixtureRequest,
    door_is_open: None,
    homeserver: MemoryHomeserver,
    synapse: Synapse,
    chaos: ChaosProxy,
    credentials: str,
) -> Iterator[None]:
    keys = {**homeserver_keys(synapse, credentials, url=chaos.url), "timeout": time_out(request)}
    values = {**VALUES, **OPEN, "server_name": synapse.server_name, "homeserver": keys, "after": {}}
    with foyer.config.override(check(values)):
        yield


def sign_in(synapse: Synapse, name: str, password: str = PASSWORD) -> tuple[int, str]:
    status, answer = synapse.login(name, password)
    return status, str(answer.get("errcode", ""))


def applied(name: str) -> Application:
    return submit(verified(name, f"{name}@example.net"))


def work(seconds: float = 300, *, until: State | None = None, application: Application | None = None) -> None:
    """Do what is owed until nothing is, and until the application is there; for so long by the clock at most."""

    def once() -> None:
        settling.sweep()
        holding.sweep()
        Job.objects.filter(leased_until=None, gave_up_at=None).exclude(kind__startswith="notify").update(
            next_attempt_at="2000-01-01T00:00Z"
        )
        Worker().run_until_idle("house")
        Worker().run_until_idle("homeserver")
        effects.sweep()

    def is_done() -> bool:
        owed = Job.objects.filter(gave_up_at=None).exclude(kind__startswith="notify")
        is_there = application is None or fresh(application).state == until
        return is_there and not owed.exists() and not Account.objects.filter(state__in=UNSETTLED).exists()

    work_until(is_done, once, within=timedelta(seconds=seconds))


def is_kept(name: str) -> bool:
    return Account.objects.filter(localpart=name, state__in=[AccountState.HELD, AccountState.OPEN]).exists()


def test_approved_applicant_signs_in_with_the_password_of_the_form(synapse: Synapse, name: str) -> None:
    application = applied(name)
    assert fresh(application).password_way == PasswordWay.WHEN_APPLYING
    assert sign_in(synapse, name) == LOCKED

    decisions.approve(application.id, ANNA, at_once=True)
    work()

    assert fresh(application).state == State.DONE
    assert sign_in(synapse, name) == IN
    email = synapse.request("GET", f"/_synapse/admin/v2/users/@{name}:{synapse.server_name}", token=synapse.admin_token)
    assert [it["address"] for it in email[1]["threepids"]] == [f"{name}@example.net"]


def test_denied_applicant_is_shelved_and_the_next_one_gets_the_shell(synapse: Synapse, name: str) -> None:
    application = applied(name)
    decisions.deny(application.id, ANNA, at_once=True)
    work()
    assert sign_in(synapse, name) == WRONG

    second = submit(verified(name, f"second-{name}@example.net"), OTHER)
    assert sign_in(synapse, name, OTHER) == LOCKED
    decisions.approve(second.id, ANNA, at_once=True)
    work()

    assert (sign_in(synapse, name, OTHER), sign_in(synapse, name)) == (IN, WRONG)


@pytest.mark.parametrize("credentials", ["secret"])
def test_with_the_secret_alone_the_password_comes_by_the_link(synapse: Synapse, name: str, credentials: str) -> None:
    application = applied(name)
    assert fresh(application).password_way == PasswordWay.WHEN_APPROVED

    decisions.approve(application.id, ANNA, at_once=True)
    work()
    invite = Invite.objects.get(id=fresh(application).invite_id or 0)
    open_with_invite(JoinAttempt(invite.code, name, OTHER, email_key=invites.email_key(invite)))
    work()

    assert fresh(application).state == State.DONE
    assert sign_in(synapse, name, OTHER) == IN


@pytest.mark.parametrize("step", ["first", "lock", "password"])
@pytest.mark.parametrize("broken", BREAKS)
def test_hold_broken_at_each_step_ends_as_a_hold_or_as_a_shell_and_the_applicant_gets_in(
    synapse: Synapse, chaos: ChaosProxy, name: str, credentials: str, step: str, broken: str
) -> None:
    requests = next(iter(HOLDING[credentials].values())) if step == "first" else HOLDING[credentials][step]
    *passed, last = requests
    chaos.add(BREAKS[broken], *last, times=1)
    for one in passed:
        chaos.add(Pass(), *one, times=1)  # the newest rule is the first

    application = applied(name)

    assert fresh(application).state == State.WAITING
    chaos.wait_until_still()  # what was stuck on its way arrives
    chaos.clear()
    work()
    _approved_and_in(synapse, application, name)


def _approved_and_in(synapse: Synapse, application: Application, name: str) -> None:
    decisions.approve(application.id, ANNA, at_once=True)
    work()
    row = fresh(application)
    if row.state == State.DONE:
        assert sign_in(synapse, name) == IN
    else:
        invite = Invite.objects.get(id=row.invite_id or 0)
        assert invite.localpart == name
        assert sign_in(synapse, name) == WRONG
        open_with_invite(JoinAttempt(invite.code, name, OTHER))
        work()
        assert sign_in(synapse, name, OTHER) == IN
    assert fresh(application).state == State.DONE
    assert mails(application).count("approved") == 1


@pytest.mark.parametrize("broken", SOME_BREAKS)
def test_opening_broken_is_finished_with_one_mail(synapse: Synapse, chaos: ChaosProxy, name: str, broken: str) -> None:
    application = applied(name)
    chaos.add(BREAKS[broken], *PUT, times=1)

    decisions.approve(application.id, ANNA, at_once=True)
    work(until=State.DONE, application=application)

    assert sign_in(synapse, name) == IN
    assert mails(application).count("approved") == 1


@pytest.mark.parametrize("request_", [PUT, RESET], ids=["lock", "password"])
@pytest.mark.parametrize("broken", SOME_BREAKS)
@pytest.mark.parametrize("credentials", ["both"])
def test_shelving_broken_is_finished(
    synapse: Synapse, chaos: ChaosProxy, name: str, credentials: str, broken: str, request_: tuple[str, str]
) -> None:
    application = applied(name)
    chaos.add(BREAKS[broken], *request_, times=1)

    decisions.deny(application.id, ANNA, at_once=True)
    work()

    assert sign_in(synapse, name) == WRONG
    assert Account.objects.get(localpart=name).state == AccountState.SHELVED


def test_with_the_homeserver_stopped_the_request_waits_and_is_opened_later(
    synapse: Synapse, chaos: ChaosProxy, name: str
) -> None:
    application = verified(name, f"{name}@example.net")
    chaos.refuse()

    services.submit(application, ANSWERS, [], PASSWORD, PASSWORD)
    assert (fresh(application).state, fresh(application).password_way) == (State.WAITING, PasswordWay.WHEN_APPROVED)
    decisions.approve(application.id, ANNA, at_once=True)
    work(20)
    assert "approved" not in mails(application)

    chaos.accept()
    work()
    assert Invite.objects.get(id=fresh(application).invite_id or 0).localpart == name
    assert not is_kept(name)


@pytest.mark.parametrize("credentials", ["both"])
def test_homeserver_that_hangs_costs_eight_seconds_and_no_more(
    chaos: ChaosProxy, synapse: Synapse, name: str, credentials: str
) -> None:
    keys = {**homeserver_keys(synapse, credentials, url=chaos.url), "timeout": "60s"}
    values = {**VALUES, **OPEN, "server_name": synapse.server_name, "homeserver": keys, "after": {}}
    with foyer.config.override(check(values)):
        application = verified(name, f"{name}@example.net")
        chaos.add(Hang(), *PUT)
        begun = time.monotonic()

        services.submit(application, ANSWERS, [], PASSWORD, PASSWORD)

        assert 7.5 < time.monotonic() - begun < 30
        assert fresh(application).password_way == PasswordWay.WHEN_APPROVED
        chaos.clear()
        work()
        assert Account.objects.get(localpart=name).state == AccountState.SHELVED
        assert sign_in(synapse, name) == WRONG


def test_two_applicants_for_one_name_get_one_account_and_the_other_chooses(synapse: Synapse, name: str) -> None:
    first = verified(name, f"first-{name}@example.net")
    second = verified(name, f"second-{name}@example.net")
    assert (first.localpart, second.localpart) == (name, "")
    services.choose_name(second, f"{name}-2")
    submit(first)
    submit(second, OTHER)
    for one in (second, first):
        decisions.approve(one.id, ANNA, at_once=True)
    work()

    assert (sign_in(synapse, name), sign_in(synapse, f"{name}-2", OTHER)) == (IN, IN)
    assert sign_in(synapse, name, OTHER) == WRONG
