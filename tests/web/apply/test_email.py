from __future__ import annotations

import re

import pytest
from django.test import Client
from django.utils import translation

from foyer.applications import keys
from foyer.applications.models import Application, State
from foyer.screening import limits
from tests.conftest import Configure
from tests.web.apply.conftest import EMAIL, OPEN, Begin, follow, fresh, path_of

pytestmark = pytest.mark.django_db(transaction=True)


def bare(page: str) -> str:
    """Return a page without the secrets that differ from one to the next."""
    return re.sub(r"apply/[0-9a-f]{32}|since\" value=\"[^\"]*|\d:\d\d|data-wait=\"\d+\"", "", page)


def test_email_begins_the_request_in_the_language_of_the_page(client: Client) -> None:
    answer = client.post("/apply/email?lang=de", {"username": "maria", "email": EMAIL})

    row = Application.objects.get()
    assert answer["Location"] == f"../apply/{keys.status_key(row)}/verify?lang=de"
    assert (row.email, row.language, row.state) == (EMAIL, "de", State.UNVERIFIED)


def test_email_that_is_none_stays_on_the_page_with_what_was_typed(client: Client) -> None:
    answer = client.post("/apply/email", {"username": "maria", "email": "maria@"})

    assert answer.status_code == 400
    assert 'type="email" value="maria@"' in answer.text
    assert '<a href="#email">' in answer.text
    assert not Application.objects.exists()


def test_email_without_a_name_leads_to_the_name(client: Client) -> None:
    assert client.get("/apply/email")["Location"] == "../apply"
    assert client.post("/apply/email", {"email": EMAIL})["Location"] == "../apply"


def test_email_of_a_stranger_under_way_looks_like_any_other(client: Client, begin: Begin) -> None:
    """Page by page: after the email, after a wrong code, after another mail too early."""
    begin(until="review")
    begin("rosa", "rosa@example.com", until="about")
    seen = []

    for email in (EMAIL, "rosa@example.com", "nobody@example.com"):
        page = follow(client, client.post("/apply/email", {"username": "lena", "email": email}))
        row = Application.objects.latest("id")
        wrong = client.post(path_of(row, "/verify"), {"code": "12"})
        again = client.post(path_of(row, "/again"))
        answers = (page, wrong, again, client.get(path_of(row)), client.get(path_of(row, "/name")))
        seen.append([(it.status_code, bare(it.text).replace(email, "…")) for it in answers])

    assert seen[0] == seen[1] == seen[2]


def test_email_of_somebody_else_is_never_proven_by_the_right_digits(client: Client, begin: Begin) -> None:
    begin(until="review")
    client.post("/apply/email", {"username": "lena", "email": EMAIL})
    row = Application.objects.latest("id")

    assert client.post(path_of(row, "/verify"), {"code": keys.code(row)}).status_code == 400
    assert fresh(row).state == State.UNVERIFIED


def test_email_asked_for_too_often_keeps_what_was_typed(client: Client, configure: Configure) -> None:
    configure(**{**OPEN, "screening": {"limits": True}}, trusted_proxies=["127.0.0.1"])
    limits.reset()
    for number in range(10):
        email = f"somebody{number}@example.com"
        sent = client.post(
            "/apply/email", {"username": "maria", "email": email}, headers={"X-Forwarded-For": "203.0.113.9"}
        )
        assert sent.status_code == 303

    answer = client.post(
        "/apply/email", {"username": "maria", "email": EMAIL}, headers={"X-Forwarded-For": "203.0.113.9"}
    )

    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    assert f'type="email" value="{EMAIL}"' in answer.text
    assert "There were too many tries from your network" in answer.text


def test_email_corrected_before_the_proof_is_mailed_anew(client: Client, begin: Begin) -> None:
    row = begin()
    old = keys.mail_key(row)

    page = follow(client, client.post(path_of(row, "/email"), {"email": "maria@example.net"}))

    assert "maria@example.net" in page.text
    assert fresh(row).email == "maria@example.net"
    assert client.post(f"/apply/confirm/{old}").status_code == 404


def test_email_corrected_after_sending_must_be_proven_first(client: Client, begin: Begin) -> None:
    row = begin(until="review")

    page = follow(client, client.post(path_of(row, "/email"), {"email": "maria@example.net"}))
    assert "maria@example.net" in page.text
    status = client.get(path_of(row)).text
    assert f'<bdi dir="ltr">{EMAIL}</bdi>' in status
    assert '<bdi dir="ltr">maria@example.net</bdi>' in status
    done = follow(client, client.post(path_of(row, "/verify"), {"code": keys.code(fresh(row))}))

    assert '<bdi dir="ltr">maria@example.net</bdi>' in done.text
    assert EMAIL not in done.text


def test_email_corrected_to_what_it_is_says_so(client: Client, begin: Begin) -> None:
    row = begin(until="review")

    answer = client.post(path_of(row, "/email"), {"email": EMAIL})

    assert answer.status_code == 400
    assert "This is the email that we have already." in answer.text


def test_email_page_in_german(client: Client) -> None:
    answer = client.get("/apply/email", {"name": "maria", "lang": "de"})

    with translation.override("de"):
        assert translation.gettext("Where can we reach you?") in answer.text
    assert '<html lang="de"' in answer.text
