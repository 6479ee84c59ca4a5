"""A clock that ran ahead by hours, a day, a year and is set right again: nobody is kept waiting for the wrong time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from foyer.accounts.models import Account
from foyer.accounts.rows import UNSETTLED
from foyer.accounts.services import JoinAttempt, open_with_invite
from foyer.applications import decisions, keys, services
from foyer.applications.errors import MailTooSoon
from foyer.applications.models import Application, State
from foyer.homeserver.memory import Fault, MemoryHomeserver
from foyer.invites import services as invites
from foyer.invites.models import Invite
from foyer.invites.services import NewInvite
from foyer.jobs import services as jobs
from foyer.kit.actor import Actor
from foyer.kit.client_ip import ClientAddress
from foyer.kit.clock import now
from foyer.kit.refusal import Refusal
from foyer.screening import limits
from foyer.screening.errors import TooMany
from tests.applications.acts import ANNA, BERT, PASSWORD, begin, fresh, let_time_pass, submit, verified, waiting
from tests.applications.conftest import OPEN
from tests.conftest import Configure

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

RIGHT = datetime(2027, 3, 14, 9, 26, tzinfo=UTC)
JUMPS = [timedelta(hours=3), timedelta(days=1), timedelta(days=400)]
MARIA = ClientAddress("192.0.2.1", is_known=True)


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_applicants_and_moderators_go_on_as_soon_as_the_clock_is_right(jump: timedelta) -> None:
    with time_machine.travel(RIGHT + jump):
        decided, read, undone = waiting("ada"), waiting("bea", "bea@example.net"), waiting("cleo", "cleo@example.net")
        decisions.approve(decided.id, ANNA)
        assert decisions.claim_for_reading(read.id, BERT)
        new = begin("dora", "dora@example.net")
        pressed = verified("eva", "eva@example.net")
        Application.objects.filter(id=pressed.id).update(submitting_at=now())
        decisions.deny(undone.id, ANNA)

    with time_machine.travel(RIGHT):
        assert decisions.claim_for_reading(read.id, ANNA)
        decisions.undo(undone.id, ANNA)
        services.resend(new)
        with pytest.raises(MailTooSoon):
            services.resend(new)
        services.verify_by_code(fresh(new), keys.code(fresh(new)))
        submit(pressed)
        jobs.mend_times()
        let_time_pass(15)

    states = [fresh(one).state for one in (decided, read, undone, new, pressed)]
    assert states == [State.DONE, State.WAITING, State.WAITING, State.VERIFIED, State.WAITING]


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_use_and_name_of_a_lost_join_are_settled_as_soon_as_the_clock_is_right(
    homeserver: MemoryHomeserver, jump: timedelta
) -> None:
    with time_machine.travel(RIGHT + jump):
        invite = invites.create(NewInvite(uses_limit=1, expires_at=None), actor=Actor.command_line())
        homeserver.fail(Fault.LOST_REQUEST, "create")
        with pytest.raises(Refusal):
            open_with_invite(JoinAttempt(invite.code, "maria", PASSWORD))
        Account.objects.filter(state__in=UNSETTLED).update(state="creating")  # and its process died

    with time_machine.travel(RIGHT):
        jobs.mend_times()
        let_time_pass(60)
        assert not Account.objects.filter(state__in=UNSETTLED).exists()
        assert Invite.objects.values_list("held", "used").get(id=invite.id) == (0, 0)
        assert open_with_invite(JoinAttempt(invite.code, "maria", PASSWORD)).localpart == "maria"


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_limit_that_was_reached_by_the_wrong_clock_holds_nobody_up(configure: Configure, jump: timedelta) -> None:
    configure(**OPEN, screening={"limits": True, "join_per_ip": "1/hour"})
    limits.reset()
    with time_machine.travel(RIGHT + jump):
        limits.check("join", MARIA)
        with pytest.raises(TooMany):
            limits.check("join", MARIA)

    with time_machine.travel(RIGHT):
        limits.check("join", MARIA)
        with pytest.raises(TooMany) as caught:
            limits.check("join", MARIA)

    assert caught.value.retry_after <= 2 * 3600
    limits.reset()
