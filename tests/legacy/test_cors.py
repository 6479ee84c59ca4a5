"""What pages on other origins may ask, by `api.cors_origins`."""

from __future__ import annotations

import pytest
from django.test import Client

from foyer.screening import limits
from tests.conftest import Configure
from tests.legacy.conftest import SECRET, Asker, MakeInvite

pytestmark = pytest.mark.django_db

SITE = "https://www.example.test"
OTHER = "https://evil.test"


def preflight(client: Client, path: str, method: str, origin: str = SITE) -> dict[str, str]:
    """Ask as a browser does, and return the CORS headers of the answer."""
    response = client.options(
        path,
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "authorization,content-type",
        },
    )
    assert response.status_code == 204
    return {name: value for name, value in response.items() if name.startswith("Access-Control")}


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/register", "POST"),
        ("/api/token", "POST"),
        ("/api/token/DoubleWizardSki", "PATCH"),
        ("/api/token/DoubleWizardSki", "DELETE"),
        ("/api/version", "GET"),
        ("/token", "POST"),
        ("/token/DoubleWizardSki", "PUT"),
    ],
)
def test_preflight_of_a_named_origin_is_allowed(client: Client, configure: Configure, path: str, method: str) -> None:
    configure(api={"cors_origins": [SITE, "https://other.example.test:8443"]})

    headers = preflight(client, path, method)

    assert headers["Access-Control-Allow-Origin"] == SITE
    assert method in headers["Access-Control-Allow-Methods"].split(", ")
    assert {"Authorization", "Content-Type"} <= set(headers["Access-Control-Allow-Headers"].split(", "))


@pytest.mark.parametrize("origin", [OTHER, "null", "https://www.example.test.evil.test", "http://www.example.test"])
def test_preflight_of_another_origin_is_not(client: Client, configure: Configure, origin: str) -> None:
    configure(api={"cors_origins": [SITE]})

    assert preflight(client, "/register", "POST", origin) == {}


def test_preflight_without_origins_is_not(client: Client, configure: Configure) -> None:
    configure()

    assert preflight(client, "/register", "POST") == {}


def test_star_allows_everybody(client: Client, configure: Configure) -> None:
    configure(api={"cors_origins": ["*"]})

    assert preflight(client, "/register", "POST", "null")["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(("origin", "allowed"), [(SITE, SITE), (OTHER, None), (None, None)])
def test_answers_may_be_read_by_named_origins_and_vary_with_them(
    ask: Asker, configure: Configure, make_invite: MakeInvite, origin: str | None, allowed: str | None
) -> None:
    configure(api={"cors_origins": [SITE], "legacy_shared_secret": SECRET})
    headers = {"Origin": origin} if origin else {}

    for response in (ask("GET", "/api/token", **headers), ask("POST", "/register", {}, **headers)):
        assert response.get("Access-Control-Allow-Origin") == allowed
        assert "Origin" in response["Vary"].split(", ")


def test_refusals_that_no_view_gives_may_be_read_too(ask: Asker, configure: Configure) -> None:
    configure(api={"cors_origins": [SITE], "legacy_shared_secret": SECRET}, screening={"join_overall": "1/day"})
    limits.reset()
    answers = [
        ask("POST", "/register", b"x" * 70_000, Origin=SITE),
        ask("POST", "/register", {}, Origin=SITE),
        ask("POST", "/register", {}, Origin=SITE),
        ask("PUT", "/register", {}, Origin=SITE, Accept="*/*"),
    ]
    limits.reset()

    assert [answer.status_code for answer in answers] == [413, 400, 429, 405]
    assert {answer["Access-Control-Allow-Origin"] for answer in answers} == {SITE}
    assert "Retry-After" in answers[2]["Access-Control-Expose-Headers"]


def test_pages_and_checks_are_not_for_other_origins(client: Client, configure: Configure) -> None:
    configure(api={"cors_origins": ["*"]})

    for path in ("/", "/register/available", "/readyz", "/metrics"):
        assert "Access-Control-Allow-Origin" not in client.get(path, headers={"Origin": SITE})
