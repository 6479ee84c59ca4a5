from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foyer.accounts.models import Account, State
from foyer.homeserver.memory import Fault, MemoryHomeserver
from foyer.invites.models import Invite
from foyer.invites.services import email_key
from foyer.kit.clock import now
from foyer.screening import limits
from tests.conftest import Configure
from tests.web.conftest import CODE, MakeInvite

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "correct horse battery"
HTML = {"Accept": "text/html,application/xhtml+xml"}


@pytest.fixture(autouse=True)
def config(configure: Configure, homeserver: MemoryHomeserver) -> None:
    limits.reset()


def send(client: Client, **fields: str) -> Any:
    form = {"token": CODE, "username": "maria", "password": PASSWORD, **fields}
    return client.post("/register", form, headers=HTML)


def test_submit_makes_the_account_and_leads_to_the_welcome_page(
    client: Client, invite: Invite, homeserver: MemoryHomeserver
) -> None:
    answer = send(client)

    assert answer.status_code == 303
    assert answer["Location"].startswith("register/welcome/")
    assert answer["Cache-Control"] == "no-store"
    assert homeserver.accounts["maria"].password == PASSWORD
    welcome = client.get("/" + answer["Location"])
    assert "@maria:example.test" in welcome.text


def test_submit_keeps_the_language_that_the_link_chose(client: Client, invite: Invite) -> None:
    form = {"token": CODE, "username": "maria", "password": PASSWORD}

    answer = client.post("/register?lang=de", form, headers=HTML)

    assert answer["Location"].endswith("?lang=de")


def test_submit_pressed_twice_lets_the_same_person_in(client: Client, invite: Invite) -> None:
    first, second = send(client), send(client)

    assert second.status_code == 303
    assert second["Location"] == first["Location"]
    assert Account.objects.filter(state=State.OPEN).count() == 1


def test_submit_of_a_taken_name_keeps_what_was_typed_but_the_password(
    client: Client, invite: Invite, homeserver: MemoryHomeserver
) -> None:
    homeserver.create("maria", "of somebody else")

    answer = send(client)

    assert answer.status_code == 400
    assert '<p class="error" id="username-error">This user name is taken. Choose another one.</p>' in answer.text
    assert 'name="username" value="maria"' in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert '<a href="#username">' in answer.text
    assert answer.text.count("data-pick=") == 3
    assert PASSWORD not in answer.text


def test_submit_with_several_mistakes_says_all_of_them(client: Client, invite: Invite) -> None:
    text = send(client, username="Maria Müller", password="short", confirm="other").text

    assert "3 things to put right" in text
    assert text.count('aria-invalid="true"') == 3


def test_submit_without_the_second_password_is_our_own_page(client: Client, invite: Invite) -> None:
    assert send(client).status_code == 303


def test_submit_with_two_different_passwords_is_refused(client: Client, invite: Invite) -> None:
    answer = send(client, confirm="something else")

    assert answer.status_code == 400
    assert "The two passwords are not the same" in answer.text


def test_submit_without_accepting_the_rules_is_refused(
    client: Client, invite: Invite, configure: Configure, homeserver: MemoryHomeserver
) -> None:
    configure(legal=[{"title": "House rules", "url": "https://example.org/rules", "must_accept": True}])

    answer = send(client)

    assert answer.status_code == 400
    assert "Please accept: House rules" in answer.text
    assert "maria" not in homeserver.accounts
    assert send(client, **{"accept-1": "yes"}).status_code == 303


def test_submit_keeps_the_ticks(client: Client, invite: Invite, configure: Configure) -> None:
    configure(legal=[{"title": "House rules", "url": "https://example.org/rules", "must_accept": True}])

    text = send(client, password="short", **{"accept-1": "yes"}).text

    assert 'value="yes" required checked' in text


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (Fault.DOWN, "The homeserver did not answer."),
        (Fault.BUSY, "The homeserver is very busy."),
        (Fault.MISCONFIGURED, "This server’s front door is not set up right."),
    ],
)
def test_submit_when_the_homeserver_fails_says_so_and_keeps_the_invitation(
    client: Client, invite: Invite, homeserver: MemoryHomeserver, fault: Fault, sentence: str
) -> None:
    homeserver.fail(fault, "create")

    answer = send(client)

    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0
    assert sentence.replace("’", "'") in answer.text.replace("’", "'").replace("&#39;", "'")
    assert "Your invitation is still good." in answer.text
    assert 'name="username" value="maria"' in answer.text
    assert Invite.objects.get(code=CODE).held == 0
    assert send(client).status_code == 303


def test_submit_whose_answer_was_lost_is_finished_by_pressing_again(
    client: Client, invite: Invite, homeserver: MemoryHomeserver
) -> None:
    homeserver.fail(Fault.LOST_ANSWER, "create")
    homeserver.fail(Fault.DOWN, "password_is_right")

    lost = send(client)
    again = send(client)

    assert lost.status_code == 503
    assert "Your invitation is kept for you." in lost.text
    assert again.status_code == 303
    assert list(homeserver.accounts) == ["maria"]


def test_submit_too_often_says_when_to_come_back(
    client: Client, invite: Invite, configure: Configure, homeserver: MemoryHomeserver
) -> None:
    configure(screening={"join_overall": ["2/minute"]})
    for password in ("short", "shorter"):
        assert send(client, password=password).status_code == 400

    answer = send(client)

    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 60
    assert "<h1>A little slower, please</h1>" in answer.text
    assert f"Try again in {answer['Retry-After']} second" in answer.text
    assert homeserver.accounts == {}


def test_submit_with_a_link_that_died_meanwhile_says_so(client: Client, make_invite: MakeInvite) -> None:
    make_invite(used=1)

    assert "<h1>This invitation has been used up</h1>" in send(client).text


def test_submit_with_a_link_whose_use_is_held_keeps_the_form(client: Client, make_invite: MakeInvite) -> None:
    make_invite(held=1)

    answer = send(client)

    assert answer.status_code == 409
    assert "Somebody is joining with this invitation right now." in answer.text
    assert 'name="username" value="maria"' in answer.text


def test_submit_with_another_name_than_the_pinned_one_shows_the_right_one(
    client: Client, make_invite: MakeInvite
) -> None:
    make_invite(localpart="rosa")

    answer = send(client)

    assert answer.status_code == 400
    assert "This invitation is for the user name rosa." in answer.text
    assert 'name="username" value="rosa"' in answer.text


def test_submit_with_a_wrong_key_is_for_somebody_else(client: Client, make_invite: MakeInvite) -> None:
    invite = make_invite(email="rosa@example.org")

    assert "<h1>This invitation is for somebody else</h1>" in send(client, key="0" * 32).text
    assert send(client, key=email_key(invite)).status_code == 303


def test_submit_without_anything_is_no_failure(client: Client) -> None:
    answer = client.post("/register", headers=HTML)

    assert answer.status_code == 400
    assert answer.text.startswith("<!doctype html>")


def test_submit_of_a_body_that_is_no_form_is_no_failure(client: Client) -> None:
    answer = client.post("/register", b"\xff\x00{", content_type="application/json", headers=HTML)

    assert answer.status_code == 400


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    form=st.dictionaries(
        st.sampled_from(["token", "username", "password", "confirm", "key", "accept-1", "lang"]), st.text(max_size=80)
    )
)
def test_submit_of_any_text_is_never_a_failure(client: Client, invite: Invite, form: dict[str, str]) -> None:
    assert client.post("/register", form, headers=HTML).status_code in {303, 400, 403, 404, 410}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(token=st.text(max_size=200), lang=st.text(max_size=40))
def test_page_for_any_query_is_never_a_failure(client: Client, invite: Invite, token: str, lang: str) -> None:
    assert client.get("/register", {"token": token, "lang": lang}).status_code in {200, 404}


def test_submit_of_a_name_that_rests_keeps_the_name_and_says_when_to_come_back(
    client: Client, invite: Invite, homeserver: MemoryHomeserver
) -> None:
    left = now() + timedelta(seconds=30)
    Account.objects.create(
        localpart="maria", state=State.SHELVED, is_shell=True, unsure_until=left, unsure_for="invite:0"
    )

    answer = send(client)

    assert (answer.status_code, answer["Retry-After"]) == (503, "60")
    assert "it is being cleared away. Wait two minutes" in answer.text
    assert "Your invitation is still good." in answer.text
    assert 'value="maria"' in answer.text
    assert PASSWORD not in answer.text
    assert Invite.objects.get().held == 0
    assert "maria" not in homeserver.accounts
