from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foyer.applications.models import State
from foyer.homeserver.memory import Fault, MemoryHomeserver
from foyer.kit.clock import now
from foyer.web.apply import traps
from tests.conftest import Configure
from tests.web.apply.conftest import EMAIL, OPEN, PASSWORD, REASON, Begin, follow, fresh, path_of

pytestmark = pytest.mark.django_db(transaction=True)

QUESTIONS = [
    {"id": "reason", "text": "Why here?", "min_length": 30},
    {"id": "heard", "text": "How did you hear of us?", "kind": "choice", "choices": ["A friend", "A search"]},
    {"id": "adult", "text": "I am at least 16.", "kind": "checkbox"},
    {"id": "more", "text": "Anything else?", "required": False},
]
LEGAL = [{"title": "House rules", "url": "https://example.org/rules", "must_accept": True}]
WHOLE = {
    "q-reason": REASON,
    "q-heard": "A friend",
    "q-adult": "yes",
    "accept-1": "yes",
    "password": PASSWORD,
}


@pytest.fixture(autouse=True)
def asks(open_door: None, configure: Configure) -> None:
    configure(**{**OPEN, "application": {"password": "when_applying", "questions": QUESTIONS}}, legal=LEGAL)


def test_about_asks_everything_the_owner_wants_to_know(client: Client, begin: Begin) -> None:
    text = client.get(path_of(begin(until="about"), "/about")).text

    assert '<label for="q-reason" dir="auto">Why here?</label>' in text
    assert 'minlength="30"' in text
    assert text.count('type="radio"') == 2
    assert 'name="accept-1" value="yes" required' in text
    assert text.index('name="accept-1"') < text.index('name="password"')
    assert "(if you like)" in text
    assert 'value="maria" readonly tabindex="-1" aria-hidden="true" autocomplete="username"' in text


def test_about_with_nothing_says_everything_at_once(client: Client, begin: Begin) -> None:
    answer = client.post(path_of(begin(until="about"), "/about"), {})

    assert answer.status_code == 400
    assert "5 things to put right" in answer.text
    for anchor in ("q-reason", "q-heard", "q-adult", "accept-1", "password"):
        assert f'<a href="#{anchor}">' in answer.text
        assert f'id="{anchor}"' in answer.text


def test_about_refused_keeps_everything_but_the_password(client: Client, begin: Begin) -> None:
    answer = client.post(path_of(begin(until="about"), "/about"), {**WHOLE, "password": "t0mat0"})

    assert answer.status_code == 400
    assert f"\n{REASON}</textarea>" in answer.text
    assert 'value="A friend" required checked' in answer.text
    assert answer.text.count(" checked") == 3
    assert "t0mat0" not in answer.text


def test_about_left_for_another_name_finds_its_answers_again(client: Client, begin: Begin) -> None:
    row = begin(until="about")
    sent = {**WHOLE, "q-reason": "half a sen", "password": PASSWORD, "go": "name"}

    name_page = follow(client, client.post(path_of(row, "/about"), sent))
    assert "<h1>Choose another name</h1>" in name_page.text
    about_page = follow(client, client.post(path_of(row, "/name"), {"username": "rosa"}))

    assert "\nhalf a sen</textarea>" in about_page.text
    assert 'value="A friend" required checked' in about_page.text
    assert PASSWORD not in about_page.text
    assert "@rosa:example.test" in about_page.text
    assert fresh(row).state == State.VERIFIED


def test_about_left_for_another_email_finds_its_answers_again(client: Client, begin: Begin) -> None:
    row = begin(until="about")

    email_page = follow(client, client.post(path_of(row, "/about"), {**WHOLE, "go": "email"}))

    assert f'type="email" value="{EMAIL}"' in email_page.text
    assert REASON in client.get(path_of(row, "/about")).text


def test_about_sent_twice_is_one_request(client: Client, begin: Begin, homeserver: MemoryHomeserver) -> None:
    row = begin(until="about")

    first, second = (client.post(path_of(row, "/about"), WHOLE) for _ in range(2))

    assert (first.status_code, second.status_code) == (303, 303)
    assert list(homeserver.accounts) == ["maria"]
    assert fresh(row).legal[0]["title"] == "House rules"


def test_about_while_the_homeserver_is_down_says_when_the_password_is_chosen(
    client: Client, begin: Begin, homeserver: MemoryHomeserver
) -> None:
    row = begin(until="about")
    homeserver.fail(Fault.DOWN, "hold")

    page = follow(client, client.post(path_of(row, "/about"), WHOLE))

    assert "You choose your password from that mail." in page.text


def test_about_when_the_name_is_lost_chooses_another_and_keeps_the_answers(
    client: Client, begin: Begin, homeserver: MemoryHomeserver
) -> None:
    row = begin(until="about")
    homeserver.create("maria", "of somebody quicker")

    page = follow(client, client.post(path_of(row, "/about"), WHOLE))

    assert "<strong><bdi>maria</bdi></strong> belongs to somebody else by now." in page.text
    client.post(path_of(row, "/name"), {"username": "rosa"})
    assert REASON in client.get(path_of(row, "/about")).text


@pytest.mark.parametrize(
    ("form", "seconds", "codes"),
    [
        ({}, 4, []),
        ({}, 1, ["sent-at-once"]),
        ({"since": "forged"}, 4, ["sent-at-once"]),
        ({"topic_line": "Buy now"}, 4, ["trap-filled"]),
    ],
)
def test_traps_flag_a_request_and_refuse_nobody(
    client: Client, begin: Begin, form: dict[str, str], seconds: int, codes: list[str]
) -> None:
    row = begin(until="about")
    moment = now()
    with time_machine.travel(moment, tick=False):
        since = traps.marks().since
    with time_machine.travel(moment + timedelta(seconds=seconds), tick=False):
        answer = client.post(path_of(row, "/about"), {"since": since, **WHOLE, **form})

    assert answer.status_code == 303
    assert [flag["code"] for flag in fresh(row).flags] == codes


def test_traps_are_seen_by_no_screen_reader_and_no_password_manager(client: Client, begin: Begin) -> None:
    text = client.get(path_of(begin(until="about"), "/about")).text

    trap = text[text.index('<div class="unseen" aria-hidden="true">') :].partition("</div>")[0]
    assert 'tabindex="-1" autocomplete="off"' in trap
    assert "data-1p-ignore" in trap
    assert "required" not in trap


def test_traps_time_a_form_from_its_first_showing(client: Client, begin: Begin) -> None:
    since = traps.marks().since

    answer: Any = client.post(path_of(begin(until="about"), "/about"), {"since": since})

    assert f'name="since" value="{since}"' in answer.text


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    form=st.dictionaries(
        st.sampled_from([*WHOLE, "confirm", "go", "since", "topic_line", "username", "email", "code", "text", "lang"]),
        st.text(max_size=60),
    ),
    page=st.sampled_from(["", "/email", "/name", "/about", "/verify", "/again", "/reply", "/renew", "/freely"]),
)
def test_any_text_on_any_page_is_never_a_failure(client: Client, begin: Begin, form: dict[str, str], page: str) -> None:
    row = begin(email=f"maria{time.monotonic_ns()}@example.com", username=f"m{time.monotonic_ns()}", until="about")

    assert client.post(path_of(row, page), form).status_code in {303, 400, 405, 409, 429}
    assert client.post("/apply", form).status_code in {200, 303, 400}
    assert client.post("/apply/email", form).status_code in {200, 303, 400, 429}
