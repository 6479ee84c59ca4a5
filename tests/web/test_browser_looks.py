"""What the pages look like to eyes, to screen readers, on small screens, and in the dark."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Page, expect

from dev.site import Site
from foyer.invites.models import Invite
from foyer.web.public.welcome import path_of
from tests.conftest import Configure
from tests.support.axe import faults
from tests.web.conftest import CODE, MakeInvite

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

LEGAL = [
    {"title": "House rules", "url": "https://example.org/rules", "must_accept": True},
    {"title": "Privacy", "url": "https://example.org/privacy"},
]
AFTER = {"rooms": ["#welcome:example.test"], "welcome_message": "Hello! https://example.org/help"}


def nothing(page: Page) -> None:
    """Leave the page as it came."""


def typed(page: Page) -> None:
    """Type what is refused, so that errors, suggestions and strength are all there."""
    page.get_by_label("User name").fill("maria müller")
    page.get_by_label("Password", exact=True).fill("garden123")
    expect(page.locator("#username-error")).not_to_be_empty()
    expect(page.locator("[data-words]")).not_to_be_empty()


def unfolded(page: Page) -> None:
    """Open everything that folds."""
    page.evaluate("document.querySelectorAll('details').forEach(it => it.open = true)")


def refused(page: Page) -> None:
    """Let the server refuse the form."""
    page.evaluate("document.querySelector('form.join').submit()")
    expect(page.get_by_role("alert")).to_be_visible()


PAGES: dict[str, tuple[str, Callable[[Page], None]]] = {
    "landing": ("/", nothing),
    "invitation": (f"/i/{CODE}", unfolded),
    "invitation-typed": (f"/i/{CODE}", typed),
    "invitation-refused": (f"/i/{CODE}", refused),
    "unknown": ("/i/Nothing", nothing),
    "ended": ("/i/EndedLongAgo", nothing),
    "welcome": ("/" + "WELCOME", unfolded),
    "apps": ("/register/apps", unfolded),
    "not-found": ("/nowhere/at/all", nothing),
    "german": (f"/register?token={CODE}&lang=de", unfolded),
    "chinese": (f"/register?token={CODE}&lang=zh-Hans", unfolded),
}


@pytest.fixture
def furnished(site: Site, make_invite: MakeInvite, configure: Configure) -> Site:
    """A site with everything that an owner may set, and an inviter who has something to say."""
    configure(legal=LEGAL, after=AFTER, branding={"tagline": "A small, friendly home for makers and gardeners."})
    make_invite(
        message="Hi! Come in, there is a chair for you.",
        inviter="Anna",
        expires_at=datetime(2099, 1, 2, 3, 4, tzinfo=UTC),
        uses_limit=None,
    )
    make_invite(code="EndedLongAgo", expires_at=datetime(2026, 1, 2, 3, 4, tzinfo=UTC))
    return site


def address(site: Site, name: str) -> str:
    path = PAGES[name][0]
    return site.url + (f"/{path_of('maria')}" if path == "/WELCOME" else path)


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_and_nothing_is_cut_off(browser: Browser, furnished: Site, name: str) -> None:
    context = browser.new_context(reduced_motion="reduce", locale="en-GB")
    page = context.new_page()
    page.goto(address(furnished, name))
    PAGES[name][1](page)

    assert faults(page) == []
    context.close()


@pytest.mark.parametrize("accent", ["#ffff00", "#ffffff", "#000000", "#ff0000", "#1a237e", "#808080"])
def test_axe_finds_nothing_with_any_accent(
    browser: Browser, site: Site, invite: Invite, configure: Configure, accent: str
) -> None:
    configure(branding={"accent": accent})
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{site.url}/i/{CODE}")

    assert faults(page) == []
    context.close()


def test_page_at_200_percent_zoom_needs_no_sideways_scrolling(browser: Browser, furnished: Site) -> None:
    context = browser.new_context(viewport={"width": 640, "height": 360}, device_scale_factor=2, locale="en-GB")
    page = context.new_page()
    across = {}
    for name in PAGES:
        page.goto(address(furnished, name))
        across[name] = page.evaluate("document.documentElement.scrollWidth")

    assert across == dict.fromkeys(PAGES, 640)
    context.close()


def test_page_with_text_twice_as_large_stays_whole(browser: Browser, furnished: Site) -> None:
    context = browser.new_context(viewport={"width": 320, "height": 640}, locale="en-GB")
    page = context.new_page()
    page.goto(address(furnished, "invitation"))
    page.evaluate("document.documentElement.style.setProperty('font-size', '200%')")

    assert page.evaluate("document.documentElement.scrollWidth") == 320
    context.close()


def test_long_server_name_fits_a_small_phone(
    browser: Browser, site: Site, configure: Configure, invite: Invite
) -> None:
    configure(server_name="the-very-long-name.of-a-matrix-server.example.org")
    context = browser.new_context(viewport={"width": 320, "height": 640})
    page = context.new_page()
    page.goto(f"{site.url}/i/{CODE}")
    page.get_by_label("User name").fill("somebody.with.a.long.name")

    assert page.evaluate("document.documentElement.scrollWidth") == 320
    field = page.get_by_label("User name").bounding_box()
    assert field is not None
    assert field["width"] > 120
    context.close()


def test_right_to_left_needs_no_second_stylesheet(browser: Browser, furnished: Site) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 720}, locale="en-GB")
    page = context.new_page()
    page.goto(address(furnished, "invitation"))
    left = page.locator("h1").bounding_box()
    page.evaluate("document.documentElement.dir = 'rtl'")
    right = page.locator("h1").bounding_box()

    assert left is not None
    assert right is not None
    assert round(1280 - right["x"] - right["width"]) == round(left["x"])
    assert page.evaluate("document.documentElement.scrollWidth") == 1280
    context.close()


def test_nothing_moves_for_those_who_asked_for_rest(browser: Browser, furnished: Site) -> None:
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    for name in ("welcome", "invitation"):
        page.goto(address(furnished, name))
        assert page.evaluate("document.getAnimations().length") == 0
    context.close()


@pytest.mark.parametrize("size", [24])
def test_everything_to_press_is_large_enough(browser: Browser, furnished: Site, size: int) -> None:
    context = browser.new_context(viewport={"width": 320, "height": 640}, has_touch=True)
    page = context.new_page()
    page.goto(address(furnished, "invitation"))

    for box in page.locator("button:visible, input:visible, summary:visible").all():
        place = box.bounding_box()
        assert place is not None
        assert min(place["width"], place["height"]) >= size
    context.close()
