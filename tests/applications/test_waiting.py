from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from foyer.accounts.models import State as AccountState
from foyer.accounts.services import JoinAttempt, open_with_invite
from foyer.applications import decisions, effects, keys, queries, retention, services
from foyer.applications.errors import AlreadyApplied, WrongState
from foyer.applications.models import Application, PasswordWay, State
from foyer.homeserver.memory import MemoryHomeserver
from foyer.invites.models import Invite
from foyer.kit.clock import now
from foyer.names import services as names
from tests.applications.acts import (
    ANNA,
    OTHER,
    PASSWORD,
    accounts,
    approved,
    begin,
    denied,
    everything_in_tables,
    fresh,
    in_state,
    let_time_pass,
    mails,
    verified,
    waiting,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


def asked(application: Application) -> Application:
    return decisions.ask(application.id, ANNA, "Who told you, Maria?")


@pytest.mark.parametrize("state", ["unverified", "verified", "waiting", "asked", "approved", "approved by link"])
def test_withdrawing_erases_everything_personal(homeserver: MemoryHomeserver, state: str) -> None:
    homeserver.has_token = state != "approved by link"
    application = begin(ip="192.0.2.7") if state == "unverified" else verified(ip="192.0.2.7")
    if state not in ("unverified", "verified"):
        services.submit(
            application,
            {"reason": "I am Maria, and I would love to play the cello here."},
            [],
            PASSWORD,
            ip="192.0.2.7",
        )
    if state == "asked":
        asked(application)
        services.reply(application, "Maria's mother.")
        asked(application)
    if state == "approved":
        decisions.note(application.id, ANNA, "Maria? I know her.")
        decisions.approve(application.id, ANNA, "Welcome, Maria!", "She is Maria.")
    if state == "approved by link":
        approved(application)

    services.withdraw(application)
    let_time_pass(70)

    row = queries.by_id(application.id)
    assert (row.state, row.localpart, row.email, row.ip) == (State.WITHDRAWN, "", "", None)
    assert names.holder_of("maria") is None
    assert mails(application) == []
    held = {"maria": AccountState.SHELVED} if state in ("waiting", "asked", "approved") else {}
    assert accounts() == held
    if held:
        assert homeserver.accounts["maria"].password != PASSWORD
    tables = everything_in_tables().lower()
    assert "example.net" not in tables
    assert "192.0.2.7" not in tables
    assert "cello" not in tables
    assert "mother" not in tables
    assert "welcome, maria" not in tables
    assert queries.by_key(keys.status_key(application)).state == State.WITHDRAWN


def test_withdrawing_what_is_over_or_open_is_refused(homeserver: MemoryHomeserver) -> None:
    done, no = approved(waiting()), denied(waiting("erika", "erika@example.net"))

    for application in (done, no):
        with pytest.raises(WrongState):
            services.withdraw(application)

    assert not homeserver.accounts["maria"].locked


def test_withdrawing_while_the_account_is_being_opened_ends_locked_and_withdrawn(
    homeserver: MemoryHomeserver,
) -> None:
    application = waiting()
    decisions.approve(application.id, ANNA, at_once=True)
    effects.begin(application.id)

    class Impatient(MemoryHomeserver):
        def open(self, localpart: str) -> None:
            super().open(localpart)
            services.withdraw(application)

    homeserver.__class__ = Impatient
    effects.open_account(application.id)
    let_time_pass(200, every=20)  # until no request can be on its way there

    assert in_state(application, State.WITHDRAWN)
    assert (accounts(), homeserver.accounts["maria"].locked) == ({"maria": AccountState.SHELVED}, True)
    assert homeserver.accounts["maria"].password != PASSWORD


def test_withdrawing_while_somebody_joins_by_the_link_is_refused_and_changes_nothing(
    homeserver: MemoryHomeserver,
) -> None:
    homeserver.has_token = False
    application = approved(waiting(password=""))
    Invite.objects.filter(id=application.invite_id or 0).update(held=1)

    with pytest.raises(WrongState):
        services.withdraw(application)

    assert names.holder_of("maria") == f"invite:{application.invite_id}"
    assert fresh(application).email == "maria@example.net"


def test_somebody_else_can_have_the_name_and_email_of_a_withdrawn_application(homeserver: MemoryHomeserver) -> None:
    services.withdraw(waiting())

    second = approved(waiting(password=OTHER))

    assert (second.state, homeserver.accounts["maria"].password) == (State.DONE, OTHER)


def test_silence_after_a_question_lapses_and_can_be_taken_up_again(homeserver: MemoryHomeserver) -> None:
    application = asked(waiting())
    with time_machine.travel(now() + timedelta(days=29)):
        retention.run()
        assert in_state(application, State.ASKED)
    with time_machine.travel(now() + timedelta(days=31)):
        retention.run()
        let_time_pass(10)
        assert in_state(application, State.LAPSED)
        assert (names.holder_of("maria"), accounts()) == (None, {"maria": AccountState.SHELVED})
        assert mails(application)[-1] == "lapsed"

        services.renew(application)

        row = fresh(application)
        assert (row.state, row.password_way, row.ended_at) == (State.WAITING, PasswordWay.WHEN_APPROVED, None)
        assert names.holder_of("maria") == application.holder


def test_renewing_where_the_name_went_elsewhere_chooses_another(homeserver: MemoryHomeserver) -> None:
    application = asked(waiting())
    with time_machine.travel(now() + timedelta(days=31)):
        retention.run()
        verified("maria", "second@example.net")

        services.renew(application)

        assert (fresh(application).state, fresh(application).localpart) == (State.VERIFIED, "")
        services.choose_name(application, "maria.s")
        services.submit(application, {"reason": fresh(application).answers[0]["answer"]}, [], PASSWORD)
        assert in_state(application, State.WAITING)


def test_renewing_with_another_application_under_way_is_refused(homeserver: MemoryHomeserver) -> None:
    application = asked(waiting())
    with time_machine.travel(now() + timedelta(days=31)):
        retention.run()
        verified("erika", "Maria@example.net")

        with pytest.raises(AlreadyApplied):
            services.renew(application)

        assert in_state(application, State.LAPSED)
        assert names.holder_of("maria") is None


@pytest.mark.parametrize("name_is_gone", [False, True])
def test_link_that_ran_out_lapses_and_is_made_anew(homeserver: MemoryHomeserver, name_is_gone: bool) -> None:
    homeserver.has_token = False
    application = approved(waiting(password=""))
    with time_machine.travel(now() + timedelta(days=15)):
        retention.run()
        assert in_state(application, State.LAPSED)
        assert not Invite.objects.exists()
        assert names.holder_of("maria") is None
        if name_is_gone:
            verified("maria", "second@example.net")

        services.renew(application)
        let_time_pass(0)

        row = fresh(application)
        invite = Invite.objects.get(id=row.invite_id or 0)
        assert (row.state, invite.localpart) == (State.APPROVED, "" if name_is_gone else "maria")
        name = "maria.s" if name_is_gone else "maria"
        open_with_invite(JoinAttempt(invite.code, name, OTHER))
        let_time_pass(0)
        assert in_state(application, State.DONE)


def test_link_that_staff_deleted_lapses(homeserver: MemoryHomeserver) -> None:
    homeserver.has_token = False
    application = approved(waiting(password=""))
    Invite.objects.all().delete()

    retention.run()

    assert in_state(application, State.LAPSED)
    assert names.holder_of("maria") is None


def test_unverified_and_verified_expire_and_are_erased(homeserver: MemoryHomeserver) -> None:
    unverified, proven, complete = begin(), verified("erika", "erika@example.org"), waiting("kim", "kim@example.com")
    with time_machine.travel(now() + timedelta(days=2, minutes=1)):
        done = retention.run()

    assert done["expired"] == 2
    for application in (unverified, proven):
        assert (fresh(application).state, fresh(application).email) == (State.EXPIRED, "")
    assert names.holder_of("erika") is None
    assert in_state(complete, State.WAITING)


def test_mail_that_was_sent_again_puts_expiry_off(homeserver: MemoryHomeserver) -> None:
    application = begin()
    with time_machine.travel(now() + timedelta(days=1)):
        services.resend(application)
    with time_machine.travel(now() + timedelta(days=2, minutes=1)):
        assert retention.run()["expired"] == 0


def test_retention_deletes_what_is_over_and_nothing_that_waits(homeserver: MemoryHomeserver) -> None:
    homeserver.delay = 0
    done, no = approved(waiting()), denied(waiting("erika", "erika@example.org"))
    withdrawn = waiting("kim", "kim@example.com")
    services.withdraw(withdrawn)
    waits, is_asked = waiting("lee", "lee@example.net"), asked(waiting("ann", "ann@example.net"))
    homeserver.has_token = False
    is_approved = approved(waiting("joe", "joe@example.net", ""))
    Invite.objects.update(expires_at=None)
    let_time_pass(0)

    with time_machine.travel(now() + timedelta(days=29, hours=23)):
        assert retention.run()["deleted"] == 0
    with time_machine.travel(now() + timedelta(days=30, minutes=1)):
        decisions.ask(is_asked.id, ANNA, "Are you there?")
        assert retention.run()["deleted"] == 3
        retention.run()

    left = set(Application.objects.values_list("id", flat=True))
    assert left == {waits.id, is_asked.id, is_approved.id}
    assert {done.id, no.id, withdrawn.id}.isdisjoint(left)
    tables = everything_in_tables()
    for gone in ("maria@example.net", "erika@example.org", "kim@example.com"):
        assert gone not in tables
    assert accounts()["maria"] == AccountState.OPEN


def test_digests_and_ips_go_when_their_time_is_over(homeserver: MemoryHomeserver) -> None:
    denied(waiting(ip="192.0.2.7"))
    stays = waiting("erika", "erika@example.org", ip="192.0.2.8")

    with time_machine.travel(now() + timedelta(days=31)):
        done = retention.run()
        assert (done["digests"], done["ips"]) == (0, 1)
    assert (fresh(stays).ip, fresh(stays).subnet) == (None, "")
    with time_machine.travel(now() + timedelta(days=366)):
        assert retention.run()["digests"] == 2
