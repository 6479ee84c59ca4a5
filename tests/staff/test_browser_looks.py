"""What the pages of staff look like to eyes, to screen readers, on small screens, and in the dark."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from dev.site import Site
from foyer.staff.models import Staff
from tests.conftest import Configure
from tests.staff.conftest import SECOND_FACTOR, SignIn, add_app, add_passkey, code_of
from tests.support.axe import faults

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

LONG = "A name for a passkey that goes on for ever and has averyveryverylongwordinit"


def nothing(page: Page) -> None:
    """Leave the page as it came."""


def refused(page: Page) -> None:
    """Let the server refuse the form."""
    page.evaluate("document.querySelector('form:not([hidden])').submit()")
    expect(page.locator("[aria-invalid], [role=alert]").first).to_be_visible()


def unfolded(page: Page) -> None:
    """Open everything that folds."""
    page.evaluate("document.querySelectorAll('details').forEach(it => it.open = true)")


# Who asks: a stranger, somebody with the password alone, somebody signed in without and with second factors.
PAGES: dict[str, tuple[str, str, Callable[[Page], None]]] = {
    "sign-in": ("stranger", "/desk/sign-in", nothing),
    "sign-in-refused": ("stranger", "/desk/sign-in", refused),
    "closed": ("stranger", "/desk/sign-in/closed", nothing),
    "second-step": ("half", SECOND_FACTOR, nothing),
    "second-step-refused": ("half", SECOND_FACTOR, refused),
    "account-new": ("new", "/desk/account", nothing),
    "account-missing": ("missing", "/desk/account", nothing),
    "account": ("full", "/desk/account", nothing),
    "app": ("new", "/desk/account/app", unfolded),
    "app-refused": ("new", "/desk/account/app", refused),
    "app-remove": ("full", "/desk/account/app/remove", nothing),
    "passkey": ("new", "/desk/account/passkeys/add", nothing),
    "passkey-name": ("full", "/desk/account/passkeys/KEY", nothing),
    "passkey-remove": ("full", "/desk/account/passkeys/KEY/remove", nothing),
    "recovery-codes": ("full", "/desk/account/recovery-codes", nothing),
    "recovery-codes-new": ("full", "/desk/account/recovery-codes/new", nothing),
    "password": ("new", "/desk/account/password", nothing),
    "password-refused": ("new", "/desk/account/password", refused),
    "confirm": ("full", "/desk/account/confirm?next=/desk/account", nothing),
    "confirm-refused": ("full", "/desk/account/confirm?next=/desk/account", refused),
    "confirm-code": ("full", "/desk/account/confirm/code", nothing),
    "confirm-passkey": ("full", "/desk/account/confirm/passkey", nothing),
    "sign-out": ("new", "/desk/sign-out", nothing),
    "german": ("new", "/desk/account?lang=de", nothing),
}

Opened = Callable[[str], Page]


def enter(who: str, staff: Staff, sign_in: SignIn, configure: Configure) -> tuple[Client, int]:
    """Return a browser of Django's in this state, and the id of a passkey."""
    if who == "stranger":
        return Client(HTTP_HOST="localhost:5000"), 0
    if who in {"new", "missing"}:
        if who == "missing":
            configure(staff={"second_factor": "required"})
        return sign_in(staff), 0
    secret = add_app(staff)
    client = sign_in(staff)
    if who == "full":
        client.post(SECOND_FACTOR, {"code": code_of(secret)})
    key = add_passkey(staff)
    key.data = {**key.data, "name": LONG}
    if who == "full":
        key.save()
    else:
        key.delete()
    return client, key.pk or 0


@pytest.fixture
def opened(browser: Browser, site: Site, moderator: Staff, sign_in: SignIn, configure: Configure) -> Iterator[Opened]:
    """Return `opened(name)`: a page of `PAGES` in a browser."""
    contexts = []

    def open_page(name: str) -> Page:
        who, path, then = PAGES[name]
        client, key = enter(who, moderator, sign_in, configure)
        context = browser.new_context(viewport={"width": 320, "height": 720}, locale="en-GB", reduced_motion="reduce")
        contexts.append(context)
        context.add_cookies([{"name": it.key, "value": it.value, "url": site.url} for it in client.cookies.values()])
        page = context.new_page()
        page.goto(site.url + path.replace("KEY", str(key)))
        then(page)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize("name", PAGES)
def test_everything_to_press_is_large_enough_and_axe_finds_nothing(opened: Opened, name: str) -> None:
    page = opened(name)

    for box in page.locator("button:visible, input:visible, summary:visible").all():
        place = box.bounding_box()
        assert place is not None
        assert min(place["width"], place["height"]) >= 24
    assert faults(page) == []
