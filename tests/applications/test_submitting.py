from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import time_machine
from django.db import connection

from foyer.accounts import holding
from foyer.accounts.errors import PasswordsDiffer, PasswordTooShort
from foyer.accounts.models import State as AccountState
from foyer.applications import services
from foyer.applications.errors import (
    AnswerMissing,
    AnswerNotAChoice,
    AnswerTooLong,
    AnswerTooShort,
    NameNotChosen,
    NotAccepted,
    WrongState,
)
from foyer.applications.models import Application, PasswordWay, State
from foyer.applications.submitting import _begin
from foyer.homeserver.errors import NameTaken, PasswordRefused
from foyer.homeserver.memory import Fault, MemoryHomeserver
from foyer.homeserver.port import PasswordPolicy
from foyer.kit.clock import now
from foyer.kit.refusal import Refusal
from foyer.names import services as names
from foyer.notify.models import Delivery
from tests.applications.acts import (
    ANSWERS,
    OTHER,
    PASSWORD,
    accounts,
    approved,
    begin,
    everything_in_tables,
    fresh,
    in_state,
    let_time_pass,
    mails,
    submit,
    verified,
    waiting,
)
from tests.applications.conftest import OPEN
from tests.conftest import Configure

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

QUESTIONS = [
    {"id": "reason", "text": "Why?", "min_length": 10},
    {"id": "from", "text": "From where?", "kind": "choice", "choices": ["a friend", "the web"], "required": False},
    {"id": "adult", "text": "Are you 16?", "kind": "checkbox"},
]
RULES = {"title": "Rules", "url": "https://example.test/rules", "must_accept": True}
PRIVACY = {"title": "Privacy", "url": "https://example.test/privacy"}


def told_moderators() -> list[str]:
    return [row.kind for row in Delivery.objects.filter(recipient_shown__endswith="@example.test").order_by("id")]


def test_submit_holds_the_account_and_tells_applicant_and_moderators(any_homeserver: MemoryHomeserver) -> None:
    application = waiting(ip="192.0.2.7")

    assert (application.state, application.password_way) == (State.WAITING, PasswordWay.WHEN_APPLYING)
    maria = any_homeserver.accounts["maria"]
    assert (maria.locked, maria.password) == (True, PASSWORD)
    assert accounts() == {"maria": AccountState.HELD}
    assert names.holder_of("maria") == application.holder
    assert mails(application) == ["verification", "received", "new"]
    assert application.answers[0]["answer"] == ANSWERS["reason"]
    assert PASSWORD not in everything_in_tables()


def test_submit_where_nothing_can_be_held_leaves_the_password_for_later(homeserver: MemoryHomeserver) -> None:
    homeserver.has_token = False

    assert not services.password_is_asked()
    application = waiting(password="")

    assert (application.state, application.password_way) == (State.WAITING, PasswordWay.WHEN_APPROVED)
    assert homeserver.accounts == {}


def test_form_is_checked_as_a_whole(configure: Configure) -> None:
    configure(**OPEN, application={"questions": QUESTIONS}, legal=[RULES, PRIVACY])

    def refusals(answers: dict[str, str], *accepted: str, password: str = PASSWORD) -> list[type[Refusal]]:
        return [type(it) for it in services.validate(answers, accepted, password, PASSWORD)]

    good = {"reason": "I play the cello.", "from": "a friend", "adult": "on"}
    assert refusals(good, RULES["url"]) == []  # type: ignore[arg-type]
    assert refusals({}) == [AnswerMissing, AnswerMissing, NotAccepted]
    assert refusals({**good, "reason": " x ", "from": "elsewhere"}) == [AnswerTooShort, AnswerNotAChoice, NotAccepted]
    assert refusals({**good, "reason": "x" * 5001}, str(RULES["url"])) == [AnswerTooLong]
    assert refusals(good, str(RULES["url"]), password="short") == [PasswordTooShort, PasswordsDiffer]


def test_answers_and_consent_are_kept_with_what_was_asked_and_when(configure: Configure) -> None:
    configure(**OPEN, application={"questions": QUESTIONS}, legal=[RULES, PRIVACY])
    application = verified()

    services.submit(
        application,
        {"reason": "I play\r\nthe cello.\0", "adult": "on", "unasked": "x"},
        [str(RULES["url"]), "https://example.test/other"],
        PASSWORD,
    )

    row = fresh(application)
    assert [(it["id"], it["text"], it["answer"]) for it in row.answers] == [
        ("reason", "Why?", "I play\nthe cello."),
        ("from", "From where?", ""),
        ("adult", "Are you 16?", "yes"),
    ]
    assert [(it["title"], it["url"]) for it in row.legal] == [("Rules", RULES["url"])]
    assert row.legal[0]["at"].startswith("20")


def test_submit_before_the_email_is_proven_or_without_a_name_is_refused() -> None:
    with pytest.raises(WrongState):
        submit(begin("erika", "erika@example.net"))
    verified("maria", "first@example.net")
    second = verified("maria", "second@example.net")

    with pytest.raises(NameNotChosen):
        submit(second)

    assert fresh(second).answers[0]["answer"] == ANSWERS["reason"]  # nothing typed is lost
    services.choose_name(second, "maria2")
    assert submit(second).state == State.WAITING


def test_submit_with_a_name_lost_since_sends_back_and_keeps_the_answers(any_homeserver: MemoryHomeserver) -> None:
    application = verified()
    any_homeserver.create("maria", "somebody else's")

    with pytest.raises(NameTaken):
        submit(application)

    row = fresh(application)
    assert (row.state, row.localpart, row.submitting_at) == (State.VERIFIED, "", None)
    assert row.answers[0]["answer"] == ANSWERS["reason"]
    assert any_homeserver.accounts["maria"].password == "somebody else's"
    services.choose_name(application, "maria2")
    assert submit(application).state == State.WAITING


def test_submit_with_a_password_that_the_homeserver_forbids_can_be_pressed_again(
    any_homeserver: MemoryHomeserver,
) -> None:
    any_homeserver.policy = PasswordPolicy(digit=True)
    application = verified()

    with pytest.raises(PasswordRefused):
        submit(application)

    assert submit(application, "correct horse 1").state == State.WAITING


@pytest.mark.parametrize("deed", ["check_name", "hold"])
@pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.HALF_DONE])
def test_submit_with_the_homeserver_broken_waits_all_the_same(
    any_homeserver: MemoryHomeserver, deed: str, fault: Fault
) -> None:
    application = verified()
    any_homeserver.fail(fault, deed)

    submit(application)
    let_time_pass(60)

    row = fresh(application)
    assert (row.state, row.password_way) == (State.WAITING, PasswordWay.WHEN_APPROVED)
    if "maria" in any_homeserver.accounts:
        assert any_homeserver.accounts["maria"].locked
        assert any_homeserver.accounts["maria"].password != PASSWORD
    assert approved(application).invite_id is not None


def test_submit_that_takes_longer_than_eight_seconds_waits_with_the_password_to_come(
    homeserver: MemoryHomeserver,
) -> None:
    homeserver.has_secret = False
    application = verified()
    homeserver.delay = 0.4

    services.submit(application, ANSWERS, [], PASSWORD, PASSWORD, hold_seconds=1.0)

    homeserver.delay = 0
    assert fresh(application).password_way == PasswordWay.WHEN_APPROVED
    assert accounts() == {"maria": AccountState.UNKNOWN}
    let_time_pass(30)
    assert accounts() == {"maria": AccountState.SHELVED}
    assert homeserver.accounts["maria"].locked


def test_submit_pressed_five_times_at_once_is_one_request(any_homeserver: MemoryHomeserver) -> None:
    any_homeserver.delay = 0.05
    application = verified()
    results: list[object] = []
    barrier = threading.Barrier(5)

    def press() -> None:
        barrier.wait()
        try:
            results.append(services.submit(application, ANSWERS, [], PASSWORD, PASSWORD))
        finally:
            connection.close()

    threads = [threading.Thread(target=press) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert results == [services.Submitted(chooses_password_later=False)] * 5
    assert mails(application) == ["verification", "received", "new"]
    assert any_homeserver.calls.count("hold") == 1


@pytest.mark.parametrize("step", ["turn taken", "account held"])
def test_submit_whose_process_was_killed_can_be_pressed_again(any_homeserver: MemoryHomeserver, step: str) -> None:
    application = verified()
    _begin(application.id, ANSWERS, [], [])
    if step == "account held":
        holding.hold("maria", PASSWORD, holder=application.holder)

    with time_machine.travel(now() + timedelta(seconds=30)):
        submit(application, OTHER)

    assert in_state(application, State.WAITING)
    assert any_homeserver.accounts["maria"].password == OTHER
    assert accounts() == {"maria": AccountState.HELD}


def test_application_withdrawn_while_its_account_is_being_held_ends_with_an_empty_shell(
    any_homeserver: MemoryHomeserver,
) -> None:
    application = verified()

    class Impatient(MemoryHomeserver):
        def hold(self, localpart: str, password: str):  # type: ignore[no-untyped-def]
            services.withdraw(application)
            return super().hold(localpart, password)

    any_homeserver.__class__ = Impatient
    with pytest.raises(WrongState):
        submit(application)
    let_time_pass(10)

    assert in_state(application, State.WITHDRAWN)
    assert accounts() == {"maria": AccountState.SHELVED}
    assert names.holder_of("maria") is None


def test_flood_of_applications_is_one_digest(homeserver: MemoryHomeserver) -> None:
    for number in range(7):
        waiting(f"maria{number}", f"maria@example{number}.net")
    assert told_moderators() == ["applications.new"] * 4

    let_time_pass(0)
    with time_machine.travel(now() + timedelta(minutes=16)):
        let_time_pass(0)

    assert told_moderators() == ["applications.new"] * 4 + ["applications.digest"]


def test_flags_say_what_stands_out(homeserver: MemoryHomeserver) -> None:
    for number in range(2):
        begin(f"somebody{number}", f"somebody@example{number}.net", ip="192.0.2.7")

    application = waiting("4dm1n", "maria@example.net", ip="192.0.2.7")

    assert {flag["code"] for flag in application.flags} == {"subnet-busy", "looks-like"}
    assert application.is_flagged
    assert Application.objects.filter(is_flagged=True).count() == 1
