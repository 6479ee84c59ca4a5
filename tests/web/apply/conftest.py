"""What the tests of the application share: a door that is open, and requests that have come as far as is wanted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin

import pytest
from django.test import Client
from pytest_django import Settings

from foyer.applications import keys, queries, services
from foyer.applications.models import Application
from foyer.homeserver.memory import MemoryHomeserver
from foyer.screening import limits
from tests.conftest import Configure

EMAIL = "maria@example.com"
PASSWORD = "quarzlampe nebel tragen ufer"
REASON = "I grow tomatoes, and Anna told me about this server."
OPEN: dict[str, Any] = {
    "email": {"host": "127.0.0.1", "from": "join@example.org", "security": "none"},
    "moderators": {"emails": ["anna@example.org"]},
    "application": {"password": "when_applying"},
}

Begin = Callable[..., Application]


@pytest.fixture(autouse=True)
def open_door(settings: Settings, configure: Configure, homeserver: MemoryHomeserver) -> None:
    """Map the addresses, and open the way in."""
    configure(**OPEN)
    limits.reset()


@pytest.fixture
def begin(transactional_db: None) -> Begin:
    """Return `begin(username, email, until=)`: a request that stands at `email`, `about` or `review`."""

    def begun(username: str = "maria", email: str = EMAIL, *, until: str = "email") -> Application:
        row = queries.by_key(services.start(username, email).key)
        if until in {"about", "review"}:
            services.verify_by_code(row, keys.code(row))
        if until == "review":
            services.submit(queries.by_id(row.id), {"reason": REASON}, [], PASSWORD)
        return queries.by_id(row.id)

    return begun


def path_of(row: Application, page: str = "") -> str:
    """Return the path of one of a request's own pages."""
    return f"/apply/{keys.status_key(row)}{page}"


def fresh(row: Application) -> Application:
    """Return the row as it is now."""
    return queries.by_id(row.id)


def follow(client: Client, answer: Any) -> Any:
    """Go where an answer leads, as a browser does."""
    assert answer.status_code == 303, answer.text
    return client.get(urljoin(answer.wsgi_request.path, answer["Location"]))
