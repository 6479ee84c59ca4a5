"""What the tests of the desk share: staff who are signed in, and requests of every kind."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client
from playwright.sync_api import Browser, BrowserContext
from pytest_django import Settings

from dev.site import Site
from foyer.applications import search
from foyer.applications.models import Application
from foyer.kit.actor import Actor
from foyer.kit.clock import now
from foyer.kit.folding import mailbox, skeleton
from foyer.staff import services
from foyer.staff.models import Staff
from foyer.web.staff.guard import SIGNED_IN_AT
from tests.conftest import Configure

PASSWORD = "lantern orchard willow"
REASON = "I grow tomatoes, and Anna told me about this server."
OPEN: dict[str, Any] = {
    "email": {"host": "127.0.0.1", "from": "join@example.org", "security": "none"},
    "moderators": {"emails": ["team@example.org"]},
}

MakeRequest = Callable[..., Application]


@pytest.fixture(autouse=True)
def addresses(settings: Settings, configure: Configure) -> None:
    """Open the way in, and hash passwords quickly."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    configure(**OPEN)


@pytest.fixture
def anna(db: None) -> Staff:
    """A moderator."""
    return services.create("anna", "moderator", password=PASSWORD, actor=Actor.command_line())


@pytest.fixture
def bert(db: None) -> Staff:
    """An admin."""
    return services.create("bert", "admin", password=PASSWORD, actor=Actor.command_line())


@pytest.fixture
def stranger() -> Client:
    """A browser of nobody's."""
    return Client(HTTP_HOST="localhost:5000", HTTP_ACCEPT="text/html")


def session_of(staff: Staff) -> str:
    """Return the key of a session in which somebody is signed in."""
    session = SessionStore()
    session[SESSION_KEY] = str(staff.pk)
    session[BACKEND_SESSION_KEY] = django_settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = staff.get_session_auth_hash()
    session[SIGNED_IN_AT] = int(time.time())
    session.save()
    return str(session.session_key)


def browser_of(staff: Staff, *, checks_forms: bool = False) -> Client:
    """Return a browser in which somebody is signed in."""
    client = Client(enforce_csrf_checks=checks_forms, HTTP_HOST="localhost:5000", HTTP_ACCEPT="text/html")
    client.cookies[django_settings.SESSION_COOKIE_NAME] = session_of(staff)
    return client


@pytest.fixture
def moderator(anna: Staff) -> Client:
    """Anna's browser."""
    return browser_of(anna)


@pytest.fixture
def admin(bert: Staff) -> Client:
    """Bert's browser."""
    return browser_of(bert)


def a_request(name: str, **facts: Any) -> Application:
    """Return an unsaved request that waits, unless the facts say otherwise."""
    email = facts.pop("email", f"{name}@example.com")
    answers = [{"id": "reason", "text": "Who are you?", "answer": facts.pop("answer", REASON)}]
    fixed: dict[str, Any] = {
        "state": "waiting",
        "localpart": name,
        "skeleton": skeleton(name),
        "email": email,
        "mailbox": mailbox(email) if email else "",
        "email_verified_at": now(),
        "submitted_at": now() - timedelta(hours=3),
        "created_at": now() - timedelta(hours=4),
        "ip": "203.0.113.7",
        "subnet": "203.0.113.7",
        "nonce": name,
        "key_digest": f"digest of {name}",
        "answers": answers,
    }
    flags = facts.get("flags", [])
    return Application(**{**fixed, "is_flagged": bool(flags), **facts})


@pytest.fixture
def make_request(db: None) -> MakeRequest:
    """Return `make_request(name, **facts)`: a request that waits."""

    def make(name: str = "maria", **facts: Any) -> Application:
        row = a_request(name, **facts)
        row.save()
        search.index(row)
        return row

    return make


def text_of(response: Any) -> str:
    """Return a page's HTML."""
    return str(response.content.decode())


def fresh(row: Application) -> Application:
    """Return the row as it is now."""
    return Application.objects.get(id=row.id)


@pytest.fixture
def sign_in(site: Site, browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Return `sign_in(staff, **options)`: a Chromium window in which somebody is signed in."""
    opened: list[BrowserContext] = []

    def enter(staff: Staff, **options: Any) -> BrowserContext:
        context = browser.new_context(**{"locale": "en-GB", "reduced_motion": "reduce", **options})
        context.add_cookies(
            [{"name": django_settings.SESSION_COOKIE_NAME, "value": session_of(staff), "url": site.url}]
        )
        opened.append(context)
        return context

    yield enter
    for context in opened:
        context.close()
