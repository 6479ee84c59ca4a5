"""The database cannot be used: whoever asks is told so kindly, and the log says in one line what to do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog
from django.db import DataError, IntegrityError, InterfaceError, InternalError, OperationalError, connection
from django.test import Client

from foyer.config.database_errors import is_outage
from foyer.homeserver.memory import MemoryHomeserver
from tests.conftest import Configure
from tests.web.desk.conftest import OPEN

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


@pytest.fixture(autouse=True)
def gone(
    db: None, configure: Configure, homeserver: MemoryHomeserver, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Every way in is open, and then the database is somewhere else."""
    configure(**OPEN, api={"legacy_shared_secret": "s3cret"})
    key = "NAME" if connection.vendor == "sqlite" else "HOST"
    connection.close()
    with monkeypatch.context() as patch:
        patch.setitem(connection.settings_dict, key, "/nowhere/at/all")
        yield
        connection.close()


@pytest.fixture
def client() -> Client:
    """A browser that sees what people see."""
    return Client(HTTP_HOST="localhost:5000", raise_request_exception=False)


@pytest.mark.parametrize("path", ["/i/UnwindTrophy", "/register?token=UnwindTrophy", "/apply/" + "0" * 32])
def test_page_says_that_nothing_is_lost_and_when_to_come_back(client: Client, path: str) -> None:
    with structlog.testing.capture_logs() as logs:
        response = client.get(path, headers={"Accept": "text/html"})

    text = response.content.decode()
    assert (response.status_code, response["Retry-After"]) == (503, "30")
    assert "Nothing is lost. Wait a minute, then try again." in text
    assert response["X-Request-Id"] in text
    assert [entry["event"] for entry in logs] == ["the database cannot be used, so somebody was sent away"]
    assert logs[0]["reason"].startswith("The database ")
    assert "\n" not in logs[0]["reason"]


def test_form_of_an_applicant_gets_the_same_page(client: Client) -> None:
    form = {"username": "maria", "email": "maria@example.net"}
    response = client.post("/apply/email", form, headers={"Accept": "text/html"})

    assert (response.status_code, response["Retry-After"]) == (503, "30")
    assert "Nothing is lost." in response.content.decode()


@pytest.mark.parametrize("path", ["/api/token", "/_matrix/client/v1/register/m.login.registration_token/validity"])
def test_program_gets_a_code(client: Client, path: str) -> None:
    headers = {"Authorization": "SharedSecret s3cret", "Accept": "application/json"}
    response = client.get(path, {"token": "UnwindTrophy"}, headers=headers)

    assert (response.status_code, response["Retry-After"]) == (503, "30")
    assert response.json()["code"] == "database-unavailable"


@pytest.mark.parametrize("path", ["/", "/healthz", "/register/theme.css", "/desk/sign-in"])
def test_what_needs_no_table_is_there_all_the_same(client: Client, path: str) -> None:
    assert client.get(path).status_code == 200


def test_only_the_databases_own_trouble_is_an_outage() -> None:
    outages = [OperationalError("full"), InterfaceError("closed"), InternalError("read-only transaction")]
    faults = [IntegrityError("twice"), DataError("too long"), ValueError("not one of the database's")]

    assert [is_outage(error) for error in (*outages, *faults)] == [True] * 3 + [False] * 3
