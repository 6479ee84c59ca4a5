from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.db import connection, transaction

from foyer.accounts import holding, settling
from foyer.accounts.errors import HoldLost, OutcomeUnknown
from foyer.accounts.models import Account, State
from foyer.accounts.services import JoinAttempt, open_with_invite
from foyer.audit.models import Event
from foyer.homeserver.errors import HomeserverError, NameTaken, PasswordRefused
from foyer.homeserver.memory import Fault, MemoryHomeserver
from foyer.homeserver.port import PasswordPolicy
from foyer.invites import services as invites
from foyer.invites.services import NewInvite
from foyer.jobs.worker import Worker
from foyer.kit.actor import Actor
from foyer.kit.clock import now
from foyer.kit.refusal import Refusal
from foyer.names import services as names
from tests.conftest import VALUES, Configure

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

PASSWORD = "correct horse battery"
OTHER = "a completely different one"
MARIA, ERIKA = "application:1", "application:2"
REST = timedelta(minutes=3)


@pytest.fixture(params=["token", "both"])
def any_homeserver(request: pytest.FixtureRequest, homeserver: MemoryHomeserver) -> MemoryHomeserver:
    homeserver.has_secret = request.param == "both"
    return homeserver


@pytest.fixture(autouse=True)
def short_waits(configure: Configure, homeserver: MemoryHomeserver) -> None:
    configure(homeserver={**VALUES["homeserver"], "timeout": "1s"}, after={"rooms": ["!1:example.test"]})
    homeserver.rooms = {"!1:example.test": "!1:example.test"}


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """The time, which may be moved."""
    with time_machine.travel(now()) as traveller:
        yield traveller


def hold(holder: str = MARIA, password: str = PASSWORD, seconds: float = 8.0) -> int | None:
    names.claim("maria", holder=holder)
    return holding.hold("maria", password, holder=holder, seconds=seconds)


def open_it(account_id: int, holder: str = MARIA) -> None:
    holding.open_held(account_id, holder=holder)
    with transaction.atomic():
        holding.settle_opened(account_id, holder=holder, email="maria@example.net")


def let_go(holder: str = MARIA) -> None:
    with transaction.atomic():
        names.release("maria", holder=holder)
        holding.let_go(holder=holder)


def state() -> str:
    return Account.objects.filter(localpart="maria").latest("id").state


def let_time_pass(seconds: float) -> None:
    """Do what is owed, as a worker would in this time."""
    moment = now()
    for second in range(0, int(seconds) + 1, 5):
        with time_machine.travel(moment + timedelta(seconds=second)):
            settling.sweep()
            holding.sweep()
            Worker().run_until_idle("homeserver")


def test_held_account_cannot_be_used_and_opens_with_its_password(any_homeserver: MemoryHomeserver) -> None:
    account_id = hold()
    maria = any_homeserver.accounts["maria"]

    assert account_id is not None
    assert (maria.locked, maria.password, state()) == (True, PASSWORD, State.HELD)
    assert holding.is_held_for(account_id, holder=MARIA)
    assert not holding.is_held_for(account_id, holder=ERIKA)

    open_it(account_id)
    open_it(account_id)
    let_time_pass(0)

    assert (maria.locked, maria.password, state()) == (False, PASSWORD, State.OPEN)
    assert maria.emails == ["maria@example.net"]
    assert maria.rooms == ["!1:example.test"]
    assert names.holder_of("maria") == f"account:{account_id}"
    assert [event.verb for event in Event.objects.order_by("id")][:3] == [
        "account.creating",
        "account.held",
        "account.opened",
    ]


def test_hold_without_the_claim_on_the_name_is_refused_and_changes_nothing(any_homeserver: MemoryHomeserver) -> None:
    account_id = hold()

    with pytest.raises(names.NameHeld):
        holding.hold("maria", OTHER, holder=ERIKA)

    assert any_homeserver.accounts["maria"].password == PASSWORD
    assert holding.is_held_for(account_id, holder=MARIA)


def test_join_cannot_take_a_held_account_from_the_one_it_is_for(any_homeserver: MemoryHomeserver) -> None:
    account_id = hold()
    made = invites.create(NewInvite(), actor=Actor.command_line())

    with pytest.raises(names.NameHeld):
        open_with_invite(JoinAttempt(made.code, "maria", OTHER))

    assert any_homeserver.accounts["maria"].password == PASSWORD
    assert holding.is_held_for(account_id, holder=MARIA)


def test_hold_of_a_name_made_elsewhere_is_refused_and_changes_nothing(any_homeserver: MemoryHomeserver) -> None:
    any_homeserver.create("maria", OTHER)

    with pytest.raises(NameTaken):
        hold()

    assert any_homeserver.accounts["maria"].password == OTHER
    assert not any_homeserver.accounts["maria"].locked
    assert not Account.objects.exists()


def test_hold_with_a_password_that_the_homeserver_forbids_is_refused(any_homeserver: MemoryHomeserver) -> None:
    any_homeserver.policy = PasswordPolicy(digit=True)

    with pytest.raises(PasswordRefused):
        hold()

    assert not any_homeserver.accounts


@pytest.mark.parametrize("deed", ["check_name", "hold"])
@pytest.mark.parametrize("fault", [Fault.DOWN, Fault.BUSY, Fault.MISCONFIGURED])
def test_hold_that_nothing_came_of_leaves_nothing(any_homeserver: MemoryHomeserver, deed: str, fault: Fault) -> None:
    any_homeserver.fail(fault, deed)

    assert hold() is None
    assert not any_homeserver.accounts
    assert not Account.objects.exclude(state=State.REFUSED).exists()
    assert names.holder_of("maria") == MARIA
    assert hold() is not None


@pytest.mark.parametrize("fault", [Fault.LOST_ANSWER, Fault.LOST_REQUEST, Fault.HALF_DONE, Fault.BROKEN])
def test_half_made_hold_becomes_a_shell_that_is_used_later(any_homeserver: MemoryHomeserver, fault: Fault) -> None:
    any_homeserver.fail(fault, "hold")

    assert hold() is None
    assert state() == State.UNKNOWN
    assert hold() is None  # nobody knows yet what there is
    let_time_pass(60)

    if "maria" in any_homeserver.accounts:
        assert (state(), any_homeserver.accounts["maria"].locked) == (State.SHELVED, True)
        assert any_homeserver.accounts["maria"].password != PASSWORD
    else:
        assert state() == State.REFUSED
    account_id = hold(password=OTHER)
    assert account_id is not None
    open_it(account_id)
    assert (any_homeserver.accounts["maria"].password, state()) == (OTHER, State.OPEN)


def test_hold_that_is_too_slow_ends_in_time_and_is_cleared_away(homeserver: MemoryHomeserver) -> None:
    homeserver.has_secret = False
    homeserver.delay = 0.4  # one question, one claim, and then the time is over

    assert hold(seconds=1.0) is None

    homeserver.delay = 0
    assert state() == State.UNKNOWN
    let_time_pass(30)
    assert (state(), homeserver.accounts["maria"].locked) == (State.SHELVED, True)


@pytest.mark.parametrize("was_done", [True, False])
def test_hold_whose_process_was_killed_is_settled_as_an_empty_shell(
    any_homeserver: MemoryHomeserver, was_done: bool
) -> None:
    names.claim("maria", holder=MARIA)
    holding._begin("maria", MARIA, None)
    if was_done:
        any_homeserver.hold("maria", PASSWORD)
    else:
        any_homeserver.create("maria", PASSWORD)  # it died before the lock

    let_time_pass(60)

    assert (state(), any_homeserver.accounts["maria"].locked) == (State.SHELVED, True)
    assert any_homeserver.accounts["maria"].password != PASSWORD


def test_killed_hold_of_a_name_that_somebody_uses_by_now_leaves_it_alone(any_homeserver: MemoryHomeserver) -> None:
    names.claim("maria", holder=MARIA)
    holding._begin("maria", MARIA, None)
    any_homeserver.create("maria", OTHER)
    any_homeserver.accounts["maria"].seen = True

    let_time_pass(60)

    assert state() == State.REFUSED
    assert (any_homeserver.accounts["maria"].password, any_homeserver.accounts["maria"].locked) == (OTHER, False)


def test_hold_again_for_the_same_one_takes_the_newer_password(any_homeserver: MemoryHomeserver) -> None:
    """Its process was killed after the hold, before it was noted anywhere else."""
    first = hold()

    assert hold(password=OTHER) == first
    assert (any_homeserver.accounts["maria"].password, any_homeserver.accounts["maria"].locked) == (OTHER, True)


def test_account_that_is_let_go_is_emptied_and_goes_to_the_next(any_homeserver: MemoryHomeserver) -> None:
    first = hold()
    let_go()
    let_time_pass(0)
    maria = any_homeserver.accounts["maria"]
    assert (state(), maria.locked, maria.password == PASSWORD) == (State.SHELVED, True, False)

    second = hold(ERIKA, OTHER)

    assert second == first
    assert (state(), maria.locked, maria.password) == (State.HELD, True, OTHER)
    with pytest.raises(HoldLost):
        holding.open_held(second or 0, holder=MARIA)
    open_it(second or 0, ERIKA)
    assert (maria.locked, maria.password) == (False, OTHER)


def test_account_that_is_let_go_and_taken_up_at_once_is_not_emptied(any_homeserver: MemoryHomeserver) -> None:
    hold()
    let_go()

    account_id = hold(ERIKA, OTHER)
    let_time_pass(60)

    assert holding.is_held_for(account_id, holder=ERIKA)
    assert any_homeserver.accounts["maria"].password == OTHER


def test_account_whose_holder_died_before_letting_go_is_found_by_the_sweep(any_homeserver: MemoryHomeserver) -> None:
    hold()
    names.release("maria", holder=MARIA)

    let_time_pass(5)

    assert state() == State.SHELVED


@pytest.mark.parametrize("fault", [Fault.DOWN, Fault.LOST_ANSWER, Fault.BROKEN])
def test_shelving_goes_on_until_it_is_done(any_homeserver: MemoryHomeserver, fault: Fault) -> None:
    hold()
    any_homeserver.fail(fault, "shelve", times=2)
    let_go()

    let_time_pass(60)

    assert state() == State.SHELVED
    assert any_homeserver.accounts["maria"].password != PASSWORD


@pytest.mark.parametrize("deed", ["look_up", "open"])
def test_opening_is_tried_again_without_harm(any_homeserver: MemoryHomeserver, deed: str) -> None:
    account_id = hold() or 0
    any_homeserver.fail(Fault.LOST_ANSWER, deed)
    with pytest.raises(HomeserverError):
        open_it(account_id)
    assert state() == State.HELD

    open_it(account_id)

    assert (state(), any_homeserver.accounts["maria"].locked) == (State.OPEN, False)


@pytest.mark.parametrize("how", ["removed", "deactivated"])
def test_held_account_that_was_removed_is_lost_for_good(any_homeserver: MemoryHomeserver, how: str) -> None:
    account_id = hold() or 0
    if how == "removed":
        del any_homeserver.accounts["maria"]
    else:
        any_homeserver.accounts["maria"].deactivated = True

    for _ in range(2):
        with pytest.raises(HoldLost):
            holding.open_held(account_id, holder=MARIA)

    assert state() == State.REFUSED
    assert names.holder_of("maria") == MARIA


def test_pinned_invitation_that_has_the_claim_lets_its_person_join_and_keeps_the_name_through_failures(
    any_homeserver: MemoryHomeserver,
) -> None:
    made = invites.create(NewInvite(localpart="maria"), actor=Actor.command_line())
    names.claim("maria", holder=made.holder)
    other = invites.create(NewInvite(), actor=Actor.command_line())
    with pytest.raises(names.NameHeld):
        open_with_invite(JoinAttempt(other.code, "maria", OTHER))
    any_homeserver.fail(Fault.DOWN, "create")
    with pytest.raises(HomeserverError):
        open_with_invite(JoinAttempt(made.code, "maria", PASSWORD))
    assert names.holder_of("maria") == made.holder

    open_with_invite(JoinAttempt(made.code, "maria", PASSWORD))

    account = Account.objects.get(localpart="maria", state=State.OPEN)
    assert names.holder_of("maria") == account.holder
    assert any_homeserver.accounts["maria"].password == PASSWORD


def test_join_by_a_pinned_invitation_fills_the_half_made_shell(
    any_homeserver: MemoryHomeserver, clock: time_machine.Traveller
) -> None:
    any_homeserver.fail(Fault.HALF_DONE, "hold")
    hold()
    let_time_pass(30)
    clock.move_to(now() + REST)
    made = invites.create(NewInvite(localpart="maria"), actor=Actor.command_line())
    names.hand_over("maria", holder=MARIA, to=made.holder)

    open_with_invite(JoinAttempt(made.code, "maria", OTHER))

    assert (any_homeserver.accounts["maria"].password, any_homeserver.accounts["maria"].locked) == (OTHER, False)
    assert Account.objects.count() == 1


def test_join_that_fills_a_shell_and_breaks_before_it_is_unlocked_lets_nobody_in_who_cannot_sign_in(
    any_homeserver: MemoryHomeserver, clock: time_machine.Traveller
) -> None:
    any_homeserver.fail(Fault.HALF_DONE, "hold")
    hold()
    let_time_pass(30)
    clock.move_to(now() + REST)
    made = invites.create(NewInvite(localpart="maria"), actor=Actor.command_line())
    names.hand_over("maria", holder=MARIA, to=made.holder)
    any_homeserver.fail(Fault.HALF_DONE, "reopen")

    open_with_invite(JoinAttempt(made.code, "maria", OTHER))

    maria = any_homeserver.accounts["maria"]
    assert (state(), maria.password, maria.locked) == (State.OPEN, OTHER, False)


def test_press_after_one_that_broke_before_the_shell_was_unlocked_unlocks_it(
    any_homeserver: MemoryHomeserver, clock: time_machine.Traveller
) -> None:
    any_homeserver.fail(Fault.HALF_DONE, "hold")
    hold()
    let_time_pass(30)
    clock.move_to(now() + REST)
    made = invites.create(NewInvite(localpart="maria"), actor=Actor.command_line())
    names.hand_over("maria", holder=MARIA, to=made.holder)
    any_homeserver.fail(Fault.HALF_DONE, "reopen")
    any_homeserver.fail(Fault.DOWN, "password_is_right")
    with pytest.raises(OutcomeUnknown):
        open_with_invite(JoinAttempt(made.code, "maria", OTHER))

    open_with_invite(JoinAttempt(made.code, "maria", OTHER))

    maria = any_homeserver.accounts["maria"]
    assert (state(), maria.password, maria.locked) == (State.OPEN, OTHER, False)


def test_join_by_a_pinned_invitation_waits_for_what_was_half_made(any_homeserver: MemoryHomeserver) -> None:
    any_homeserver.fail(Fault.HALF_DONE, "hold")
    hold()
    made = invites.create(NewInvite(localpart="maria"), actor=Actor.command_line())
    names.hand_over("maria", holder=MARIA, to=made.holder)

    with pytest.raises(OutcomeUnknown):
        open_with_invite(JoinAttempt(made.code, "maria", OTHER))


def test_ten_holds_at_once_for_one_claim_end_with_one_account_and_one_password(
    any_homeserver: MemoryHomeserver,
) -> None:
    any_homeserver.delay = 0.01
    names.claim("maria", holder=MARIA)
    results: list[tuple[str, int | None]] = []
    barrier = threading.Barrier(10)

    def press(password: str) -> None:
        barrier.wait()
        try:
            results.append((password, holding.hold("maria", password, holder=MARIA)))
        except Refusal:
            results.append((password, None))
        finally:
            connection.close()

    threads = [threading.Thread(target=press, args=(f"password {number}",)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    done = [password for password, account_id in results if account_id is not None]
    assert any_homeserver.accounts["maria"].password in done
    assert any_homeserver.accounts["maria"].locked
    assert state() == State.HELD


def test_account_whose_lock_may_be_coming_off_is_nobody_elses_yet(
    any_homeserver: MemoryHomeserver, clock: time_machine.Traveller
) -> None:
    account_id = hold()
    assert account_id is not None
    any_homeserver.fail(Fault.LOST_REQUEST, "open")
    with pytest.raises(HomeserverError):
        holding.open_held(account_id, holder=MARIA)
    let_go()
    Worker().run_until_idle("homeserver")
    assert state() == State.HELD

    assert hold(ERIKA, OTHER) is None
    any_homeserver.open("maria")  # the request that was lost arrives
    let_time_pass(180)
    clock.move_to(now() + REST)

    assert (state(), any_homeserver.accounts["maria"].locked) == (State.SHELVED, True)
    assert any_homeserver.accounts["maria"].password != PASSWORD
    assert hold(ERIKA, OTHER) == account_id


def test_hold_that_comes_after_all_is_locked_and_emptied(any_homeserver: MemoryHomeserver) -> None:
    any_homeserver.fail(Fault.LOST_REQUEST, "hold")
    assert hold() is None
    let_time_pass(30)
    assert state() == State.REFUSED

    any_homeserver.create("maria", PASSWORD)  # its first step arrives, and the lock never does
    let_time_pass(120)

    assert (state(), any_homeserver.accounts["maria"].locked) == (State.SHELVED, True)
    assert any_homeserver.accounts["maria"].password != PASSWORD
