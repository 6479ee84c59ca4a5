from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from foyer.applications import keys
from foyer.applications.models import Application, State
from tests.web.apply.conftest import Begin, follow, fresh

pytestmark = pytest.mark.django_db(transaction=True)


def snapshot() -> list[Any]:
    return list(Application.objects.values())


def test_confirm_opened_by_a_scanner_changes_nothing(client: Client, begin: Begin) -> None:
    row = begin()
    before = snapshot()

    for ask in (client.get, client.head, client.get, client.options, client.put):
        ask(f"/apply/confirm/{keys.mail_key(row)}")

    assert snapshot() == before


def test_confirm_page_does_not_tell_who_asked(client: Client, begin: Begin) -> None:
    row = begin("a-name-of-the-senders-choosing")

    text = client.get(f"/apply/confirm/{keys.mail_key(row)}").text

    assert "a-name-of-the-senders-choosing" not in text
    assert keys.status_key(row) not in text
    assert "If that was not you, you need not do anything" in text


def test_confirm_pressed_twice_goes_on_twice(client: Client, begin: Begin) -> None:
    row = begin()

    for _ in range(2):
        page = follow(client, client.post(f"/apply/confirm/{keys.mail_key(row)}"))
        assert "<h1>About you</h1>" in page.text

    assert fresh(row).state == State.VERIFIED


@pytest.mark.parametrize("key", ["1-0", "0", "x", "1-" + "0" * 32, "٣-0", "1" * 300])
def test_confirm_with_a_key_that_is_not_ours_leads_nowhere(client: Client, begin: Begin, key: str) -> None:
    row = begin()

    assert client.get(f"/apply/confirm/{key}").status_code == 404
    assert client.post(f"/apply/confirm/{key}").status_code == 404
    assert fresh(row).state == State.UNVERIFIED
