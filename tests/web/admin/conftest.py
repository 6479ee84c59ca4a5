"""What the tests of the admin share: an admin who is signed in, and a door by which people apply."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from foyer.applications import keys, queries, services
from foyer.applications.models import Application
from foyer.homeserver.memory import MemoryHomeserver
from foyer.kit.actor import Actor
from foyer.staff import services as staff
from tests.conftest import Configure

ADMINS_PASSWORD = "lantern orchard willow"
PASSWORD = "quarzlampe nebel tragen ufer"
REASON = "I grow tomatoes, and Anna told me about this server."
OPEN: dict[str, Any] = {
    "email": {"host": "127.0.0.1", "port": 9, "from": "join@example.org", "security": "none"},
    "moderators": {"emails": ["anna@example.org"]},
}
LIST = "/admin/applications/application/"

Apply = Callable[..., Application]
SignIn = Callable[..., Client]


@pytest.fixture(autouse=True)
def open_door(transactional_db: None, settings: Settings, configure: Configure, homeserver: MemoryHomeserver) -> None:
    """Let people apply, and staff sign in."""
    settings.ROOT_URLCONF = "foyer.urls"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()
    configure(**OPEN)


@pytest.fixture
def sign_in() -> SignIn:
    """Return `sign_in(name, role)`: the browser of somebody who is made and signs in."""

    def enter(name: str = "bert", role: str = "admin") -> Client:
        staff.create(name, role, password=ADMINS_PASSWORD, actor=Actor.command_line())
        client = Client(HTTP_HOST="localhost:5000", HTTP_ACCEPT="text/html")
        client.post("/desk/sign-in", {"login": name, "password": ADMINS_PASSWORD})
        return client

    return enter


@pytest.fixture
def admin(sign_in: SignIn) -> Client:
    """Bert's browser, who is an admin."""
    return sign_in()


@pytest.fixture
def apply() -> Apply:
    """Return `apply(name, until=)`: an application that stands at `email`, `about` or `review`."""

    def applied(
        name: str = "maria", *, until: str = "review", ip: str | None = None, reason: str = REASON
    ) -> Application:
        row = queries.by_key(services.start(name, f"{name}@example.com", ip=ip).key)
        if until != "email":
            services.verify_by_code(row, keys.code(row))
        if until == "review":
            services.submit(queries.by_id(row.id), {"reason": reason}, [], PASSWORD)
        return queries.by_id(row.id)

    return applied


def change_path(row: Application) -> str:
    """Return where one registration is shown and decided on."""
    return f"{LIST}{row.pk}/change/"
