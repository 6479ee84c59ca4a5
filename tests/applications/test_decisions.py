from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
import time_machine
from django.db import connection, transaction

from foyer.accounts import holding
from foyer.accounts.models import Account
from foyer.accounts.models import State as AccountState
from foyer.accounts.services import JoinAttempt, open_with_invite
from foyer.applications import decisions, effects, mailing, services
from foyer.applications.errors import (
    AlreadyApplied,
    AlreadyDecided,
    ApplicationUnknown,
    TextMissing,
    TooLate,
    WrongState,
)
from foyer.applications.models import Application, DenialDigest, PasswordWay, State
from foyer.audit.models import Event
from foyer.homeserver.memory import Fault, MemoryHomeserver
from foyer.invites import services as invites
from foyer.invites.errors import InviteForOtherName
from foyer.invites.models import Invite
from foyer.jobs import services as jobs
from foyer.jobs.models import Job
from foyer.kit.actor import Actor
from foyer.kit.clock import now
from foyer.kit.refusal import Refusal
from foyer.names import services as names
from foyer.notify.messages import Approved, Denied, OpeningFailed
from tests.applications.acts import (
    ANNA,
    BERT,
    OTHER,
    PASSWORD,
    accounts,
    approved,
    denied,
    everything_in_tables,
    fresh,
    in_state,
    let_time_pass,
    mail,
    mails,
    verified,
    waiting,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


def link_of(application: Application) -> Invite:
    return Invite.objects.get(id=fresh(application).invite_id or 0)


def join(application: Application, name: str = "maria", password: str = OTHER) -> None:
    invite = link_of(application)
    open_with_invite(JoinAttempt(invite.code, name, password, email_key=invites.email_key(invite)))
    let_time_pass(0)


def without_admin(homeserver: MemoryHomeserver) -> None:
    homeserver.has_token = False


def test_approval_opens_the_account_with_the_password_that_was_chosen(any_homeserver: MemoryHomeserver) -> None:
    application = approved(waiting())

    maria = any_homeserver.accounts["maria"]
    assert (maria.locked, maria.password, maria.emails) == (False, PASSWORD, ["maria@example.net"])
    assert maria.rooms == ["!1:example.test"]
    assert (application.state, accounts()) == (State.DONE, {"maria": AccountState.OPEN})
    assert names.holder_of("maria") == f"account:{application.account_id}"
    assert mails(application)[-1] == "approved"
    sent = mail(application, "approved")
    assert isinstance(sent, Approved)
    assert not sent.chooses_password


def test_approval_where_nothing_was_held_mails_a_link_for_this_name_and_email(homeserver: MemoryHomeserver) -> None:
    without_admin(homeserver)
    application = approved(waiting(password=""))

    invite = link_of(application)
    assert (invite.localpart, invite.email, invite.uses_limit) == ("maria", "maria@example.net", 1)
    assert names.holder_of("maria") == invite.holder
    sent = mail(application, "approved")
    assert isinstance(sent, Approved)
    assert sent.chooses_password
    with pytest.raises(InviteForOtherName):
        join(application, "erika")
    join(application)

    assert in_state(application, State.DONE)
    assert homeserver.accounts["maria"].password == OTHER
    assert names.holder_of("maria") == f"account:{fresh(application).account_id}"


def test_half_made_shell_is_used_by_the_one_who_was_approved(homeserver: MemoryHomeserver) -> None:
    homeserver.fail(Fault.HALF_DONE, "hold")
    application = waiting()
    let_time_pass(30)
    assert accounts() == {"maria": AccountState.SHELVED}
    approved(application)

    join(application)
    let_time_pass(0)

    assert in_state(application, State.DONE)
    maria = homeserver.accounts["maria"]
    assert (maria.password, maria.locked, maria.emails) == (OTHER, False, ["maria@example.net"])


def test_denial_shelves_releases_remembers_and_says_so(any_homeserver: MemoryHomeserver) -> None:
    application = waiting()

    decisions.deny(application.id, ANNA, "We are full.", "looks like spam", at_once=True)
    let_time_pass(0)

    maria = any_homeserver.accounts["maria"]
    assert (maria.locked, maria.password == PASSWORD) == (True, False)
    assert accounts() == {"maria": AccountState.SHELVED}
    assert names.holder_of("maria") is None
    sent = mail(application, "denied")
    assert isinstance(sent, Denied)
    assert sent.message == "We are full."
    assert DenialDigest.objects.count() == 2
    digests = repr(list(DenialDigest.objects.values()))
    assert "maria" not in digests
    again = waiting("m4ria", "Maria+again@example.net")
    assert {flag["code"] for flag in again.flags} == {"denied-name", "denied-email"}


def test_shell_of_a_denied_applicant_goes_to_the_next_one_with_the_name(any_homeserver: MemoryHomeserver) -> None:
    denied(waiting())

    second = approved(waiting("maria", "second@example.net", OTHER))

    maria = any_homeserver.accounts["maria"]
    assert (second.state, maria.locked, maria.password) == (State.DONE, False, OTHER)
    assert maria.emails == ["second@example.net"]


@pytest.mark.parametrize("decide", [decisions.approve, decisions.deny])
def test_second_decision_changes_nothing_and_sees_who_and_when(
    homeserver: MemoryHomeserver, decide: Callable[..., Application]
) -> None:
    application = waiting()
    decided = decisions.approve(application.id, ANNA)

    for actor in (BERT, ANNA):
        with pytest.raises(AlreadyDecided) as caught:
            decide(application.id, actor)
        refusal = caught.value
        assert (refusal.state, refusal.decided_by, refusal.decided_at) == (
            State.APPROVED,
            "staff:anna",
            decided.decided_at,
        )
        assert str(refusal).startswith("anna has decided on this request already")

    let_time_pass(65)
    assert mails(application).count("approved") == 1
    assert Event.objects.filter(verb__in=["application.approved", "application.denied"]).count() == 1


def test_many_moderators_at_once_make_one_decision(any_homeserver: MemoryHomeserver) -> None:
    application = waiting()
    results = at_once(
        *(
            partial(decide, application.id, Actor.staff(f"m{number}{decide.__name__}"), at_once=True)
            for number in range(4)
            for decide in (decisions.approve, decisions.deny)
        )
    )
    let_time_pass(0)

    winners = [result for result in results if isinstance(result, Application)]
    assert len(winners) == 1
    losers = [result for result in results if isinstance(result, WrongState)]
    assert {loser.decided_by for loser in losers} == {winners[0].decided_by}
    decided = [kind for kind in mails(application) if kind in ("approved", "denied")]
    assert decided == ["approved" if winners[0].state == State.APPROVED else "denied"]


def test_decision_takes_effect_after_a_minute_and_can_be_undone_until_then(any_homeserver: MemoryHomeserver) -> None:
    application = waiting()
    decisions.approve(application.id, ANNA, "Welcome!")
    let_time_pass(50)
    assert in_state(application, State.APPROVED)
    assert any_homeserver.accounts["maria"].locked

    decisions.undo(application.id, BERT)
    let_time_pass(70)

    row = fresh(application)
    assert (row.state, row.decision, row.decided_by, row.message, row.effects_at) == (State.WAITING, "", "", "", None)
    assert any_homeserver.accounts["maria"].locked
    assert "approved" not in mails(application)
    with pytest.raises(WrongState):
        decisions.undo(application.id, BERT)


def test_undo_leads_back_to_where_it_was(homeserver: MemoryHomeserver) -> None:
    application = waiting()
    decisions.ask(application.id, ANNA, "Who told you?")
    decisions.deny(application.id, ANNA)

    assert decisions.undo(application.id, ANNA).state == State.ASKED


def test_undone_and_decided_anew_waits_its_own_minute(homeserver: MemoryHomeserver) -> None:
    application = waiting()
    decisions.approve(application.id, ANNA)
    with time_machine.travel(now() + timedelta(seconds=40)):
        decisions.undo(application.id, ANNA)
        decisions.deny(application.id, ANNA)
    with time_machine.travel(now() + timedelta(seconds=70)):
        let_time_pass(0)
        assert fresh(application).effects_started_at is None
        let_time_pass(60)

    assert (fresh(application).state, mails(application)[-1]) == (State.DENIED, "denied")


def test_undo_after_the_effect_is_too_late(any_homeserver: MemoryHomeserver) -> None:
    application = approved(waiting())
    other = waiting("erika", "erika@example.net")
    decisions.deny(other.id, ANNA)
    let_time_pass(65)

    for one in (application, other):
        with pytest.raises(TooLate) as caught:
            decisions.undo(one.id, ANNA)
        assert caught.value.decided_by == "staff:anna"


def at_once(*deeds: Callable[[], object]) -> list[object]:
    """Do these in threads that begin together; return what each returned, or its refusal."""
    results: list[object] = [None] * len(deeds)
    barrier = threading.Barrier(len(deeds))

    def run(place: int) -> None:
        barrier.wait()
        try:
            results[place] = deeds[place]()
        except Refusal as refusal:
            results[place] = refusal
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(deeds))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_undo_and_effect_at_once_end_as_one_of_the_two(homeserver: MemoryHomeserver) -> None:
    for number in range(15):
        application = waiting(f"maria{number}", f"maria@example{number}.net")
        decisions.deny(application.id, ANNA, at_once=True)

        undone, _ = at_once(partial(decisions.undo, application.id, BERT), partial(effects.begin, application.id))

        expected = (State.DENIED, True) if isinstance(undone, TooLate) else (State.WAITING, False)
        assert (fresh(application).state, "denied" in mails(application)) == expected


@pytest.mark.parametrize("deed", ["look_up", "open"])
@pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.HALF_DONE])
def test_opening_with_the_homeserver_broken_is_done_when_it_answers(
    any_homeserver: MemoryHomeserver, deed: str, fault: Fault
) -> None:
    application = waiting()
    any_homeserver.fail(fault, deed, times=3)

    decisions.approve(application.id, ANNA, at_once=True)
    let_time_pass(120)

    assert in_state(application, State.DONE)
    assert not any_homeserver.accounts["maria"].locked
    assert mails(application).count("approved") == 1


@pytest.mark.parametrize("how", ["removed", "deactivated", "taken away"])
def test_account_that_cannot_be_opened_for_good_is_replaced_by_a_link_with_a_free_choice(
    any_homeserver: MemoryHomeserver, how: str
) -> None:
    application = waiting()
    if how == "deactivated":
        any_homeserver.accounts["maria"].deactivated = True
    else:
        del any_homeserver.accounts["maria"]
    if how == "taken away":
        any_homeserver.create("maria", "somebody else's")
        Account.objects.filter(localpart="maria").update(state=AccountState.REFUSED)

    approved(application)

    row = fresh(application)
    assert (row.state, row.password_way) == (State.APPROVED, PasswordWay.WHEN_APPROVED)
    if how == "removed":  # the name can still be had
        join(application)
    else:
        assert isinstance(mail(application, "opening-failed"), OpeningFailed)
        assert link_of(application).localpart == ""
        join(application, "maria.s")
        assert fresh(application).localpart == "maria.s"
        assert any_homeserver.accounts["maria.s"].emails == ["maria@example.net"]
    assert in_state(application, State.DONE)
    if how == "taken away":
        assert any_homeserver.accounts["maria"].password == "somebody else's"


@pytest.mark.parametrize("fault", [Fault.DOWN, Fault.BROKEN, Fault.BUSY])
def test_link_is_made_when_the_homeserver_answers(homeserver: MemoryHomeserver, fault: Fault) -> None:
    without_admin(homeserver)
    application = waiting(password="")
    homeserver.fail(fault, "check_name", times=3)

    decisions.approve(application.id, ANNA, at_once=True)
    let_time_pass(120)

    assert link_of(application).localpart == "maria"
    assert mails(application).count("approved") == 1


def test_link_for_a_name_that_was_lost_before_has_a_free_choice(homeserver: MemoryHomeserver) -> None:
    without_admin(homeserver)
    application = waiting(password="")
    homeserver.create("maria", "somebody else's")

    approved(application)

    assert mails(application)[-1] == "opening-failed"
    assert names.holder_of("maria") is None
    join(application, "maria.s")
    assert in_state(application, State.DONE)


def test_link_for_a_name_that_is_lost_afterwards_can_be_freed(homeserver: MemoryHomeserver) -> None:
    without_admin(homeserver)
    application = approved(waiting(password=""))
    assert services.choose_freely(application) is False
    homeserver.create("maria", "somebody else's")

    assert services.choose_freely(application) is True

    join(application, "maria.s")
    assert in_state(application, State.DONE)
    assert names.holder_of("maria") is None


KILLS: dict[str, list[Callable[[Application], None]]] = {
    "decided": [],
    "effects begun": [lambda row: effects.begin(row.id)],
    "unlocked": [
        lambda row: effects.begin(row.id),
        lambda row: holding.open_held(row.account_id or 0, holder=row.holder),
    ],
    "noted": [lambda row: effects.begin(row.id), lambda row: effects.open_account(row.id)],
}


@pytest.mark.parametrize("killed_after", KILLS)
def test_approval_whose_worker_was_killed_at_any_step_is_finished_once(
    any_homeserver: MemoryHomeserver, killed_after: str
) -> None:
    """The deed is done and its job is still there: the worker was killed before it crossed it off."""
    application = waiting()
    decisions.approve(application.id, ANNA, at_once=True)
    application = fresh(application)
    for step in KILLS[killed_after]:
        step(application)
    with transaction.atomic():
        for kind in ("applications.effects", "applications.open"):
            jobs.enqueue(kind, subject=str(application.id))

    let_time_pass(0)

    assert (fresh(application).state, accounts()) == (State.DONE, {"maria": AccountState.OPEN})
    assert mails(application).count("approved") == 1
    assert Event.objects.filter(verb="account.opened").count() == 1
    assert not Job.objects.filter(kind__startswith="applications").exists()


@pytest.mark.parametrize("killed_after", ["effects begun", "link made"])
def test_approval_by_link_whose_worker_was_killed_makes_one_link(
    homeserver: MemoryHomeserver, killed_after: str
) -> None:
    without_admin(homeserver)
    application = waiting(password="")
    decisions.approve(application.id, ANNA, at_once=True)
    effects.begin(application.id)
    if killed_after == "link made":
        effects.invite(application.id)
    jobs.enqueue("applications.effects", subject=str(application.id))
    jobs.enqueue("applications.invite", subject=str(application.id))

    let_time_pass(0)

    assert Invite.objects.count() == 1
    assert mails(application).count("approved") == 1


def test_silent_decisions_send_nothing(any_homeserver: MemoryHomeserver) -> None:
    yes, no = waiting(), waiting("erika", "erika@example.net")

    decisions.approve(yes.id, ANNA, silent=True, at_once=True)
    decisions.deny(no.id, ANNA, silent=True, at_once=True)
    let_time_pass(0)

    assert (fresh(yes).state, fresh(no).state) == (State.DONE, State.DENIED)
    assert not {"approved", "denied"} & {*mails(yes), *mails(no)}


def test_question_and_reply_lead_back_to_the_old_place_in_the_queue(homeserver: MemoryHomeserver) -> None:
    application = waiting()
    with pytest.raises(TextMissing):
        decisions.ask(application.id, ANNA, " \0 ")
    decisions.ask(application.id, ANNA, "Who told you?")
    assert in_state(application, State.ASKED)

    services.reply(application, "Erika did.")

    row = fresh(application)
    assert (row.state, row.submitted_at) == (State.WAITING, application.submitted_at)
    assert [(it.by, it.text) for it in row.messages.order_by("id")] == [
        ("staff:anna", "Who told you?"),
        ("applicant", "Erika did."),
    ]
    assert mails(application)[-2:] == ["question", "answered"]
    with pytest.raises(WrongState):
        services.reply(application, "And Bert.")


def test_reopened_application_waits_again_with_its_name(any_homeserver: MemoryHomeserver) -> None:
    application = denied(waiting())

    row = decisions.reopen(application.id, BERT)

    assert (row.state, row.decision, row.password_way) == (State.WAITING, "", PasswordWay.WHEN_APPROVED)
    assert names.holder_of("maria") == application.holder
    assert not DenialDigest.objects.exists()
    approved(application)
    join(application)
    assert any_homeserver.accounts["maria"].password == OTHER


def test_reopening_where_name_or_email_went_elsewhere_is_refused(homeserver: MemoryHomeserver) -> None:
    application = denied(waiting())
    verified("maria", "second@example.net")
    with pytest.raises(names.NameHeld):
        decisions.reopen(application.id, ANNA)
    other = denied(waiting("erika", "erika@example.net"))
    verified("erika2", "erika@example.net")
    with pytest.raises(AlreadyApplied):
        decisions.reopen(other.id, ANNA)
    assert (fresh(application).state, fresh(other).state) == (State.DENIED, State.DENIED)


def test_many_are_decided_at_once_and_each_is_reported(homeserver: MemoryHomeserver) -> None:
    rows = [waiting(f"maria{number}", f"maria@example{number}.net") for number in range(5)]
    decisions.deny(rows[1].id, BERT)
    ids = [row.id for row in reversed(rows)]

    outcomes = decisions.approve_many([*ids, 999_999], ANNA, "Welcome!")

    assert [outcome.application_id for outcome in outcomes] == [*ids, 999_999]
    refusals: dict[int, Refusal | None] = {outcome.application_id: outcome.refusal for outcome in outcomes}
    assert isinstance(refusals[rows[1].id], AlreadyDecided)
    assert isinstance(refusals[999_999], ApplicationUnknown)
    assert sum(refusal is None for refusal in refusals.values()) == 4
    assert all(outcome.refusal is None for outcome in decisions.undo_many(ids, ANNA))
    assert Application.objects.filter(state=State.WAITING).count() == 5


def test_reading_is_told_to_the_others_until_it_is_over(homeserver: MemoryHomeserver) -> None:
    application = waiting()
    assert decisions.claim_for_reading(application.id, ANNA)
    assert decisions.claim_for_reading(application.id, ANNA)
    assert not decisions.claim_for_reading(application.id, BERT)
    with time_machine.travel(now() + timedelta(minutes=6)):
        assert decisions.claim_for_reading(application.id, BERT)
    decisions.release(application.id, ANNA)
    assert fresh(application).claimed_by == "staff:bert"
    decisions.release(application.id, BERT)
    assert fresh(application).claimed_by == ""


def test_note_is_for_moderators_and_the_audit_has_none_of_it(homeserver: MemoryHomeserver) -> None:
    application = waiting()
    decisions.note(application.id, ANNA, "I know her.")
    decisions.deny(application.id, ANNA, "private words", "a reason of ours")

    facts = repr(list(Event.objects.values()))
    assert not any(words in facts for words in ("I know her", "private words", "a reason of ours", "maria"))
    assert [(it.by, it.text) for it in application.notes.all()] == [("staff:anna", "I know her.")]


def test_mail_that_will_go_out_can_be_shown_before_anybody_decides(homeserver: MemoryHomeserver) -> None:
    application = waiting()
    application.message = "Welcome!"

    assert "Welcome!" in mailing.approved_message(application).content().text
    assert "Welcome!" in mailing.denied_message(application).content().text


def test_nothing_secret_of_a_link_is_in_any_table(homeserver: MemoryHomeserver) -> None:
    without_admin(homeserver)
    application = approved(waiting(password=""))

    assert invites.email_key(link_of(application)) not in everything_in_tables()
