"""The API that matrix-registration's manual shows, of 0.7 and 0.8."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from foyer.invites.models import Invite
from foyer.kit.clock import now
from tests.legacy.conftest import Asker, MakeInvite

pytestmark = [pytest.mark.django_db, pytest.mark.database]

NOT_FOUND = {"errcode": "MR_TOKEN_NOT_FOUND", "error": "token does not exist"}


def test_list_has_every_token(ask: Asker, make_invite: MakeInvite) -> None:
    make_invite(uses_limit=1, used=1)
    make_invite(code="Unlimited", uses_limit=None, expires_at=datetime(2030, 12, 24, tzinfo=UTC))
    make_invite(code="Disabled", uses_limit=5, revoked_at=now())

    assert ask("GET", "/token").json() == [
        {"ex_date": None, "name": "DoubleWizardSki", "one_time": True, "used": 1, "valid": False},
        {"ex_date": "2030-12-24 00:00:00", "name": "Unlimited", "one_time": False, "used": 0, "valid": True},
        {"ex_date": "0001-01-01 00:00:00", "name": "Disabled", "one_time": False, "used": 0, "valid": False},
    ]


@pytest.mark.parametrize(
    ("body", "one_time", "ex_date"),
    [
        ({"one_time": True, "ex_date": "2030-12-24"}, True, "2030-12-24 00:00:00"),
        ({"one_time": False}, False, None),
        ({"one_time": None, "ex_date": None}, False, None),
        ({"ex_date": "2030-12-24 18:00"}, False, "2030-12-24 18:00:00"),
        ({"anything": "else"}, False, None),
    ],
)
def test_create_returns_the_token(ask: Asker, body: dict[str, object], one_time: bool, ex_date: str | None) -> None:
    response = ask("POST", "/token", body)
    token = response.json()

    assert response.status_code == 200
    assert token == {
        "name": Invite.objects.get().code,
        "used": 0,
        "ex_date": ex_date,
        "one_time": one_time,
        "valid": True,
    }
    assert ask("GET", f"/token/{token['name']}").json() == token


def test_create_with_a_bad_date_is_400(ask: Asker) -> None:
    response = ask("POST", "/token", {"ex_date": "24.12.2030"})

    assert response.status_code == 400
    assert response.json() == {"errcode": "MR_BAD_DATE_FORMAT", "error": "date wasn't YYYY-MM-DD format"}


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", "no data was sent"),
        (b"{}", "no data was sent"),
        (b"[1]", "malformed request"),
        (b"{", "malformed request"),
        (b'{"one_time": "yes"}', "one_time must be true or false"),
    ],
)
def test_create_with_bad_data_is_400(ask: Asker, body: bytes, error: str) -> None:
    response = ask("POST", "/token", body)

    assert (response.status_code, response.json()) == (400, {"errcode": "MR_BAD_USER_REQUEST", "error": error})
    assert not Invite.objects.exists()


def test_show_of_an_unknown_token_is_404(ask: Asker) -> None:
    response = ask("GET", "/token/Unknown")

    assert (response.status_code, response.json()) == (404, NOT_FOUND)


def test_disable_returns_the_token_and_a_second_time_is_404(ask: Asker, make_invite: MakeInvite) -> None:
    make_invite()

    first = ask("PUT", "/token/DoubleWizardSki", {"disable": True})
    second = ask("PUT", "/token/DoubleWizardSki", {"disable": True})

    assert first.json() == {
        "ex_date": "0001-01-01 00:00:00",
        "name": "DoubleWizardSki",
        "one_time": True,
        "used": 0,
        "valid": False,
    }
    assert second.status_code == 404
    assert second.json() == {
        "errcode": "MR_TOKEN_NOT_FOUND",
        "error": "token does not exist or is already disabled",
    }


@pytest.mark.parametrize("facts", [{"used": 1}, {"expires_at": now() - timedelta(days=1)}])
def test_disable_of_a_token_that_is_over_is_404(ask: Asker, make_invite: MakeInvite, facts: dict[str, object]) -> None:
    make_invite(**facts)

    assert ask("PUT", "/token/DoubleWizardSki", {"disable": True}).status_code == 404


def test_disable_of_an_unknown_token_is_404(ask: Asker) -> None:
    assert ask("PUT", "/token/Unknown", {"disable": True}).status_code == 404


@pytest.mark.parametrize("body", [b"", b"{}", b'{"disable": false}', b'{"disable": "true"}', b'{"one_time": true}'])
def test_put_of_anything_but_disable_is_400(ask: Asker, make_invite: MakeInvite, body: bytes) -> None:
    make_invite()

    response = ask("PUT", "/token/DoubleWizardSki", body)

    assert response.status_code == 400
    assert response.json() == {"errcode": "MR_BAD_USER_REQUEST", "error": 'PUT only allows "disable": true'}
    assert Invite.objects.get().is_live
