"""The whole way by plain forms, as a browser without scripts goes it."""

from __future__ import annotations

import pytest
from django.test import Client

from foyer.applications import keys
from foyer.applications.models import Application, PasswordWay, State
from foyer.homeserver.memory import MemoryHomeserver
from foyer.kit.actor import Actor
from tests.conftest import Configure
from tests.web.apply.conftest import EMAIL, OPEN, PASSWORD, REASON, Begin, follow, fresh, path_of

pytestmark = pytest.mark.django_db(transaction=True)
ANNA = Actor.staff("anna")


def the_only_one() -> Application:
    return Application.objects.get()


def test_journey_from_the_name_to_the_status_page(client: Client, homeserver: MemoryHomeserver) -> None:
    email_page = follow(client, client.post("/apply", {"username": "@Maria:example.test"}))
    assert "Where can we reach you?" in email_page.text
    assert "@maria:example.test" in email_page.text

    verify_page = follow(client, client.post("/apply/email", {"username": "maria", "email": EMAIL}))
    assert "Check your inbox" in verify_page.text
    assert EMAIL in verify_page.text
    row = the_only_one()

    about_page = follow(client, client.post(path_of(row, "/verify"), {"code": keys.code(row)}))
    assert "<h1>About you</h1>" in about_page.text
    assert "your email" in about_page.text.lower()

    sent = {"q-reason": REASON, "password": PASSWORD}
    status_page = follow(client, client.post(path_of(row, "/about"), sent))
    assert "<h1>Your request is being reviewed</h1>" in status_page.text
    assert homeserver.accounts["maria"].password == PASSWORD
    assert fresh(row).state == State.WAITING
    assert fresh(row).answers[0]["answer"] == REASON


def test_journey_by_the_mailed_link_is_the_same(client: Client, begin: Begin) -> None:
    row = begin()
    link = f"/apply/confirm/{keys.mail_key(row)}"

    assert "Confirm my email" in client.get(link).text
    assert fresh(row).state == State.UNVERIFIED
    about_page = follow(client, client.post(link))

    assert "<h1>About you</h1>" in about_page.text
    assert fresh(row).state == State.VERIFIED


def test_journey_with_the_password_afterwards_ends_at_the_invitation(
    client: Client, configure: Configure, begin: Begin
) -> None:
    configure(**{**OPEN, "application": {"password": "when_approved"}})
    row = begin(until="about")
    assert 'name="password"' not in client.get(path_of(row, "/about")).text

    status_page = follow(client, client.post(path_of(row, "/about"), {"q-reason": REASON}))

    assert "You choose your password from that mail." in status_page.text
    assert fresh(row).password_way == PasswordWay.WHEN_APPROVED
