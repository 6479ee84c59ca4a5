"""What the tests of staff share: people, a browser of Django's that signs in, and their second factors."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import cast

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret, hotp_value
from django.core.cache import cache
from django.http import HttpResponse, HttpResponseBase
from django.test import Client
from pytest_django import Settings

from dev.messages import compile_catalogues
from dev.site import Site
from foyer.homeserver.memory import MemoryHomeserver
from foyer.kit.actor import Actor
from foyer.staff import services
from foyer.staff.models import Staff
from tests.conftest import Configure

PASSWORD = "lantern orchard willow"
SECOND_FACTOR = "/desk/sign-in/second-step"
MakeStaff = Callable[..., Staff]
SignIn = Callable[..., Client]


@pytest.fixture(autouse=True)
def addresses(settings: Settings) -> None:
    """Map the pages of staff, and hash passwords quickly."""
    settings.ROOT_URLCONF = "tests.staff.urls"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="session", autouse=True)
def translations() -> None:
    """Compile what is older than its source."""
    compile_catalogues()


@pytest.fixture(scope="session")
def base_url() -> None:
    """Stand in for pytest-base-url's own, whose kind of fixture pytest 9.2 warns of. Sites tell their own URL."""


@pytest.fixture
def site(transactional_db: None, addresses: None, configure: Configure, homeserver: MemoryHomeserver) -> Iterator[Site]:
    """Foyer as it is served, with the pages of staff, on a port of its own."""
    with Site() as running:
        yield running


@pytest.fixture
def make_staff(db: None) -> MakeStaff:
    """Return `make_staff(name, role)`."""

    def make(name: str = "anna", role: str = "moderator") -> Staff:
        return services.create(name, role, password=PASSWORD, actor=Actor.command_line())

    return make


@pytest.fixture
def moderator(make_staff: MakeStaff) -> Staff:
    """Anna, a moderator."""
    return make_staff()


@pytest.fixture
def admin(make_staff: MakeStaff) -> Staff:
    """Bert, an admin."""
    return make_staff("bert", "admin")


@pytest.fixture
def stranger() -> Client:
    """A browser of nobody's."""
    return Client(HTTP_HOST="localhost:5000", HTTP_ACCEPT="text/html")


@pytest.fixture
def sign_in() -> SignIn:
    """Return `sign_in(staff)`: a browser in which they gave name and password."""

    def enter(staff: Staff, password: str = PASSWORD) -> Client:
        client = Client(HTTP_HOST="localhost:5000", HTTP_ACCEPT="text/html")
        give_password(client, staff.username, password)
        return client

    return enter


@pytest.fixture(autouse=True)
def no_counts(db: None) -> None:
    """Begin without the failed sign-ins of other tests."""
    cache.clear()


def give_password(client: Client, name: str, password: str = PASSWORD, **more: str) -> HttpResponse:
    """Send the sign-in form."""
    return cast("HttpResponse", client.post("/desk/sign-in", {"login": name, "password": password, **more}))


def add_app(staff: Staff) -> str:
    """Give somebody an authenticator app with recovery codes; returns its secret."""
    secret: str = generate_totp_secret()
    TOTP.activate(staff, secret)
    RecoveryCodes.activate(staff)
    return secret


def add_passkey(staff: Staff) -> Authenticator:
    """Give somebody a passkey that nobody has; enough to be asked for it."""
    return Authenticator.objects.create(user=staff, type="webauthn", data={"name": "Phone", "credential": {}})


def code_of(secret: str, *, later: int = 0) -> str:
    """Return what an authenticator app shows now, or so many half minutes later."""
    value: int = hotp_value(secret, int(time.time()) // 30 + later)
    return f"{value:06}"


def text_of(response: HttpResponseBase) -> str:
    """Return the words of a page, without its tags."""
    content = getattr(response, "content", b"").decode()
    return " ".join(re.sub(r"<[^>]+>", " ", content.partition("<main")[2]).split())
