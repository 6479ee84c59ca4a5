"""Applications at a Matrix Authentication Service (its double), held, opened and shelved though each step breaks."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import timedelta

import pytest

import foyer.config
from dev.proxy import Cut, Garbage, Lose, Mode, Repeat, Status
from foyer.accounts import holding, settling
from foyer.accounts.models import Account
from foyer.accounts.models import State as AccountState
from foyer.accounts.rows import UNSETTLED
from foyer.accounts.services import JoinAttempt, open_with_invite
from foyer.applications import decisions, effects, services
from foyer.applications.models import Application, PasswordWay, State
from foyer.config.load import check
from foyer.homeserver.errors import PasswordRefused
from foyer.homeserver.memory import MemoryHomeserver
from foyer.invites.models import Invite
from foyer.jobs.models import Job
from foyer.jobs.worker import Worker
from tests.applications.acts import ANNA, ANSWERS, OTHER, PASSWORD, fresh, mails, submit, verified
from tests.applications.conftest import OPEN
from tests.conftest import VALUES
from tests.homeserver.mas_world import MasWorld, mas_keys, mas_world
from tests.support.ahead import time_out, work_until

pytestmark = pytest.mark.django_db(transaction=True)

BREAKS: dict[str, Mode] = {
    "cut": Cut(),
    "lost": Lose(),
    "garbage": Garbage(as_http=True),
    "error": Status(502, "<html>bad gateway</html>"),
    "twice": Repeat(),
    "busy": Status(429, "{}", {"Retry-After": "1"}),
}
WEAK, STRONG = "garden12", "quarzlampe nebel tragen ufer"
numbers = itertools.count(1)


@pytest.fixture
def name() -> str:
    return f"maria{next(numbers)}"


@pytest.fixture
def world(request: pytest.FixtureRequest, door_is_open: None, homeserver: MemoryHomeserver) -> Iterator[MasWorld]:
    with mas_world("token") as made:
        values = {
            **VALUES,
            **OPEN,
            "server_name": "localhost",
            "homeserver": mas_keys(made, timeout=time_out(request)),
            "after": {},
        }
        with foyer.config.override(check(values)):
            yield made


def applied(name: str) -> Application:
    return submit(verified(name, f"{name}@example.net"))


def work() -> None:
    """Do what is owed until nothing is."""

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
        return not owed.exists() and not Account.objects.filter(state__in=UNSETTLED).exists()

    work_until(is_done, once, within=timedelta(minutes=5))


def test_applicant_is_held_and_signs_in_after_the_yes_with_the_password_of_the_form(world: MasWorld, name: str) -> None:
    application = applied(name)
    assert fresh(application).password_way == PasswordWay.WHEN_APPLYING
    assert world.sign_in(name, PASSWORD) == "locked"

    decisions.approve(application.id, ANNA, at_once=True)
    work()

    assert fresh(application).state == State.DONE
    assert world.sign_in(name, PASSWORD) == "ok"
    assert world.emails(name) == [f"{name}@example.net"]


def test_denied_applicant_is_shelved_and_the_next_one_gets_the_shell(world: MasWorld, name: str) -> None:
    application = applied(name)
    decisions.deny(application.id, ANNA, at_once=True)
    work()
    assert world.sign_in(name, PASSWORD) == "wrong"

    second = submit(verified(name, f"second-{name}@example.net"), OTHER)
    assert world.sign_in(name, OTHER) == "locked"
    decisions.approve(second.id, ANNA, at_once=True)
    work()

    assert (world.sign_in(name, OTHER), world.sign_in(name, PASSWORD)) == ("ok", "wrong")
    assert world.emails(name) == [f"second-{name}@example.net"]


def test_applicant_who_withdraws_leaves_a_shell_that_nobody_can_use(world: MasWorld, name: str) -> None:
    application = applied(name)

    services.withdraw(application)
    work()

    assert world.sign_in(name, PASSWORD) == "wrong"
    assert Account.objects.get(localpart=name).state == AccountState.SHELVED


def test_undone_denial_keeps_the_account_for_the_applicant(world: MasWorld, name: str) -> None:
    application = applied(name)
    decisions.deny(application.id, ANNA)
    decisions.undo(application.id, ANNA)
    work()
    assert world.sign_in(name, PASSWORD) == "locked"

    decisions.approve(application.id, ANNA, at_once=True)
    work()

    assert world.sign_in(name, PASSWORD) == "ok"


@pytest.mark.parametrize("step", ["/api/admin/v1/users$", "/lock$", "/set-password$"])
@pytest.mark.parametrize("broken", BREAKS)
def test_hold_broken_at_each_step_is_never_usable_before_the_yes_and_the_applicant_gets_in(
    world: MasWorld, name: str, step: str, broken: str
) -> None:
    world.chaos.add(BREAKS[broken], "POST", step, times=1)

    application = applied(name)

    assert fresh(application).state == State.WAITING
    world.chaos.clear()
    work()
    assert world.sign_in(name, PASSWORD) in ("wrong", "locked")
    _approved_and_in(world, application, name)


def _approved_and_in(world: MasWorld, application: Application, name: str) -> None:
    decisions.approve(application.id, ANNA, at_once=True)
    work()
    row = fresh(application)
    if row.state == State.DONE:
        assert world.sign_in(name, PASSWORD) == "ok"
    else:
        invite = Invite.objects.get(id=row.invite_id or 0)
        assert world.sign_in(name, PASSWORD) == "wrong"
        open_with_invite(JoinAttempt(invite.code, name, OTHER))
        work()
        assert world.sign_in(name, OTHER) == "ok"
    assert fresh(application).state == State.DONE
    assert mails(application).count("approved") == 1


@pytest.mark.parametrize("broken", BREAKS)
def test_opening_broken_is_finished_with_one_mail(world: MasWorld, name: str, broken: str) -> None:
    application = applied(name)
    world.chaos.add(BREAKS[broken], "POST", "/unlock$", times=1)

    decisions.approve(application.id, ANNA, at_once=True)
    work()

    assert fresh(application).state == State.DONE
    assert world.sign_in(name, PASSWORD) == "ok"
    assert mails(application).count("approved") == 1


@pytest.mark.parametrize("step", ["POST .*/set-password$", "GET .*/user-emails", "GET .*/oauth2-sessions"])
@pytest.mark.parametrize("broken", ["cut", "lost", "error"])
def test_shelving_broken_is_finished(world: MasWorld, name: str, broken: str, step: str) -> None:
    application = applied(name)
    method, path = step.split()
    world.chaos.add(BREAKS[broken], method, path, times=1)

    decisions.deny(application.id, ANNA, at_once=True)
    work()

    assert world.sign_in(name, PASSWORD) == "wrong"
    assert Account.objects.get(localpart=name).state == AccountState.SHELVED


def test_password_that_only_the_service_finds_weak_is_told_to_the_applicant_who_chooses_another(
    world: MasWorld, name: str
) -> None:
    applied(f"{name}-before")  # its rules are known from now on
    world.mas.site["minimum_password_complexity"] = 4
    application = verified(name, f"{name}@example.net")

    with pytest.raises(PasswordRefused):
        services.submit(application, ANSWERS, [], WEAK, WEAK)
    assert world.sign_in(name, WEAK) == "wrong"
    submit(application, STRONG)

    assert fresh(application).password_way == PasswordWay.WHEN_APPLYING
    assert world.sign_in(name, STRONG) == "locked"
    decisions.approve(application.id, ANNA, at_once=True)
    work()
    assert world.sign_in(name, STRONG) == "ok"


def test_with_the_service_stopped_the_request_waits_and_the_password_comes_by_the_link(
    world: MasWorld, name: str
) -> None:
    application = verified(name, f"{name}@example.net")
    world.chaos.refuse()
    services.submit(application, ANSWERS, [], PASSWORD, PASSWORD)
    assert (fresh(application).state, fresh(application).password_way) == (State.WAITING, PasswordWay.WHEN_APPROVED)

    world.chaos.accept()
    work()
    _approved_and_in(world, application, name)
