from __future__ import annotations

from typing import Any

import pytest
from django.test import Client, RequestFactory

from foyer.applications import keys
from foyer.applications.models import Application, State
from foyer.homeserver.memory import MemoryHomeserver
from foyer.kit.actor import Actor
from foyer.names import services as names
from foyer.screening import limits
from foyer.screening import rules as screening_rules
from foyer.screening import services as rules
from foyer.screening.models import About, Effect
from foyer.screening.services import NewRule
from foyer.web.pages import render
from tests.conftest import Configure
from tests.web.apply.conftest import EMAIL, OPEN, Begin, follow, fresh, path_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_name_page_says_that_people_read(client: Client) -> None:
    answer = client.get("/apply")

    assert answer.status_code == 200
    assert "People read every request here" in answer.text
    assert '<li class="step step-here" aria-current="step">Name</li>' in answer.text
    assert answer["Cache-Control"] == "no-store"
    assert '<meta name="robots" content="noindex">' in answer.text


def test_name_that_is_taken_is_told_to_nobody_yet(client: Client, homeserver: MemoryHomeserver) -> None:
    homeserver.create("maria", "of somebody else")

    assert client.post("/apply", {"username": "maria"})["Location"] == "apply/email?name=maria"


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [("", "Choose a user name."), ("maría", "Use small letters"), ("root", "This user name is reserved.")],
)
def test_name_against_the_rules_stays_on_the_page(
    client: Client, configure: Configure, typed: str, sentence: str
) -> None:
    configure(**OPEN, usernames={"reserved": ["root"]})

    answer = client.post("/apply", {"username": typed})

    assert answer.status_code == 400
    assert sentence in answer.text
    assert f'name="username" value="{typed}"' in answer.text


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/apply", {"username": "maria", "email": EMAIL}),
        ("/apply/email", {"username": "maria", "email": EMAIL, "go": "name"}),
        ("/apply/email", {"username": "maría", "email": EMAIL}),
    ],
)
def test_name_tried_too_often_keeps_what_was_typed(
    client: Client, configure: Configure, path: str, form: dict[str, str]
) -> None:
    configure(**{**OPEN, "screening": {"limits": True}}, trusted_proxies=["127.0.0.1"])
    limits.reset()
    rate = screening_rules.rule("availability").per_client[0]
    statuses = {
        client.post(path, form, headers={"X-Forwarded-For": "203.0.113.9"}).status_code for _ in range(rate.count)
    }

    answer = client.post(path, form, headers={"X-Forwarded-For": "203.0.113.9"})

    assert 429 not in statuses
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    assert "There were too many tries from your network" in answer.text
    assert f'value="{form["username"]}"' in answer.text
    assert f'value="{EMAIL}"' in answer.text
    assert client.post(path, form, headers={"X-Forwarded-For": "203.0.113.10"}).status_code != 429


@pytest.mark.parametrize("typed", ["admin", "4dm1n"])
def test_name_that_a_rule_refuses_is_told_at_once(client: Client, typed: str) -> None:
    rules.make(NewRule(About.NAME, Effect.REFUSE, "admin", "nobody"), actor=Actor.staff("anna"))

    answer = client.post("/apply", {"username": typed})

    assert answer.status_code == 400
    assert "This user name cannot be had here. Choose another one." in answer.text
    assert f'name="username" value="{typed}"' in answer.text
    assert "nobody" not in answer.text


def test_name_that_a_rule_only_holds_goes_on(client: Client) -> None:
    rules.make(NewRule(About.NAME, Effect.HOLD, "admin"), actor=Actor.staff("anna"))

    assert client.post("/apply", {"username": "admin"})["Location"] == "apply/email?name=admin"


def test_name_chosen_anew_from_the_email_step_keeps_what_was_typed_there(client: Client) -> None:
    back = client.post("/apply/email", {"username": "maria", "email": EMAIL, "go": "name"})
    assert f'name="email" value="{EMAIL}"' in back.text
    assert 'name="username" value="maria"' in back.text

    forth = client.post("/apply", {"username": "rosa", "email": EMAIL})

    assert "@rosa:example.test" in forth.text
    assert f'type="email" value="{EMAIL}"' in forth.text
    assert not Application.objects.exists()


def test_name_page_of_a_closed_door_says_so(client: Client, configure: Configure) -> None:
    configure(ways_in=["invitation"])

    for path in ("/apply", "/apply/email?name=maria"):
        answer = client.get(path)
        assert answer.status_code == 403
        assert "New accounts cannot be asked for here at the moment." in answer.text


def test_name_lost_is_said_after_the_proof_and_another_is_chosen(
    client: Client, begin: Begin, homeserver: MemoryHomeserver
) -> None:
    homeserver.create("maria", "of somebody else")
    row = begin()

    page = follow(client, client.post(path_of(row, "/verify"), {"code": keys.code(row)}))

    assert "<strong><bdi>maria</bdi></strong> belongs to somebody else by now." in page.text
    assert page.text.count("data-pick=") == 3
    again = client.post(path_of(row, "/name"), {"username": "maria"})
    assert again.status_code == 400
    assert "This user name is taken." in again.text
    about = follow(client, client.post(path_of(row, "/name"), {"username": "rosa"}))
    assert "@rosa:example.test" in about.text
    assert names.holder_of("rosa") == row.holder


def test_available_is_answered_after_the_proof_only(client: Client, begin: Begin, homeserver: MemoryHomeserver) -> None:
    homeserver.create("maria", "of somebody else")
    unproven, proven = begin("rosa"), begin("anna", "anna@example.com", until="about")

    refused = client.get(path_of(unproven, "/available"), {"username": "maria"})
    taken = client.get(path_of(proven, "/available"), {"username": "maria"}).json()
    free = client.get(path_of(proven, "/available"), {"username": "lena"}).json()

    assert refused.status_code == 409
    assert "available" not in refused.json()
    assert (taken["available"], taken["code"], len(taken["suggestions"])) == (False, "name-taken", 3)
    assert free == {"available": True, "username": "lena", "address": "@lena:example.test"}


def test_name_cannot_be_changed_once_the_request_is_sent(client: Client, begin: Begin) -> None:
    row = begin(until="review")

    assert client.get(path_of(row, "/name")).status_code == 303
    assert client.post(path_of(row, "/name"), {"username": "rosa"}).status_code == 303
    assert (fresh(row).localpart, fresh(row).state) == ("maria", State.WAITING)


def test_name_step_can_stand_for_the_landing_page(client: Client, django_assert_num_queries: Any) -> None:
    """Where this is the only way in. That page knows nothing but what all pages know, and asks no table."""
    with django_assert_num_queries(0):
        text = render(RequestFactory().get("/"), "apply/name.html").text

    assert 'action="apply"' in text
    assert "Choose a user name" in text


def test_name_keeps_the_language_that_the_address_chose(client: Client) -> None:
    answer = client.post("/apply?lang=de", {"username": "maria"})

    assert answer["Location"] == "apply/email?name=maria&lang=de"
