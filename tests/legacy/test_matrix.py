"""The validity of a registration token, as the Matrix specification has it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from foyer.kit.clock import now
from foyer.screening import limits
from tests.conftest import Configure
from tests.legacy.conftest import MakeInvite

pytestmark = [pytest.mark.django_db, pytest.mark.database]

PATH = "/_matrix/client/v1/register/m.login.registration_token/validity"


@pytest.mark.parametrize(
    ("facts", "valid"),
    [
        ({}, True),
        ({"uses_limit": None, "used": 7}, True),
        ({"email": "maria@example.org", "localpart": "maria"}, True),
        ({"used": 1}, False),
        ({"held": 1}, False),
        ({"expires_at": now() - timedelta(seconds=1)}, False),
        ({"revoked_at": now()}, False),
    ],
)
def test_token_is_valid_where_somebody_could_join_by_it(
    client: Client, make_invite: MakeInvite, facts: dict[str, Any], valid: bool
) -> None:
    make_invite(**facts)

    response = client.get(PATH, {"token": "DoubleWizardSki"})

    assert (response.status_code, response.json()) == (200, {"valid": valid})
    assert response["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("token", ["Unknown", "not a code", "\x00", "x" * 1000, "🦊", " "])
def test_unknown_token_is_not_valid(client: Client, token: str) -> None:
    assert client.get(PATH, {"token": token}).json() == {"valid": False}


@pytest.mark.parametrize("query", ["", "?token=", "?other=x"])
def test_missing_token_is_400(client: Client, query: str) -> None:
    response = client.get(PATH + query)

    assert (response.status_code, response.json()["errcode"]) == (400, "M_MISSING_PARAM")


def test_too_many_questions_are_429(client: Client, configure: Configure) -> None:
    configure(trusted_proxies=["127.0.0.1"], screening={"limits": True})
    limits.reset()
    statuses = [client.get(PATH, headers={"X-Forwarded-For": "192.0.2.3"}).status_code for _ in range(30)]
    response = client.get(PATH, headers={"X-Forwarded-For": "192.0.2.3"})
    limits.reset()

    assert set(statuses) == {400}
    assert (response.status_code, response.json()["errcode"]) == (429, "M_LIMIT_EXCEEDED")
    assert response.json()["retry_after_ms"] == int(response["Retry-After"]) * 1000
    assert response["Access-Control-Allow-Origin"] == "*"


def test_preflight_allows_what_the_specification_says(client: Client) -> None:
    response = client.options(PATH, headers={"Origin": "https://app.element.io"})

    assert response.status_code == 204
    assert response["Access-Control-Allow-Origin"] == "*"
    assert {"Authorization", "Content-Type", "X-Requested-With"} <= set(
        response["Access-Control-Allow-Headers"].split(", ")
    )
    assert "GET" in response["Access-Control-Allow-Methods"]


def test_post_is_405(client: Client) -> None:
    response = client.post(PATH)

    assert (response.status_code, response.json()["errcode"]) == (405, "M_UNRECOGNIZED")
