from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from foyer.homeserver.memory import Fault, MemoryHomeserver
from foyer.invites.models import Invite
from foyer.screening import limits
from tests.conftest import Configure
from tests.web.conftest import CODE, MakeInvite

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def config(configure: Configure, homeserver: MemoryHomeserver) -> None:
    limits.reset()


def ask(client: Client, username: str, token: str = CODE) -> Any:
    return client.get("/register/available", {"token": token, "username": username})


def test_available_for_a_free_name_shows_the_address(client: Client, invite: Invite) -> None:
    answer = ask(client, "@Maria:example.test")

    assert answer.status_code == 200
    assert answer.json() == {"available": True, "username": "maria", "address": "@maria:example.test"}
    assert answer["Cache-Control"] == "no-store"


def test_available_for_a_taken_name_suggests_others(
    client: Client, invite: Invite, homeserver: MemoryHomeserver
) -> None:
    homeserver.create("maria", "of somebody else")

    said = ask(client, "maria").json()

    assert (said["available"], said["code"]) == (False, "name-taken")
    assert said["sentence"] == "This user name is taken. Choose another one."
    assert len(said["suggestions"]) == 3


def test_available_for_a_taken_name_typed_as_a_whole_address_suggests_others(
    client: Client, invite: Invite, homeserver: MemoryHomeserver
) -> None:
    homeserver.create("maria", "of somebody else")

    assert len(ask(client, "@Maria:example.test").json()["suggestions"]) == 3


def test_available_for_a_name_that_cannot_be_one_says_why(client: Client, invite: Invite) -> None:
    said = ask(client, "maría").json()

    assert (said["available"], said["code"], said["suggestions"]) == (False, "name-malformed", [])


@pytest.mark.parametrize("token", ["", "Nothing"])
def test_available_without_a_live_invitation_tells_nothing(client: Client, token: str) -> None:
    answer = ask(client, "maria", token)

    assert answer.status_code == 403
    assert "available" not in answer.json()


def test_available_with_a_used_up_invitation_tells_nothing(client: Client, make_invite: MakeInvite) -> None:
    make_invite(used=1)

    answer = ask(client, "maria")

    assert (answer.status_code, answer.json()["code"]) == (403, "invite-spent")


def test_available_when_the_homeserver_is_down_is_a_503(
    client: Client, invite: Invite, homeserver: MemoryHomeserver
) -> None:
    homeserver.fail(Fault.DOWN, "check_name")

    answer = ask(client, "maria")

    assert (answer.status_code, answer.json()["code"]) == (503, "homeserver-unreachable")


def test_available_speaks_the_visitors_language(client: Client, invite: Invite, homeserver: MemoryHomeserver) -> None:
    homeserver.create("maria", "of somebody else")
    client.cookies["foyer_language"] = "de"

    assert ask(client, "maria").json()["sentence"] == "Diesen Benutzernamen gibt es schon. Wähle einen anderen."


def test_strength_advises_in_words(client: Client) -> None:
    said = client.post("/register/strength", {"password": "garden12", "username": "maria"}).json()

    assert said == {
        "score": 1,
        "words": "Easy to guess.",
        "advice": "Common words are tried first. Add one or two unusual ones.",
    }


def test_strength_knows_the_name_and_the_server(client: Client) -> None:
    said = client.post("/register/strength", {"password": "example.test", "username": "maria"}).json()

    assert said["advice"].startswith("It contains your name")


def test_strength_is_asked_by_post_only(client: Client) -> None:
    assert client.get("/register/strength?password=x").status_code == 405


def test_available_too_often_is_a_429(client: Client, invite: Invite, configure: Configure) -> None:
    configure(trusted_proxies=["127.0.0.1"], screening={"limits": True})
    answers = [
        client.get(
            "/register/available",
            {"token": CODE, "username": "maria"},
            headers={"X-Forwarded-For": "203.0.113.9"},
        )
        for _ in range(61)
    ]

    assert [answer.status_code for answer in answers] == [200] * 60 + [429]
    assert int(answers[-1]["Retry-After"]) > 0
