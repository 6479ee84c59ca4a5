"""The sign-in of staff in a real Chromium: passkeys, forms under our Content-Security-Policy, Django's admin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, expect

from dev.site import Site
from foyer.audit.models import Event
from foyer.staff.models import Staff
from tests.staff.conftest import PASSWORD, add_app, code_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@dataclass
class Visitor:
    """A browser with a page, a device that holds passkeys, and everything that went wrong on the page."""

    context: BrowserContext
    page: Page
    device: CDPSession
    site: Site
    complaints: list[str] = field(default_factory=list)
    authenticator: str = ""

    def give_device(self, *, has_pin: bool = True) -> None:
        """Plug in something that holds passkeys and says yes to everything."""
        options = {
            "protocol": "ctap2",
            "transport": "internal" if has_pin else "usb",
            "hasResidentKey": has_pin,
            "hasUserVerification": has_pin,
            "isUserVerified": has_pin,
            "automaticPresenceSimulation": True,
        }
        made = self.device.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        self.authenticator = made["authenticatorId"]

    def take_device(self) -> None:
        """Unplug it."""
        self.device.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": self.authenticator})

    def go(self, path: str) -> None:
        """Open a page."""
        self.page.goto(self.site.url + path)

    def at(self, path: str) -> None:
        """Wait until the browser is there."""
        expect(self.page).to_have_url(self.site.url + path)

    def press(self, name: str) -> None:
        """Press a button."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def sign_in(self, name: str) -> None:
        """Give name and password."""
        self.go("/desk/sign-in?next=/desk/account")
        self.page.get_by_label("Name", exact=True).fill(name)
        self.page.get_by_label("Password", exact=True).fill(PASSWORD)
        with self.page.expect_event("framenavigated"):  # Whoever goes on sooner takes the form back.
            self.press("Sign in")


@pytest.fixture
def visitor(browser: Browser, site: Site) -> Iterator[Visitor]:
    """Somebody at a computer; the test fails where the page complains in the console."""
    context = browser.new_context(locale="en-GB", reduced_motion="reduce")
    page = context.new_page()
    device = context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    made = Visitor(context, page, device, site)
    page.on("console", lambda it: made.complaints.append(it.text) if it.type in {"error", "warning"} else None)
    page.on("pageerror", lambda it: made.complaints.append(str(it)))
    yield made
    context.close()
    # Chromium says so of every answer with an error status, and those are meant.
    assert [it for it in made.complaints if "Failed to load resource" not in it] == []


def test_form_passes_with_the_origin_that_a_browser_sends(visitor: Visitor, moderator: Staff) -> None:
    """A page without a referrer would send `Origin: null`, and every form would be refused."""
    visitor.sign_in("anna")

    visitor.at("/desk/account")
    expect(visitor.page.get_by_text("You are signed in as anna (Moderator).")).to_be_visible()
    visitor.press("Sign out")
    visitor.at("/desk/sign-in")
    expect(visitor.page.get_by_role("status")).to_have_text("You are signed out.")


def test_passkey_is_added_and_then_signs_in_alone(visitor: Visitor, moderator: Staff) -> None:
    visitor.give_device()
    visitor.sign_in("anna")
    visitor.page.get_by_role("link", name="Add a passkey").click()
    visitor.page.get_by_label("Name", exact=True).fill("My phone")
    visitor.press("Add a passkey")
    visitor.at("/desk/account/recovery-codes")
    visitor.page.get_by_role("link", name="Back to your account").click()
    expect(visitor.page.get_by_text("My phone", exact=True)).to_be_visible()

    visitor.press("Sign out")
    visitor.press("Sign in with a passkey")
    visitor.at("/desk/")
    signed_in = list(Event.objects.filter(verb="staff.signed-in").order_by("id").values_list("facts", flat=True))
    assert signed_in == [{"by": "password"}, {"by": "webauthn"}]


def test_passkey_takes_somebody_where_they_wanted_to_go(visitor: Visitor, moderator: Staff) -> None:
    visitor.give_device()
    visitor.sign_in("anna")
    visitor.go("/desk/account/passkeys/add")
    visitor.press("Add a passkey")
    visitor.at("/desk/account/recovery-codes")
    visitor.go("/desk/sign-out")
    visitor.press("Sign out")
    visitor.go("/desk/queue")
    visitor.press("Sign in with a passkey")

    visitor.at("/desk/queue")


def test_security_key_without_a_pin_is_a_second_step(visitor: Visitor, moderator: Staff) -> None:
    visitor.give_device(has_pin=False)
    visitor.sign_in("anna")
    visitor.go("/desk/account/passkeys/add")
    visitor.page.get_by_label("Let it sign me in alone, without the password").uncheck()
    visitor.press("Add a passkey")
    visitor.at("/desk/account/recovery-codes")
    visitor.go("/desk/sign-out")
    visitor.press("Sign out")

    visitor.sign_in("anna")
    visitor.at("/desk/sign-in/second-step")
    visitor.press("Use a passkey")
    visitor.at("/desk/account")
    assert Event.objects.filter(verb="staff.signed-in").latest("id").facts == {"by": "password+webauthn"}


def test_passkey_confirms_who_it_is(visitor: Visitor, moderator: Staff) -> None:
    visitor.give_device()
    visitor.sign_in("anna")
    visitor.go("/desk/account/passkeys/add")
    visitor.press("Add a passkey")
    visitor.at("/desk/account/recovery-codes")
    visitor.go("/desk/account/confirm/passkey?next=/desk/account/recovery-codes")
    visitor.press("Use a passkey")

    visitor.at("/desk/account/recovery-codes")
    visitor.go("/desk/account")
    visitor.page.get_by_role("link", name="Rename Passkey 1").click()
    visitor.page.get_by_label("Name", exact=True).fill("Laptop")
    visitor.press("Rename")
    visitor.page.get_by_role("link", name="Remove Laptop").click()
    visitor.press("Remove")
    visitor.at("/desk/account")
    assert not Authenticator.objects.exists()


def test_device_without_a_passkey_of_ours_is_told_so(visitor: Visitor, moderator: Staff) -> None:
    visitor.give_device()
    visitor.go("/desk/sign-in")
    visitor.press("Sign in with a passkey")

    expect(visitor.page.locator("[data-passkey-status]")).to_contain_text("That did not work")
    expect(visitor.page.get_by_role("button", name="Sign in with a passkey")).not_to_have_attribute(
        "aria-disabled", "true"
    )


def test_same_device_twice_is_told_so(visitor: Visitor, moderator: Staff) -> None:
    visitor.give_device()
    visitor.sign_in("anna")
    visitor.go("/desk/account/passkeys/add")
    visitor.press("Add a passkey")
    visitor.at("/desk/account/recovery-codes")
    visitor.go("/desk/account/passkeys/add")
    visitor.press("Add a passkey")

    expect(visitor.page.locator("[data-passkey-status]")).to_have_text("This passkey is set up here already.")


def test_passkey_of_somebody_deleted_signs_nobody_in(visitor: Visitor, moderator: Staff) -> None:
    visitor.give_device()
    visitor.sign_in("anna")
    visitor.go("/desk/account/passkeys/add")
    visitor.press("Add a passkey")
    visitor.at("/desk/account/recovery-codes")
    visitor.go("/desk/sign-out")
    visitor.press("Sign out")
    visitor.at("/desk/sign-in")
    Authenticator.objects.all().delete()
    visitor.press("Sign in with a passkey")

    expect(visitor.page.get_by_role("status").first).to_contain_text("This server does not know that passkey.")
    visitor.go("/desk/queue")
    visitor.at("/desk/sign-in?next=%2Fdesk%2Fqueue")


def test_second_step_by_code(visitor: Visitor, moderator: Staff) -> None:
    secret = add_app(moderator)
    visitor.sign_in("anna")
    visitor.page.get_by_label("Code", exact=True).fill(code_of(secret))
    visitor.press("Go on")

    visitor.at("/desk/account")


def test_second_step_can_be_left(visitor: Visitor, moderator: Staff) -> None:
    add_app(moderator)
    visitor.sign_in("anna")
    visitor.press("Sign in as somebody else")

    expect(visitor.page.get_by_role("button", name="Sign in with a passkey")).to_be_visible()


def test_without_scripts_the_password_is_enough_and_no_passkey_is_offered(
    browser: Browser, site: Site, moderator: Staff
) -> None:
    context = browser.new_context(java_script_enabled=False, locale="en-GB")
    page = context.new_page()
    page.goto(f"{site.url}/desk/sign-in")
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_hidden()
    page.get_by_label("Name", exact=True).fill("anna")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page).to_have_url(f"{site.url}/desk/")
    context.close()


def test_djangos_admin_works_under_our_policy(visitor: Visitor, admin: Staff, moderator: Staff) -> None:
    visitor.go("/admin/")
    visitor.page.get_by_label("Name", exact=True).fill("bert")
    visitor.page.get_by_label("Password", exact=True).fill(PASSWORD)
    visitor.press("Sign in")
    visitor.at("/admin/")
    # The stylesheet came, and the scripts too: they make the button that changes light and dark.
    assert visitor.page.locator("#header").evaluate("it => getComputedStyle(it).backgroundColor") != "rgba(0, 0, 0, 0)"
    visitor.page.locator(".theme-toggle").first.click()
    for link in ("Moderators and admins", "Events"):
        visitor.go("/admin/")
        visitor.page.locator("#content-main").get_by_role("link", name=link).click()
        visitor.page.locator("#result_list tbody a").first.click()
        expect(visitor.page.locator("#content h1")).to_be_visible()
    visitor.page.locator("#logout-form button").click()
    visitor.at("/desk/sign-in")
