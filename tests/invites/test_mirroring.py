"""Invitations that are the homeserver's own registration tokens: neither side lets in too many."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from foyer.accounts import settling
from foyer.accounts.errors import OutcomeUnknown
from foyer.accounts.models import Account, State
from foyer.accounts.services import JoinAttempt, open_with_invite
from foyer.audit.models import Event
from foyer.homeserver.errors import Busy, HomeserverError, Misconfigured, NameTaken, NotPossible, Unreachable
from foyer.homeserver.memory import Fault, MemoryHomeserver, MemoryToken
from foyer.invites import mirroring, services
from foyer.invites.errors import InviteBusy, InviteSpent
from foyer.invites.models import Invite, Mirror, MirrorState
from foyer.invites.services import NewInvite
from foyer.jobs.models import Job
from foyer.jobs.services import run_schedule
from foyer.jobs.worker import Worker
from foyer.kit.actor import Actor
from foyer.kit.clock import now
from foyer.kit.refusal import Refusal
from tests.conftest import VALUES, Configure

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

PASSWORD = "correct horse battery"
OWNER = Actor.command_line()


@pytest.fixture(autouse=True)
def short_waits(configure: Configure, homeserver: MemoryHomeserver) -> None:
    configure(homeserver={**VALUES["homeserver"], "timeout": "1s"})


def mirrored(**facts: object) -> Invite:
    invite = services.create(NewInvite(mirror=True, **facts), actor=OWNER)  # type: ignore[arg-type]
    work()
    return invite


def work() -> None:
    Worker().run_until_idle("homeserver")


def a_minute_later(minutes: int = 1) -> None:
    with time_machine.travel(now() + timedelta(seconds=70 * minutes), tick=True):
        mirroring.sync_all()
        work()


def join(invite: Invite, name: str) -> None:
    open_with_invite(JoinAttempt(code=invite.code, username=name, password=PASSWORD))


def counts(invite: Invite) -> tuple[int, int]:
    fresh = Invite.objects.get(id=invite.id)
    return fresh.held, fresh.used


def mirror(invite: Invite) -> Mirror:
    return Mirror.objects.get(code=invite.code)


def test_create_mirrored_makes_the_token_with_its_limit_and_end(homeserver: MemoryHomeserver) -> None:
    end = now() + timedelta(days=3)

    invite = mirrored(uses_limit=4, expires_at=end)

    token = homeserver.tokens[invite.code]
    assert (token.uses, token.expires_at) == (4, end)
    assert mirror(invite).state == MirrorState.THERE


def test_create_without_mirror_makes_no_token(homeserver: MemoryHomeserver) -> None:
    services.create(NewInvite(), actor=OWNER)
    work()

    assert homeserver.tokens == {}
    assert "put_token" not in homeserver.calls


@pytest.mark.parametrize("pin", [{"localpart": "maria"}, {"email": "maria@example.org"}])
def test_create_pinned_makes_no_token(homeserver: MemoryHomeserver, pin: dict[str, str]) -> None:
    mirrored(**pin)

    assert homeserver.tokens == {}
    with pytest.raises(mirroring.MirrorPinned):
        mirroring.require_possible(**pin)


def test_create_where_the_homeserver_cannot_makes_the_invitation_alone(homeserver: MemoryHomeserver) -> None:
    homeserver.has_token = False

    invite = mirrored()

    assert not Mirror.objects.exists()
    assert Invite.objects.filter(id=invite.id).exists()
    with pytest.raises(mirroring.MirrorNotPossible):
        mirroring.require_possible()


def test_create_while_the_homeserver_is_down_is_told_later(homeserver: MemoryHomeserver) -> None:
    homeserver.fail(Fault.DOWN, "*")
    invite = mirrored()
    assert homeserver.tokens == {}

    with time_machine.travel(now() + timedelta(minutes=1), tick=True):
        work()

    assert homeserver.tokens[invite.code].uses == 1


@pytest.mark.parametrize("fault", [Fault.LOST_ANSWER, Fault.LOST_REQUEST])
def test_create_after_a_lost_answer_the_token_is_still_ours(homeserver: MemoryHomeserver, fault: Fault) -> None:
    homeserver.fail(fault, "put_token")
    invite = mirrored()

    with time_machine.travel(now() + timedelta(minutes=1), tick=True):
        work()

    assert mirror(invite).state == MirrorState.THERE
    assert homeserver.tokens[invite.code].uses == 1


def test_create_where_the_homeserver_has_that_code_leaves_its_token_alone(homeserver: MemoryHomeserver) -> None:
    homeserver.tokens["Theirs"] = MemoryToken(uses=9, expires_at=None, completed=3)

    invite = mirrored(code="Theirs")
    a_minute_later()

    assert mirror(invite).state == MirrorState.TAKEN
    assert homeserver.tokens["Theirs"] == MemoryToken(uses=9, expires_at=None, completed=3)
    assert counts(invite) == (0, 0)
    assert Event.objects.filter(verb="invite.not-mirrored").count() == 1
    join(invite, "maria")
    services.delete(invite, actor=OWNER)
    work()
    assert "Theirs" in homeserver.tokens


def test_edit_is_told_to_the_homeserver(homeserver: MemoryHomeserver) -> None:
    invite, end = mirrored(), now() + timedelta(days=9)

    services.edit(invite, actor=OWNER, uses_limit=7, expires_at=end)
    work()

    token = homeserver.tokens[invite.code]
    assert (token.uses, token.expires_at) == (7, end)


def test_edit_to_unlimited_and_never_is_told(homeserver: MemoryHomeserver) -> None:
    invite = mirrored(expires_at=now() + timedelta(days=1))

    services.edit(invite, actor=OWNER, uses_limit=None, expires_at=None)
    work()

    token = homeserver.tokens[invite.code]
    assert (token.uses, token.expires_at) == (None, None)


def test_edit_that_pins_it_withdraws_the_token(homeserver: MemoryHomeserver) -> None:
    invite = mirrored()

    services.edit(invite, actor=OWNER, email="maria@example.org")
    work()

    assert homeserver.tokens == {}


def test_edit_switches_mirroring_off_and_on(homeserver: MemoryHomeserver) -> None:
    invite = mirrored(uses_limit=3)
    homeserver.register_natively(invite.code, "native", PASSWORD)

    services.edit(invite, actor=OWNER, mirror=False)
    work()
    assert homeserver.tokens == {}
    assert counts(invite) == (0, 1)

    services.edit(invite, actor=OWNER, mirror=True)
    work()
    assert homeserver.tokens[invite.code].uses == 2
    assert homeserver.register_natively(invite.code, "second", PASSWORD)
    a_minute_later()
    assert counts(invite) == (0, 2)
    assert mirror(invite).used_there == 2


def test_revoke_withdraws_and_restore_brings_back_what_is_left(homeserver: MemoryHomeserver) -> None:
    invite = mirrored(uses_limit=3)
    homeserver.register_natively(invite.code, "native", PASSWORD)

    services.revoke(invite, actor=OWNER)
    work()
    assert homeserver.tokens == {}
    assert counts(invite) == (0, 1)

    services.restore(invite, actor=OWNER)
    work()
    assert homeserver.tokens[invite.code].uses == 2


def test_revoke_keeps_counting_who_was_on_the_way(homeserver: MemoryHomeserver) -> None:
    invite = mirrored(uses_limit=3)
    homeserver.register_natively(invite.code, "native", PASSWORD, finish=False)

    services.revoke(invite, actor=OWNER)
    work()
    assert not homeserver.tokens[invite.code].is_valid

    token = homeserver.tokens[invite.code]
    token.pending, token.completed = 0, 1
    a_minute_later()
    assert counts(invite) == (0, 1)
    assert homeserver.tokens == {}


def test_delete_withdraws_the_token_and_forgets_it(homeserver: MemoryHomeserver) -> None:
    invite = mirrored()

    services.delete(invite, actor=OWNER)
    work()

    assert homeserver.tokens == {}
    assert not Mirror.objects.exists()


def test_delete_and_the_same_code_again_begins_anew(homeserver: MemoryHomeserver) -> None:
    invite = mirrored(code="Again", uses_limit=2)
    homeserver.register_natively("Again", "native", PASSWORD)
    a_minute_later()
    homeserver.fail(Fault.DOWN, "*", times=2)
    services.delete(invite, actor=OWNER)

    again = mirrored(code="Again", uses_limit=2)
    with time_machine.travel(now() + timedelta(minutes=2), tick=True):
        work()
        mirroring.sync_all()

    assert counts(again) == (0, 0)
    assert [homeserver.register_natively("Again", f"n{number}", PASSWORD) for number in range(3)] == [True, True, False]


def test_uses_there_are_counted_once(homeserver: MemoryHomeserver) -> None:
    invite = mirrored(uses_limit=5)
    homeserver.register_natively(invite.code, "one", PASSWORD)
    homeserver.register_natively(invite.code, "two", PASSWORD)

    a_minute_later()
    mirroring.sync(invite.code)
    mirroring.sync(invite.code)

    assert counts(invite) == (0, 2)
    assert mirror(invite).used_there == 2
    assert [event.facts["count"] for event in Event.objects.filter(verb="invite.used-at-homeserver")] == [2]


def test_uses_there_of_an_unlimited_one_are_counted(homeserver: MemoryHomeserver) -> None:
    invite = mirrored(uses_limit=None)
    homeserver.register_natively(invite.code, "one", PASSWORD)
    join(invite, "maria")

    a_minute_later()

    assert counts(invite) == (0, 2)


def test_join_lowers_what_the_homeserver_allows_before_the_account_is_made(homeserver: MemoryHomeserver) -> None:
    invite = mirrored(uses_limit=2)

    join(invite, "maria")

    assert homeserver.tokens[invite.code].uses == 1
    assert homeserver.calls.index("put_token", homeserver.calls.index("token_uses")) < homeserver.calls.index("create")
    assert homeserver.register_natively(invite.code, "native", PASSWORD)
    assert not homeserver.register_natively(invite.code, "native2", PASSWORD)


def test_join_given_up_while_the_homeserver_was_told_makes_no_account(
    homeserver: MemoryHomeserver, monkeypatch: pytest.MonkeyPatch
) -> None:
    invite = mirrored(uses_limit=1)
    told = homeserver.put_token

    def tell_slowly(*args: Any, **named: Any) -> None:
        told(*args, **named)
        with time_machine.travel(now() + timedelta(minutes=1), tick=False):
            settling.settle_refused(Account.objects.get(), "homeserver-unreachable")

    monkeypatch.setattr(homeserver, "put_token", tell_slowly)
    with pytest.raises(OutcomeUnknown):
        join(invite, "maria")

    assert homeserver.accounts == {}
    assert counts(invite) == (0, 0)


def test_join_that_waited_for_its_use_has_its_whole_time_for_the_account(
    homeserver: MemoryHomeserver, monkeypatch: pytest.MonkeyPatch
) -> None:
    invite = mirrored(uses_limit=2)
    told, moments = homeserver.put_token, []

    def tell(*args: Any, **named: Any) -> None:
        told(*args, **named)
        moments.append(now())

    monkeypatch.setattr(homeserver, "put_token", tell)
    join(invite, "maria")

    assert moments[0] <= Account.objects.get().begun_at


def test_join_the_last_use_closes_the_token(homeserver: MemoryHomeserver) -> None:
    invite = mirrored()

    join(invite, "maria")

    assert not homeserver.register_natively(invite.code, "native", PASSWORD)
    a_minute_later()
    assert counts(invite) == (0, 1)
    assert homeserver.tokens == {}


def test_join_when_the_homeserver_gave_the_use_away_is_refused_and_counted_at_once(
    homeserver: MemoryHomeserver,
) -> None:
    invite = mirrored()
    homeserver.register_natively(invite.code, "native", PASSWORD)

    with pytest.raises(InviteSpent):
        join(invite, "maria")

    assert counts(invite) == (0, 1)
    assert list(homeserver.accounts) == ["native"]


def test_join_while_somebody_registers_there_is_busy_and_gets_it_when_they_go(homeserver: MemoryHomeserver) -> None:
    invite = mirrored()
    homeserver.register_natively(invite.code, "native", PASSWORD, finish=False)

    with pytest.raises(InviteBusy):
        join(invite, "maria")
    assert counts(invite) == (0, 0)

    homeserver.tokens[invite.code].pending = 0
    work()
    join(invite, "maria")
    assert counts(invite) == (0, 1)
    assert not homeserver.register_natively(invite.code, "other", PASSWORD)


@pytest.mark.parametrize("fault", [Fault.DOWN, Fault.LOST_REQUEST, Fault.LOST_ANSWER, Fault.BUSY, Fault.BROKEN])
@pytest.mark.parametrize("deed", ["put_token", "token_uses"])
def test_join_when_the_homeserver_does_not_say_makes_no_account_and_gives_the_use_back(
    homeserver: MemoryHomeserver, fault: Fault, deed: str
) -> None:
    invite = mirrored()
    homeserver.fail(fault, deed)

    with pytest.raises((Unreachable, Busy)):
        join(invite, "maria")
    assert counts(invite) == (0, 0)
    assert homeserver.accounts == {}

    with time_machine.travel(now() + timedelta(minutes=1), tick=True):
        work()
    assert homeserver.tokens[invite.code].uses == 1
    join(invite, "maria")
    assert counts(invite) == (0, 1)


def test_join_that_is_refused_after_all_gives_the_use_back_there(homeserver: MemoryHomeserver) -> None:
    invite = mirrored()
    homeserver.fail(Fault.BUSY, "create")

    with pytest.raises(Busy):
        join(invite, "maria")
    assert not homeserver.register_natively(invite.code, "native", PASSWORD)
    work()

    assert homeserver.register_natively(invite.code, "native", PASSWORD)


def test_join_refused_for_its_name_costs_the_homeserver_nothing(homeserver: MemoryHomeserver) -> None:
    invite = mirrored()
    homeserver.create("maria", PASSWORD)

    with pytest.raises(NameTaken):
        join(invite, "maria")

    assert homeserver.register_natively(invite.code, "native", PASSWORD)


def test_join_with_a_shell_when_the_use_is_gone_leaves_the_shell_closed(homeserver: MemoryHomeserver) -> None:
    invite = mirrored()
    homeserver.hold("maria", PASSWORD)
    Account.objects.create(localpart="maria", state=State.SHELVED)
    homeserver.register_natively(invite.code, "native", PASSWORD)

    with pytest.raises(InviteSpent):
        join(invite, "maria")
    with time_machine.travel(now() + timedelta(minutes=1), tick=True):
        work()

    assert homeserver.accounts["maria"].locked
    assert counts(invite) == (0, 1)
    assert Account.objects.get(localpart="maria").state == State.SHELVED


def test_join_when_its_process_died_before_the_account_gives_the_use_back_there(homeserver: MemoryHomeserver) -> None:
    invite = mirrored()
    homeserver.fail(Fault.LOST_REQUEST, "create")

    with pytest.raises(Refusal):
        join(invite, "maria")
    assert not homeserver.register_natively(invite.code, "native", PASSWORD)
    for minutes in (1, 2, 3):
        with time_machine.travel(now() + timedelta(minutes=minutes), tick=True):
            work()

    assert counts(invite) == (0, 0)
    assert homeserver.tokens[invite.code].uses == 1


def test_join_while_a_dead_process_holds_the_lease_is_busy_for_a_while_only(homeserver: MemoryHomeserver) -> None:
    invite = mirrored()
    Mirror.objects.update(lease="dead", leased_until=now() + timedelta(seconds=8))

    with pytest.raises(InviteBusy):
        join(invite, "maria")
    with time_machine.travel(now() + timedelta(seconds=9), tick=True):
        join(invite, "maria")

    assert counts(invite) == (0, 1)


def test_join_after_the_token_was_removed_there_by_hand_lets_in_no_more_than_the_limit(
    homeserver: MemoryHomeserver,
) -> None:
    invite = mirrored(uses_limit=4)
    homeserver.register_natively(invite.code, "one", PASSWORD)
    homeserver.register_natively(invite.code, "two", PASSWORD)
    a_minute_later()
    del homeserver.tokens[invite.code]

    join(invite, "maria")

    natives = [homeserver.register_natively(invite.code, f"n{number}", PASSWORD) for number in range(3)]
    assert natives == [True, False, False]


def test_sync_puts_back_a_token_that_was_removed_there_by_hand(homeserver: MemoryHomeserver) -> None:
    invite = mirrored(uses_limit=4)
    homeserver.register_natively(invite.code, "one", PASSWORD)
    a_minute_later()
    del homeserver.tokens[invite.code]

    a_minute_later(2)

    assert homeserver.tokens[invite.code].uses == 3


def test_sync_after_a_lost_answer_tells_again_what_may_have_been_overtaken(homeserver: MemoryHomeserver) -> None:
    invite = mirrored(uses_limit=2)
    homeserver.fail(Fault.LOST_REQUEST, "put_token")
    with pytest.raises(HomeserverError):
        join(invite, "maria")
    work()
    homeserver.tokens[invite.code].uses = 9  # what was asked first arrives last

    a_minute_later()

    assert homeserver.tokens[invite.code].uses == 2


def test_sync_an_expired_one_is_withdrawn(homeserver: MemoryHomeserver) -> None:
    invite = mirrored(expires_at=now() + timedelta(seconds=30))

    a_minute_later()

    assert homeserver.tokens == {}
    assert mirror(invite).state == MirrorState.NONE


def test_sync_all_asks_only_for_those_that_are_there(homeserver: MemoryHomeserver) -> None:
    mirrored()
    gone = mirrored()
    services.revoke(gone, actor=OWNER)
    services.create(NewInvite(), actor=OWNER)
    work()
    homeserver.calls.clear()

    a_minute_later()

    assert homeserver.calls == ["token_uses"]


@pytest.mark.parametrize(("fault", "error"), [(Fault.BROKEN, Unreachable), (Fault.MISCONFIGURED, Misconfigured)])
def test_sync_all_one_that_the_homeserver_chokes_on_holds_up_no_other(
    homeserver: MemoryHomeserver, fault: Fault, error: type[HomeserverError]
) -> None:
    broken, well = mirrored(uses_limit=3), mirrored(uses_limit=3)
    homeserver.register_natively(well.code, "native", PASSWORD)
    homeserver.fail(fault, "token_uses")

    with time_machine.travel(now() + timedelta(minutes=1), tick=True), pytest.raises(error):
        mirroring.sync_all()

    assert counts(broken) == (0, 0)
    assert counts(well) == (0, 1)


def test_the_schedule_gives_nothing_up_where_it_cannot_ask_any_more(homeserver: MemoryHomeserver) -> None:
    mirrored()
    homeserver.has_token = False

    with time_machine.travel(now() + timedelta(minutes=2), tick=True):
        run_schedule()
        work()

    assert not Job.objects.exclude(gave_up_at=None).exists()


def test_join_where_the_homeserver_may_not_be_asked_any_more_lets_nobody_in(homeserver: MemoryHomeserver) -> None:
    invite = mirrored()
    homeserver.has_token = False

    with pytest.raises(NotPossible):
        join(invite, "maria")

    assert counts(invite) == (0, 0)
    assert homeserver.accounts == {}


def test_join_by_an_unlimited_one_asks_the_homeserver_nothing_more(homeserver: MemoryHomeserver) -> None:
    invite = mirrored(uses_limit=None)
    homeserver.calls.clear()

    join(invite, "maria")

    assert "put_token" not in homeserver.calls
    assert "token_uses" not in homeserver.calls


def test_join_after_the_homeserver_let_too_many_in_lets_in_nobody_more(homeserver: MemoryHomeserver) -> None:
    """Synapse checks and counts in two steps, so that many in one moment get past its limit."""
    invite = mirrored(uses_limit=3)
    homeserver.tokens[invite.code].completed = 7

    for name in ("maria", "nora"):
        with pytest.raises(InviteSpent):
            join(invite, name)

    assert counts(invite) == (0, 7)
    assert homeserver.accounts == {}
    a_minute_later()
    assert homeserver.tokens == {}


def test_doubt_has_the_homeserver_told_everything_again(homeserver: MemoryHomeserver) -> None:
    invite = mirrored(uses_limit=2)
    homeserver.tokens[invite.code].uses = 9  # As it was told since the backup that came back.

    mirroring.doubt()
    a_minute_later()

    assert homeserver.tokens[invite.code].uses == 2
    assert mirror(invite).unsure_until is None
