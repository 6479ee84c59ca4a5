"""User registrations in Django's admin."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.http import HttpResponseBase
from django.test import Client
from django.test.utils import CaptureQueriesContext

from foyer.applications import decisions, keys, queries, services
from foyer.applications.models import Application, State
from foyer.audit.models import Event
from foyer.homeserver.memory import MemoryHomeserver
from foyer.jobs.worker import Worker
from foyer.kit.actor import Actor
from foyer.kit.clock import now
from foyer.notify.models import Delivery
from tests.web.admin.conftest import LIST, PASSWORD, REASON, Apply, SignIn, change_path

pytestmark = pytest.mark.database

ANNA = Actor.staff("anna")


def fresh(row: Application) -> Application:
    return queries.by_id(row.pk)


def text_of(response: HttpResponseBase) -> str:
    content = getattr(response, "content", b"").decode()
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", content.partition("<main")[2])).split())


def columns_of(response: HttpResponseBase) -> list[str]:
    content = getattr(response, "content", b"").decode()
    return re.findall(r'class="(?:\w+ )*column-(\w+)', content)


def rows_of(response: HttpResponseBase) -> list[int]:
    content = getattr(response, "content", b"").decode()
    return [int(number) for number in re.findall(r'name="_selected_action" value="(\d+)"', content)]


def save(client: Client, row: Application, status: str, **more: str) -> Any:
    values = {"status": status, "mod_message": "", "notify": "on", "internal_reason": "", **more}
    return client.post(change_path(row), {name: value for name, value in values.items() if value}, follow=True)


def choose(client: Client, action: str, rows: list[Application], **more: str) -> Any:
    values = {"action": action, "_selected_action": [str(row.pk) for row in rows], **more}
    return client.post(LIST, values, follow=True)


def after_a_minute() -> None:
    """Do what is owed once decisions can be taken back no more."""
    with time_machine.travel(now() + timedelta(seconds=61)):
        Worker().run_until_idle("house")
        Worker().run_until_idle("homeserver")


def test_list_has_the_columns_that_people_know(admin: Client, apply: Apply) -> None:
    apply(ip="192.0.2.7")
    page = admin.get(LIST)
    text = text_of(page)
    assert columns_of(page) == [
        *("id", "username", "email_shown", "verified", "reason_given", "status", "started", "ip_shown", "denied"),
    ]
    for piece in ("User name", "Prior denials", "maria@example.com", REASON, "Requested", "192.0.2.7"):
        assert piece in text
    assert "Select user registration to change" in text


def test_list_asks_the_database_as_often_for_many_rows_as_for_one(admin: Client, apply: Apply) -> None:
    apply("maria")
    with CaptureQueriesContext(connection) as one:
        admin.get(LIST)
    for name in ("paul", "eva", "tom"):
        apply(name)
    with CaptureQueriesContext(connection) as four:
        admin.get(LIST)
    assert len(four) == len(one)


def test_list_counts_prior_denials_of_the_name_and_of_the_mailbox_once(admin: Client, apply: Apply) -> None:
    row = apply("maria")
    decisions.deny(row.id, ANNA, at_once=True)
    Worker().run_until_idle("house")
    again = queries.by_key(services.start("mar1a", "maria+again@example.com").key)
    page = admin.get(LIST).content.decode()
    denials = re.findall(r'class="field-denied">(\d+)<', page)
    assert denials == ["1", "0"]
    assert rows_of(admin.get(LIST)) == [again.pk, row.pk]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("status=started", ["tom", "eva"]),
        ("status=requested", ["paul", "maria"]),
        ("status=denied", ["carl"]),
        ("status=approved", []),
        ("status=nonsense", ["carl", "tom", "eva", "paul", "maria"]),
        ("verified=1", ["carl", "eva", "paul", "maria"]),
        ("verified=0", ["tom"]),
        ("q=paul@", ["paul"]),
        ("q=eva", ["eva"]),
        ("q=tomatoes", ["maria"]),
        ("q=192.0.2.", ["paul"]),
        ("q=%22*", []),
        ("q=+", ["carl", "tom", "eva", "paul", "maria"]),
        ("q=e&status=denied&verified=1", []),
    ],
)
def test_list_filters_and_searches(admin: Client, apply: Apply, query: str, names: list[str]) -> None:
    apply("maria")
    decisions.ask(apply("paul", ip="192.0.2.7", reason="Because my whole choir is here.").id, ANNA, "Which choir?")
    apply("eva", until="about")
    apply("tom", until="email")
    decisions.deny(apply("carl", reason="No reason that I would tell you.").id, ANNA)
    page = admin.get(f"{LIST}?{query}")
    assert page.status_code == 200
    by_id = {row.id: row.localpart for row in Application.objects.all()}
    assert [by_id[number] for number in rows_of(page)] == names


def test_page_shows_everything_and_no_secret(admin: Client, apply: Apply) -> None:
    other, row = apply("mar1a"), apply("maria", ip="192.0.2.7")
    decisions.ask(row.id, ANNA, "Which tomatoes?")
    services.reply(row, "Ox hearts.\n<b>Big</b> ones.")
    decisions.note(row.id, ANNA, "Sounds nice.")
    page = admin.get(change_path(row))
    text = text_of(page)
    for piece in (REASON, "Which tomatoes?", "<b>Big</b> ones.", "Sounds nice.", "application.submitted"):
        assert piece in text
    assert f"{other.pk} mar1a" in text
    content = page.content.decode()
    assert "<b>Big" not in content
    for secret in (keys.status_key(row), keys.mail_key(row), keys.code(row), row.nonce, row.key_digest):
        assert secret not in content


def test_page_offers_the_five_statuses(admin: Client, apply: Apply) -> None:
    row = apply()
    offered = re.findall(r'<option value="(\w+)"( selected)?>(\w+)<', admin.get(change_path(row)).content.decode())
    assert [(label, bool(chosen)) for _value, chosen, label in offered] == [
        *(("Started", False), ("Requested", True), ("Approved", False), ("Denied", False), ("Completed", False)),
    ]


def test_saving_approved_calls_the_service(admin: Client, apply: Apply, homeserver: MemoryHomeserver) -> None:
    row = apply()
    page = save(admin, row, "approved", mod_message="Welcome!", internal_reason="knows Anna")
    decided = fresh(row)
    assert (decided.state, decided.decided_by, decided.message, decided.reason, decided.is_silent) == (
        *(State.APPROVED, "staff:bert", "Welcome!", "knows Anna", False),
    )
    assert "It takes effect in a minute; until then it can be taken back." in text_of(page)
    assert Event.objects.filter(verb="application.approved", actor="staff:bert").count() == 1
    assert LogEntry.objects.count() == 0

    after_a_minute()
    assert fresh(row).state == State.DONE
    assert homeserver.password_is_right("maria", PASSWORD)
    assert Delivery.objects.filter(kind="applications.approved").count() == 1


def test_saving_denied_without_notify_sends_no_mail(admin: Client, apply: Apply) -> None:
    row = apply()
    save(admin, row, "denied", notify="")
    after_a_minute()
    assert (fresh(row).state, fresh(row).is_silent) == (State.DENIED, True)
    assert Delivery.objects.filter(kind="applications.denied").count() == 0


@pytest.mark.parametrize("status", ["started", "requested", "completed", "lapsed", "nonsense", ""])
def test_saving_anything_else_is_refused_with_a_sentence(admin: Client, apply: Apply, status: str) -> None:
    row = apply()
    before = Application.objects.values().get()
    page = save(admin, row, status)
    assert page.status_code == 200
    assert "Please correct the error below." in text_of(page)
    if status in {"started", "requested", "completed"}:
        assert "Only Approved and Denied can be chosen here" in text_of(page)
    assert Application.objects.values().get() == before


def test_saving_approved_again_sends_nothing_and_says_who_decided(admin: Client, apply: Apply) -> None:
    row = apply()
    decisions.approve(row.id, ANNA)
    for status in ("approved", "denied"):
        assert "anna has decided on this already, and nothing was sent again." in text_of(save(admin, row, status))
    assert fresh(row).decided_by == "staff:anna"
    assert Event.objects.filter(verb__in=["application.approved", "application.denied"]).count() == 1


@pytest.mark.parametrize("until", ["email", "about"])
def test_saving_approved_before_it_was_sent_is_refused(admin: Client, apply: Apply, until: str) -> None:
    row = apply(until=until)
    assert "This cannot be decided on" in text_of(save(admin, row, "approved"))
    assert fresh(row).state == row.state


def test_saving_writes_no_other_field(admin: Client, apply: Apply) -> None:
    row = apply()
    save(admin, row, "approved", localpart="root", email="evil@example.com", state="done", answers="[]", ip="192.0.2.1")
    kept = fresh(row)
    assert (kept.localpart, kept.email, kept.answers, kept.ip) == (row.localpart, row.email, row.answers, row.ip)


def test_action_asks_for_the_message_first(admin: Client, apply: Apply) -> None:
    rows = [apply("maria"), apply("paul")]
    page = choose(admin, "approve", rows, index="0")
    text = text_of(page)
    assert "maria@example.com" in text
    assert "Message to the applicant" in text
    assert {fresh(row).state for row in rows} == {State.WAITING}


def test_action_decides_on_all_that_were_chosen(admin: Client, apply: Apply) -> None:
    rows = [apply("maria"), apply("paul"), apply("eva")]
    decisions.deny(rows[1].id, ANNA)
    page = choose(admin, "approve", rows, decide="Approve", message="Welcome!", notify="on")
    text = text_of(page)
    assert "2 were done." in text
    assert f"{rows[1].pk}: anna has decided on this request already" in text
    assert [fresh(row).state for row in rows] == [State.APPROVED, State.DENIED, State.APPROVED]
    assert {(fresh(row).message, fresh(row).is_silent) for row in (rows[0], rows[2])} == {("Welcome!", False)}


def test_action_denies_silently(admin: Client, apply: Apply) -> None:
    row = apply()
    choose(admin, "deny", [row], decide="Deny", internal_reason="spam")
    assert (fresh(row).state, fresh(row).is_silent, fresh(row).reason) == (State.DENIED, True, "spam")


def test_action_across_pages_decides_on_what_the_filter_shows(admin: Client, apply: Apply) -> None:
    rows = [apply("maria"), apply("paul")]
    early = apply("tom", until="email")
    values = {"action": "deny", "_selected_action": str(rows[0].pk), "select_across": "1", "decide": "Deny"}
    admin.post(f"{LIST}?status=requested", values)
    assert [fresh(row).state for row in (*rows, early)] == [State.DENIED, State.DENIED, State.UNVERIFIED]


def test_action_takes_decisions_back(admin: Client, apply: Apply) -> None:
    row, late = apply("maria"), apply("paul")
    save(admin, row, "denied")
    decisions.deny(late.id, ANNA, at_once=True)
    Worker().run_until_idle("house")
    text = text_of(choose(admin, "take_back", [row, late], index="0"))
    assert "1 was done." in text
    assert f"{late.pk}: This decision has taken effect and cannot be undone any more." in text
    assert [fresh(row).state, fresh(late).state] == [State.WAITING, State.DENIED]


def test_nothing_can_be_added_or_deleted(admin: Client, apply: Apply) -> None:
    row = apply()
    assert admin.post(f"{LIST}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert admin.post(f"{LIST}add/", {}).status_code == 403
    choose(admin, "delete_selected", [row], post="yes", index="0")
    assert Application.objects.count() == 1


def test_history_leads_to_the_page_with_the_audit(admin: Client, apply: Apply) -> None:
    row = apply()
    assert admin.get(f"{LIST}{row.pk}/history/").headers["Location"] == change_path(row)


@pytest.mark.parametrize("number", ["0", "99999999999999999999999", "x"])
def test_page_of_a_number_that_nobody_has_leads_to_the_start(admin: Client, number: str) -> None:
    assert admin.get(f"{LIST}{number}/change/").status_code == 302


@pytest.mark.parametrize("role", ["moderator", ""])
def test_only_admins_may_look_and_decide(sign_in: SignIn, apply: Apply, role: str) -> None:
    row = apply()
    client = sign_in("anna", role) if role else Client(HTTP_HOST="localhost:5000", HTTP_ACCEPT="text/html")
    denied = {403} if role else {303}
    for path in (LIST, change_path(row), f"{LIST}{row.pk}/history/"):
        assert client.get(path).status_code in denied
    assert client.post(change_path(row), {"status": "approved", "notify": "on"}).status_code in {303, 403}
    values = {"action": "approve", "_selected_action": str(row.pk), "decide": "Approve"}
    assert client.post(LIST, values).status_code in {303, 403}
    assert fresh(row).state == State.WAITING
    assert fresh(row).decided_by == ""


def test_saving_without_the_forms_token_is_refused(admin: Client, apply: Apply) -> None:
    row = apply()
    strict = Client(enforce_csrf_checks=True, HTTP_HOST="localhost:5000", HTTP_ACCEPT="text/html")
    strict.cookies = admin.cookies
    assert strict.post(change_path(row), {"status": "approved", "notify": "on"}).status_code == 403
    assert fresh(row).state == State.WAITING
