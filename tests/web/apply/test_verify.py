from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from foyer.applications import keys
from foyer.applications.models import Application, State
from foyer.kit.clock import now
from tests.web.apply.conftest import Begin, follow, fresh, path_of

pytestmark = pytest.mark.django_db(transaction=True)


def wrong(row: Application) -> dict[str, str]:
    return {"code": f"{(int(keys.code(row)) + 1) % 10**6:06d}"}


def test_verify_page_shows_where_the_mail_went_and_the_wait(client: Client, begin: Begin) -> None:
    answer = client.get(path_of(begin(), "/verify"))

    assert "maria@example.com" in answer.text
    assert 'inputmode="numeric" autocomplete="one-time-code"' in answer.text
    assert "You can have it sent again in <span data-left>" in answer.text
    assert answer["Cache-Control"] == "no-store"
    assert answer["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("form", ["{}", " {} ", "{0[0]}{0[1]}{0[2]} {0[3]}{0[4]}{0[5]}"])
def test_verify_takes_the_code_as_people_type_it(client: Client, begin: Begin, form: str) -> None:
    row = begin()

    assert client.post(path_of(row, "/verify"), {"code": form.format(keys.code(row))}).status_code == 303
    assert fresh(row).state == State.VERIFIED


def test_verify_with_a_wrong_code_says_so_and_counts_down(client: Client, begin: Begin) -> None:
    row = begin()

    answers = [client.post(path_of(row, "/verify"), wrong(row)) for _ in range(11)]

    assert [it.status_code for it in answers] == [400] * 11
    assert "This is not the code that we mailed." in answers[0].text
    assert "more tr" not in answers[0].text
    assert "You have 2 more tries." in answers[7].text
    assert "You have 1 more try." in answers[8].text
    assert "typed wrongly too often" in answers[10].text


def test_verify_too_late_says_what_to_do(client: Client, begin: Begin) -> None:
    row = begin()

    with time_machine.travel(now() + timedelta(minutes=31), tick=False):
        answer = client.post(path_of(row, "/verify"), {"code": keys.code(row)})

    assert answer.status_code == 400
    assert "This code is too old. Have a new one sent" in answer.text


def test_verify_again_sends_another_mail_after_the_wait(client: Client, begin: Begin) -> None:
    row = begin()

    early = client.post(path_of(row, "/again"))
    with time_machine.travel(now() + timedelta(seconds=61), tick=False):
        sent = follow(client, client.post(path_of(row, "/again")))

    assert early.status_code == 429
    assert int(early["Retry-After"]) > 0
    assert "You can have it sent again in" in early.text
    assert "We have sent it again." in sent.text
    assert fresh(row).mails == 2


def test_verify_of_an_email_that_takes_no_mail_says_so(client: Client, begin: Begin) -> None:
    row = begin()
    Application.objects.filter(id=row.id).update(mail_refused_at=now())

    assert "This email address takes no mail" in client.get(path_of(row, "/verify")).text


def test_verify_twice_does_no_harm(client: Client, begin: Begin) -> None:
    row = begin()
    form = {"code": keys.code(row)}

    first, second = (client.post(path_of(row, "/verify"), form) for _ in range(2))

    assert (first.status_code, second.status_code) == (303, 303)
    assert second["Location"].endswith("/about")


def test_status_link_leads_to_the_step_where_it_goes_on(client: Client, begin: Begin) -> None:
    unverified, verified = begin(), begin("rosa", "rosa@example.com", until="about")

    assert client.get(path_of(unverified))["Location"].endswith("/verify")
    assert client.get(path_of(verified))["Location"].endswith("/about")
    assert client.get(path_of(unverified, "/about"))["Location"].endswith("/verify")
