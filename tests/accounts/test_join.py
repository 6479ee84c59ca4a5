from __future__ import annotations

import threading
from contextlib import ExitStack
from datetime import timedelta

import pytest
import time_machine
from django.db import connection

from foyer.accounts import pressing, services, settling
from foyer.accounts.errors import (
    NameForbidden,
    NameReserved,
    NameResting,
    OutcomeUnknown,
    PasswordsDiffer,
    PasswordTooLong,
    PasswordTooShort,
)
from foyer.accounts.models import Account, State
from foyer.accounts.queries import suggestions
from foyer.accounts.services import JoinAttempt, Joined, open_with_invite
from foyer.audit.models import Event
from foyer.homeserver.errors import (
    Busy,
    Misconfigured,
    NameRefused,
    NameTaken,
    PasswordRefused,
    Unreachable,
)
from foyer.homeserver.memory import Fault, MemoryAccount, MemoryHomeserver
from foyer.homeserver.port import PasswordPolicy
from foyer.invites import services as invites
from foyer.invites.errors import InviteForOther, InviteForOtherName, InviteRefused, InviteSpent, InviteUnknown
from foyer.invites.models import Invite
from foyer.invites.services import NewInvite
from foyer.jobs import services as jobs
from foyer.jobs.models import Job
from foyer.jobs.worker import Worker
from foyer.kit.actor import Actor
from foyer.kit.clock import now
from foyer.kit.matrix import NameMalformed
from foyer.kit.refusal import Refusal
from foyer.names import services as names
from tests.conftest import VALUES, Configure

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

PASSWORD = "correct horse battery"
REST = timedelta(minutes=3)


@pytest.fixture(params=["secret", "token", "both"])
def any_homeserver(request: pytest.FixtureRequest, homeserver: MemoryHomeserver) -> MemoryHomeserver:
    homeserver.has_secret = request.param != "token"
    homeserver.has_token = request.param != "secret"
    return homeserver


@pytest.fixture(autouse=True)
def short_waits(configure: Configure, homeserver: MemoryHomeserver) -> None:
    configure(homeserver={**VALUES["homeserver"], "timeout": "1s"})


def invite(**facts: object) -> Invite:
    return invites.create(NewInvite(**facts), actor=Actor.command_line())  # type: ignore[arg-type]


def attempt(code: str, username: str = "maria", password: str = PASSWORD, **more: object) -> JoinAttempt:
    return JoinAttempt(code=code, username=username, password=password, **more)  # type: ignore[arg-type]


def counts(made: Invite) -> tuple[int, int]:
    fresh = Invite.objects.get(id=made.id)
    return fresh.held, fresh.used


def state(localpart: str = "maria") -> str:
    return Account.objects.filter(localpart=localpart).latest("id").state


def let_time_pass(seconds: float = 60) -> None:
    """Do what is owed, as a worker would in this time."""
    moment = now()
    for second in range(0, int(seconds) + 1, 5):
        with time_machine.travel(moment + timedelta(seconds=second)):
            settling.sweep()
            Worker().run_until_idle("homeserver")


def test_join_makes_the_account_and_spends_the_use(any_homeserver: MemoryHomeserver) -> None:
    made = invite()

    joined = open_with_invite(attempt(made.code, " @Maria:Example.test "))

    assert joined == Joined(mxid="@maria:example.test", localpart="maria", access_token=None, rooms=())
    assert counts(made) == (0, 1)
    assert any_homeserver.accounts["maria"].password == PASSWORD
    assert not any_homeserver.accounts["maria"].devices
    assert state() == State.OPEN
    assert [event.verb for event in Event.objects.order_by("id")] == [
        "invite.created",
        "account.creating",
        "account.opened",
    ]


def test_join_that_wants_a_token_gets_one(any_homeserver: MemoryHomeserver) -> None:
    joined = open_with_invite(attempt(invite().code, wants_token=True))

    assert joined.access_token in any_homeserver.accounts["maria"].devices


def test_join_pressed_again_by_the_same_person_lets_them_in_and_spends_nothing(
    any_homeserver: MemoryHomeserver,
) -> None:
    made = invite()
    open_with_invite(attempt(made.code))

    assert open_with_invite(attempt(made.code)).mxid == "@maria:example.test"
    assert counts(made) == (0, 1)


def test_join_pressed_again_with_another_password_is_refused(any_homeserver: MemoryHomeserver) -> None:
    made = invite()
    open_with_invite(attempt(made.code))

    with pytest.raises(InviteSpent):
        open_with_invite(attempt(made.code, password="another password"))

    assert any_homeserver.accounts["maria"].password == PASSWORD


def test_join_with_a_taken_name_gives_the_use_back(any_homeserver: MemoryHomeserver) -> None:
    first, second = invite(), invite()
    open_with_invite(attempt(first.code))

    with pytest.raises(Refusal) as caught:
        open_with_invite(attempt(second.code, password="another password"))

    assert caught.value.code == "name-taken"
    assert counts(second) == (0, 0)
    assert any_homeserver.accounts["maria"].password == PASSWORD


def test_join_with_a_name_made_elsewhere_is_refused_before_anything_is_held(any_homeserver: MemoryHomeserver) -> None:
    any_homeserver.create("maria", "somebody else's")
    made = invite()

    with pytest.raises(NameTaken):
        open_with_invite(attempt(made.code))

    assert counts(made) == (0, 0)
    assert not Account.objects.exists()
    assert names.holder_of("maria") is None


@pytest.mark.parametrize("reason", ["revoked", "unknown", "spent"])
def test_join_with_a_dead_invitation_asks_the_homeserver_nothing(homeserver: MemoryHomeserver, reason: str) -> None:
    made = invite(uses_limit=0 if reason == "spent" else 1)
    if reason == "revoked":
        invites.revoke(made, actor=Actor.command_line())
    code = "Unknown" if reason == "unknown" else made.code

    with pytest.raises(InviteRefused) as caught:
        open_with_invite(attempt(code))

    assert caught.value.code == f"invite-{reason}"
    assert homeserver.calls == []
    assert not Account.objects.exists()


def test_join_with_an_invitation_for_another_name_or_email_is_refused(homeserver: MemoryHomeserver) -> None:
    for_name = invite(localpart="erika")
    for_email = invite(email="erika@example.net")

    with pytest.raises(InviteForOtherName, match="erika"):
        open_with_invite(attempt(for_name.code))
    with pytest.raises(InviteForOther):
        open_with_invite(attempt(for_email.code, email_key="0" * 32))

    assert open_with_invite(attempt(for_name.code, "erika")).localpart == "erika"


def test_join_with_the_mailed_key_attaches_the_email_and_without_it_does_not(homeserver: MemoryHomeserver) -> None:
    made = invite(email="maria+matrix@example.net", uses_limit=2)

    open_with_invite(attempt(made.code, email_key=invites.email_key(made)))
    open_with_invite(attempt(made.code, "erika"))
    let_time_pass(0)

    assert homeserver.accounts["maria"].emails == ["maria+matrix@example.net"]
    assert homeserver.accounts["erika"].emails == []


def test_join_puts_the_newcomer_into_rooms_and_welcomes_once(
    configure: Configure, homeserver: MemoryHomeserver
) -> None:
    configure(after={"rooms": ["#lobby:example.test"], "welcome_message": "Hello!"})
    homeserver.rooms = {"#lobby:example.test": "!1:example.test", "!2:example.test": "!2:example.test"}
    joined = open_with_invite(attempt(invite(rooms=["!2:example.test"]).code))
    assert homeserver.accounts["maria"].rooms == []
    let_time_pass(0)
    let_time_pass(0)

    assert joined.rooms == ("#lobby:example.test", "!2:example.test")
    assert sorted(homeserver.accounts["maria"].rooms) == ["!1:example.test", "!2:example.test"]
    assert homeserver.accounts["maria"].messages == ["Hello!"]
    assert not Job.objects.exists()


def test_join_with_a_room_that_is_closed_gives_that_room_up_and_no_other(homeserver: MemoryHomeserver) -> None:
    homeserver.rooms = {"!1:example.test": "!1:example.test"}

    open_with_invite(attempt(invite(rooms=["!0:example.test", "!1:example.test"]).code))
    let_time_pass(0)

    assert homeserver.accounts["maria"].rooms == ["!1:example.test"]
    assert [job.last_error for job in Job.objects.exclude(gave_up_at=None)] == ["room-refused"]


def test_rules_of_the_owner_are_kept(configure: Configure, homeserver: MemoryHomeserver) -> None:
    configure(
        usernames={"must_match": ["[a-z]+"], "must_not_match": ["admin.*"], "reserved": ["abuse"]},
        password={"min_length": 12},
    )
    code = invite().code

    def refusals(username: str, password: str = PASSWORD, confirm: str | None = None) -> list[type[Refusal]]:
        return [type(refusal) for refusal in services.validate(attempt(code, username, password, confirm=confirm))]

    assert refusals("maria") == []
    assert refusals("maria1") == [NameForbidden]
    assert refusals("administrator") == [NameForbidden]
    assert refusals("Abuse") == [NameReserved]
    assert refusals("ma ria", "short", "other") == [NameMalformed, PasswordTooShort, PasswordsDiffer]
    assert refusals("maria", "x" * 256) == [PasswordTooLong]
    assert [type(r) for r in services.validate(attempt("Nope"))] == [InviteUnknown]


def test_password_policy_of_the_homeserver_is_kept(any_homeserver: MemoryHomeserver) -> None:
    any_homeserver.policy = PasswordPolicy(min_length=10, digit=True)
    made = invite()

    with pytest.raises(PasswordRefused, match="digit"):
        open_with_invite(attempt(made.code))

    assert counts(made) == (0, 0)


@pytest.mark.parametrize(
    ("fault", "error"), [(Fault.DOWN, Unreachable), (Fault.BUSY, Busy), (Fault.MISCONFIGURED, Misconfigured)]
)
def test_join_when_the_homeserver_refuses_gives_everything_back(
    homeserver: MemoryHomeserver, fault: Fault, error: type[Exception]
) -> None:
    made = invite()
    homeserver.fail(fault, "create")

    with pytest.raises(error):
        open_with_invite(attempt(made.code))

    assert counts(made) == (0, 0)
    assert state() == State.REFUSED
    assert open_with_invite(attempt(made.code)).localpart == "maria"
    assert counts(made) == (0, 1)


def test_join_when_the_answer_is_lost_is_proven_by_one_sign_in(any_homeserver: MemoryHomeserver) -> None:
    made = invite()
    any_homeserver.fail(Fault.LOST_ANSWER, "create")

    if any_homeserver.has_secret:
        assert open_with_invite(attempt(made.code)).localpart == "maria"
        assert (state(), counts(made)) == (State.OPEN, (0, 1))
    else:  # the claim was answered never, the password not even sent
        with pytest.raises(OutcomeUnknown):
            open_with_invite(attempt(made.code))
        assert (state(), counts(made)) == (State.UNKNOWN, (1, 0))


@pytest.mark.parametrize("fault", [Fault.LOST_ANSWER, Fault.LOST_REQUEST, Fault.HALF_DONE, Fault.BROKEN])
def test_join_when_nothing_answers_any_more_is_settled_within_a_minute_of_recovery(
    any_homeserver: MemoryHomeserver, fault: Fault
) -> None:
    made = invite()
    any_homeserver.fail(fault, "create")
    any_homeserver.fail(Fault.DOWN, "password_is_right")

    with pytest.raises(OutcomeUnknown):
        open_with_invite(attempt(made.code))
    assert (state(), counts(made)) == (State.UNKNOWN, (1, 0))
    let_time_pass(60)

    exists = "maria" in any_homeserver.accounts
    if exists and any_homeserver.has_token:
        usable = any_homeserver.accounts["maria"].password == PASSWORD
        assert state() == (State.OPEN if usable else State.SHELVED)
        assert counts(made) == ((0, 1) if usable else (0, 0))
    elif exists:
        assert (state(), counts(made)) == (State.UNKNOWN, (1, 0))
    else:
        assert (state(), counts(made)) == (State.REFUSED, (0, 0))

    assert open_with_invite(attempt(made.code)).localpart == "maria"
    assert any_homeserver.accounts["maria"].password == PASSWORD
    assert not any_homeserver.accounts["maria"].locked
    assert (state(), counts(made)) == (State.OPEN, (0, 1))


@pytest.mark.parametrize("has_token", [True, False])
def test_join_pressed_again_before_anything_was_settled_lets_in(homeserver: MemoryHomeserver, has_token: bool) -> None:
    homeserver.has_token = has_token
    made = invite()
    homeserver.fail(Fault.LOST_ANSWER, "create")
    homeserver.fail(Fault.DOWN, "password_is_right")
    with pytest.raises(OutcomeUnknown):
        open_with_invite(attempt(made.code))

    assert open_with_invite(attempt(made.code)).localpart == "maria"
    assert counts(made) == (0, 1)


def test_unknown_without_admin_counts_as_open_after_an_hour(homeserver: MemoryHomeserver) -> None:
    homeserver.has_token = False
    made = invite()
    homeserver.fail(Fault.LOST_ANSWER, "create")
    homeserver.fail(Fault.DOWN, "password_is_right")
    with pytest.raises(OutcomeUnknown):
        open_with_invite(attempt(made.code))

    with time_machine.travel(now() + timedelta(minutes=59)):
        let_time_pass(5)
        assert counts(made) == (1, 0)
    with time_machine.travel(now() + timedelta(minutes=61)):
        let_time_pass(15)

    assert (state(), counts(made)) == (State.OPEN, (0, 1))
    assert Event.objects.filter(verb="account.settled-by-presence").count() == 1


def test_unknown_whose_account_was_made_by_somebody_else_before_is_refused(homeserver: MemoryHomeserver) -> None:
    made = invite()
    homeserver.fail(Fault.LOST_REQUEST, "create")
    homeserver.fail(Fault.DOWN, "password_is_right")
    with pytest.raises(OutcomeUnknown):
        open_with_invite(attempt(made.code))
    with time_machine.travel(now() - timedelta(hours=1)):
        homeserver.create("maria", "somebody else's")

    let_time_pass(10)

    assert (state(), counts(made)) == (State.REFUSED, (0, 0))
    assert homeserver.accounts["maria"].password == "somebody else's"
    assert not homeserver.accounts["maria"].locked


def test_creating_whose_process_was_killed_is_settled(any_homeserver: MemoryHomeserver) -> None:
    made = invite()
    row = services._begin(attempt(made.code), "maria", Actor.person(), made)
    any_homeserver.create("maria", PASSWORD)

    let_time_pass(5)
    assert Account.objects.get(id=row.id).state == State.CREATING
    let_time_pass(30)

    if not any_homeserver.has_token:
        assert open_with_invite(attempt(made.code)).localpart == "maria"
    assert counts(made) == ((0, 1) if any_homeserver.has_secret else (0, 0))
    assert open_with_invite(attempt(made.code)).localpart == "maria"
    assert (state(), counts(made)) == (State.OPEN, (0, 1))


def test_shelved_shell_goes_to_the_next_person_with_the_name(homeserver: MemoryHomeserver) -> None:
    homeserver.has_secret = False
    first, second = invite(), invite()
    homeserver.fail(Fault.HALF_DONE, "create")
    with pytest.raises(OutcomeUnknown):
        open_with_invite(attempt(first.code))
    let_time_pass(20)
    assert state() == State.SHELVED
    assert homeserver.accounts["maria"].locked

    with pytest.raises(NameResting):
        open_with_invite(attempt(second.code, password="a new person's"))  # what the first one sent may yet arrive
    with pytest.raises(NameResting):
        services.check_name(second.code, "maria")  # and whoever types the name hears of it
    assert services.check_name(first.code, "maria") == "maria"

    with time_machine.travel(now() + REST):
        assert open_with_invite(attempt(second.code, password="a new person's")).localpart == "maria"

    assert homeserver.accounts["maria"].password == "a new person's"
    assert (counts(first), counts(second)) == ((0, 0), (0, 1))
    assert Account.objects.count() == 1


def test_shell_is_at_once_there_for_the_one_person_who_can_have_left_it(homeserver: MemoryHomeserver) -> None:
    homeserver.has_secret = False
    mine, everybodys = invite(), invite(uses_limit=None)
    homeserver.fail(Fault.HALF_DONE, "create", times=2)
    for made, name in ((mine, "maria"), (everybodys, "erika")):
        with pytest.raises(OutcomeUnknown):
            open_with_invite(attempt(made.code, name))
    let_time_pass(20)

    open_with_invite(attempt(mine.code))
    with pytest.raises(NameResting):
        open_with_invite(attempt(everybodys.code, "erika"))  # it may be anybody's press


@pytest.mark.parametrize("can_pay", [True, False])
def test_account_that_comes_after_all_takes_its_use_or_is_taken_back(
    homeserver: MemoryHomeserver, can_pay: bool
) -> None:
    made = invite()
    homeserver.fail(Fault.LOST_REQUEST, "create")
    with pytest.raises(OutcomeUnknown):
        open_with_invite(attempt(made.code))
    let_time_pass(30)
    assert (state(), counts(made)) == (State.REFUSED, (0, 0))
    if not can_pay:
        open_with_invite(attempt(made.code, "erika"))

    homeserver.create("maria", PASSWORD)  # the request that was stuck arrives
    let_time_pass(120)

    assert counts(made) == (0, 1)
    maria = homeserver.accounts["maria"]
    if can_pay:
        assert (state(), maria.locked, names.holder_of("maria") is not None) == (State.OPEN, False, True)
    else:
        assert (state(), maria.locked, maria.password == PASSWORD) == (State.SHELVED, True, False)
    assert not Job.objects.filter(kind="accounts.look-again").exists()


def test_account_that_somebody_signed_in_to_meanwhile_is_left_alone(homeserver: MemoryHomeserver) -> None:
    made = invite()
    homeserver.fail(Fault.LOST_REQUEST, "create")
    with pytest.raises(OutcomeUnknown):
        open_with_invite(attempt(made.code))
    let_time_pass(30)

    homeserver.create("maria", "somebody else's", sign_in=True)
    homeserver.accounts["maria"].seen = True
    let_time_pass(120)

    assert (state(), counts(made), homeserver.accounts["maria"].locked) == (State.REFUSED, (0, 0), False)


def test_looking_again_ends_when_nothing_can_come_any_more(homeserver: MemoryHomeserver) -> None:
    homeserver.fail(Fault.LOST_REQUEST, "create")
    with pytest.raises(OutcomeUnknown):
        open_with_invite(attempt(invite().code))

    let_time_pass(600)

    assert not Job.objects.exists()


def test_shell_that_somebody_had_signed_in_to_is_not_open_while_it_is_locked(homeserver: MemoryHomeserver) -> None:
    shell = Account.objects.create(localpart="maria", state=State.SHELVED)
    homeserver.accounts["maria"] = MemoryAccount("maria", now() - timedelta(days=1), locked=True, seen=True)
    made = invite()
    homeserver.fail(Fault.LOST_REQUEST, "reopen")
    with pytest.raises(OutcomeUnknown):
        open_with_invite(attempt(made.code))

    let_time_pass()

    assert (state(), counts(made)) == (State.SHELVED, (0, 0))
    open_with_invite(attempt(made.code))
    shell.refresh_from_db()
    assert (shell.state, homeserver.accounts["maria"].locked) == (State.OPEN, False)


def test_request_that_outlived_its_row_is_adopted(homeserver: MemoryHomeserver) -> None:
    made = invite()
    row = services._begin(attempt(made.code), "maria", Actor.person(), made)
    settling.settle_refused(row, "homeserver-unreachable")
    homeserver.create("maria", PASSWORD)

    settling.settle_open(row, actor=Actor.person(), code=made.code)

    assert (state(), counts(made)) == (State.OPEN, (0, 1))
    assert names.holder_of("maria") is not None


def test_request_that_outlived_its_row_and_whose_use_is_gone_is_taken_back(homeserver: MemoryHomeserver) -> None:
    made = invite()
    row = services._begin(attempt(made.code), "maria", Actor.person(), made)
    settling.settle_refused(row, "homeserver-unreachable")
    open_with_invite(attempt(made.code, "somebody"))
    homeserver.create("maria", PASSWORD)

    with pytest.raises(OutcomeUnknown):
        settling.settle_open(row, actor=Actor.person(), code=made.code)
    let_time_pass()

    maria = homeserver.accounts["maria"]
    assert (maria.locked, maria.password == PASSWORD) == (True, False)
    assert (state(), counts(made)) == (State.SHELVED, (0, 1))
    with pytest.raises(InviteSpent):
        open_with_invite(attempt(made.code))


def test_request_that_outlived_its_row_where_nothing_can_be_locked_needs_a_decision(
    homeserver: MemoryHomeserver,
) -> None:
    homeserver.has_token = False
    made = invite()
    row = services._begin(attempt(made.code), "maria", Actor.person(), made)
    settling.settle_refused(row, "homeserver-unreachable")
    open_with_invite(attempt(made.code, "somebody"))

    settling.settle_open(row, actor=Actor.person(), code=made.code)

    verbs = list(Event.objects.filter(subject_kind="account", subject_id=str(row.id)).values_list("verb", flat=True))
    assert "account.needs-a-decision" in verbs
    assert "account.opened" not in verbs
    assert (state(), counts(made)) == (State.REFUSED, (0, 1))


@pytest.mark.parametrize("later", [State.OPEN, State.REFUSED])
def test_request_that_outlived_its_row_gets_nothing_of_the_next_ones(
    homeserver: MemoryHomeserver, later: State
) -> None:
    first, second = invite(), invite()
    row = services._begin(attempt(first.code), "maria", Actor.person(), first)
    homeserver.create("maria", PASSWORD)
    settling.shelve(Account.objects.get(id=row.id), homeserver, (State.CREATING,), reason="half-made")
    next_one = services._begin(attempt(second.code, password="a new person's"), "maria", Actor.person(), second)
    assert next_one.id == row.id
    if later == State.OPEN:
        settling.settle_open(next_one, actor=Actor.person(), code=second.code)
    else:
        settling.settle_refused(next_one, "name-taken")
    before = (state(), counts(first), counts(second))

    with pytest.raises(OutcomeUnknown):
        settling.settle_open(row, actor=Actor.person(), code=first.code)

    assert (state(), counts(first), counts(second)) == before


def test_sweep_finds_the_dead_behind_many_that_are_owed_already(homeserver: MemoryHomeserver) -> None:
    long_ago = now() - timedelta(hours=1)
    Account.objects.bulk_create(Account(localpart=f"maria{number}", begun_at=long_ago) for number in range(501))
    settling.sweep()
    assert len(jobs.subjects_owed("accounts.settle")) == 500

    settling.sweep()

    assert len(jobs.subjects_owed("accounts.settle")) == 501


def test_more_presses_of_one_person_than_may_wait_are_asked_to_come_back(homeserver: MemoryHomeserver) -> None:
    made = invite()
    services._begin(attempt(made.code), "maria", Actor.person(), made)
    with ExitStack() as others:
        for _ in range(pressing.WAITING):
            assert pressing._waiting.acquire(blocking=False)
            others.callback(pressing._waiting.release)

        with pytest.raises(OutcomeUnknown):
            open_with_invite(attempt(made.code))


def test_account_that_two_find_open_is_opened_once(homeserver: MemoryHomeserver) -> None:
    made = invite()
    row = services._begin(attempt(made.code), "maria", Actor.person(), made)

    for _ in range(2):
        settling.settle_open(row, actor=Actor.person(), code=made.code)

    assert Event.objects.filter(verb="account.opened").count() == 1
    assert counts(made) == (0, 1)


def press_at_once(attempts: list[JoinAttempt]) -> list[Joined | Refusal]:
    results: list[Joined | Refusal] = []
    barrier = threading.Barrier(len(attempts))

    def press(one: JoinAttempt) -> None:
        barrier.wait()
        try:
            results.append(open_with_invite(one))
        except Refusal as refusal:
            results.append(refusal)
        finally:
            connection.close()

    threads = [threading.Thread(target=press, args=(one,)) for one in attempts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_twenty_people_at_a_one_use_invitation_make_exactly_one_account(any_homeserver: MemoryHomeserver) -> None:
    any_homeserver.delay = 0.01
    made = invite()

    results = press_at_once([attempt(made.code, f"person{number}") for number in range(20)])

    assert sum(isinstance(result, Joined) for result in results) == 1
    assert {result.code for result in results if isinstance(result, Refusal)} <= {"invite-busy", "invite-spent"}
    assert len(any_homeserver.accounts) == 1
    assert counts(made) == (0, 1)


def test_twenty_people_at_one_name_make_one_account_with_the_winners_password(
    any_homeserver: MemoryHomeserver,
) -> None:
    any_homeserver.delay = 0.01
    made = [invite() for _ in range(20)]

    results = press_at_once([attempt(one.code, password=f"password {number}") for number, one in enumerate(made)])

    joined = [result for result in results if isinstance(result, Joined)]
    assert len(joined) == 1
    assert {result.code for result in results if isinstance(result, Refusal)} == {"name-taken"}
    spent = [number for number, one in enumerate(made) if counts(one) == (0, 1)]
    assert [any_homeserver.accounts["maria"].password] == [f"password {number}" for number in spent]
    assert sum(counts(one)[0] for one in made) == 0


def test_one_person_pressing_five_times_at_once_is_let_in_five_times(any_homeserver: MemoryHomeserver) -> None:
    any_homeserver.delay = 0.01
    made = invite()

    results = press_at_once([attempt(made.code)] * 5)

    joined = [result for result in results if isinstance(result, Joined)]
    assert len(joined) == 5
    assert counts(made) == (0, 1)


def test_check_name_answers_only_holders_of_a_live_invitation(homeserver: MemoryHomeserver) -> None:
    homeserver.create("erika", "somebody else's")
    made = invite()

    assert services.check_name(made.code, "Maria") == "maria"
    with pytest.raises(NameTaken):
        services.check_name(made.code, "erika")
    with pytest.raises(NameRefused):
        services.check_name(made.code, "_bridge")
    with pytest.raises(InviteUnknown):
        services.check_name("Nope", "erika")


def test_suggestions_are_free_names_like_the_taken_one(homeserver: MemoryHomeserver) -> None:
    homeserver.create("maria", "somebody else's")
    made = invite()

    offered = suggestions(made.code, "maria")

    assert len(offered) == 3
    assert all(name.startswith("maria") and services.check_name(made.code, name) == name for name in offered)


def test_no_password_reaches_a_table_or_a_repr(homeserver: MemoryHomeserver) -> None:
    made = invite()
    secret = "a password that is nowhere"
    one = attempt(made.code, password=secret, wants_token=True)

    joined = open_with_invite(one)

    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            assert secret not in repr(cursor.fetchall())
    assert secret not in repr(one)
    assert str(joined.access_token) not in repr(joined)


def test_press_with_wrong_passwords_is_soon_not_asked_about_any_more(any_homeserver: MemoryHomeserver) -> None:
    made = invite(uses_limit=None)
    open_with_invite(attempt(made.code))

    for number in range(14):
        with pytest.raises(Refusal) as caught:
            open_with_invite(attempt(made.code, password=f"a guess, number {number}"))
        assert caught.value.code == "name-taken"

    assert any_homeserver.calls.count("password_is_right") == 10
    assert counts(made) == (0, 1)


def test_press_with_the_right_password_or_without_an_answer_uses_no_try_up(homeserver: MemoryHomeserver) -> None:
    made = invite(uses_limit=None)
    open_with_invite(attempt(made.code))
    homeserver.fail(Fault.DOWN, "password_is_right", times=12)
    for _ in range(12):
        with pytest.raises(Unreachable):
            open_with_invite(attempt(made.code))

    for _ in range(12):
        assert open_with_invite(attempt(made.code)).localpart == "maria"
