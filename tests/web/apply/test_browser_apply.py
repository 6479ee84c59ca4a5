"""Asking for an account in a real browser: by keyboard alone, without scripts, and what scripts add."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from dev.site import Site
from foyer.applications import keys
from foyer.applications.models import Application, State
from foyer.homeserver.memory import MemoryHomeserver
from tests.conftest import Configure
from tests.web.apply.conftest import EMAIL, OPEN, PASSWORD, REASON, Begin, path_of
from tests.web.apply.test_about import LEGAL, QUESTIONS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture(autouse=True)
def asks(open_door: None, configure: Configure) -> None:
    configure(**{**OPEN, "application": {"password": "when_applying", "questions": QUESTIONS}}, legal=LEGAL)


def code() -> str:
    return keys.code(Application.objects.get())


def test_apply_by_keyboard_alone(page: Page, site: Site, homeserver: MemoryHomeserver) -> None:
    def tab_to(label: str) -> None:
        for _ in range(40):
            page.keyboard.press("Tab")
            here = "(document.activeElement.labels?.[0] ?? document.activeElement).textContent.trim()"
            if page.evaluate(here) == label:
                return
        raise AssertionError(f"Tab never came to {label}")

    page.goto(f"{site.url}/apply")
    tab_to("User name")
    page.keyboard.type("Maria")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Where can we reach you?")).to_be_visible()
    tab_to("Email")
    page.keyboard.type(EMAIL)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Check your inbox")).to_be_visible()
    tab_to("The code from the mail")
    page.keyboard.type(code())
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="About you")).to_be_visible()
    tab_to("Why here?")
    page.keyboard.type(REASON)
    tab_to("A friend")
    page.keyboard.press("Space")
    tab_to("I am at least 16.")
    page.keyboard.press("Space")
    tab_to("I have read and accept: House rules")
    page.keyboard.press("Space")
    tab_to("Password")
    page.keyboard.type(PASSWORD)
    tab_to("Send my request")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Your request is being reviewed")).to_be_visible()
    assert homeserver.accounts["maria"].password == PASSWORD
    assert Application.objects.get().state == State.WAITING


def test_apply_without_scripts(browser: Browser, site: Site, homeserver: MemoryHomeserver) -> None:
    context = browser.new_context(java_script_enabled=False, locale="en-GB")
    page = context.new_page()
    page.goto(f"{site.url}/apply")
    page.get_by_label("User name", exact=True).fill("maria")
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Email", exact=True).fill(EMAIL)
    page.get_by_role("button", name="Choose another name").click()
    page.get_by_label("User name", exact=True).fill("rosa")
    page.get_by_role("button", name="Continue").click()
    assert page.get_by_label("Email", exact=True).input_value() == EMAIL
    page.get_by_role("button", name="Send me a code").click()
    page.get_by_label("The code from the mail").fill(code())
    page.get_by_role("button", name="Confirm my email").click()
    page.get_by_label("Why here?").fill(REASON)
    page.get_by_role("button", name="Choose another name").click()
    page.get_by_role("link", name="Leave it as it is").click()
    assert page.get_by_label("Why here?").input_value() == REASON
    page.get_by_label("A friend").check()
    page.get_by_label("I am at least 16.").check()
    page.get_by_label("I have read and accept").check()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password once more").fill(PASSWORD)
    page.get_by_role("button", name="Send my request").click()

    assert page.locator("h1").text_content() == "Your request is being reviewed"
    page.get_by_role("link", name="Withdraw the request").click()
    page.get_by_role("button", name="Withdraw the request").click()
    assert page.locator("h1").text_content() == "You have withdrawn your request"
    context.close()


def test_apply_says_what_is_missing_before_anything_is_sent(page: Page, site: Site, begin: Begin) -> None:
    row = begin(until="about")
    page.goto(site.url + path_of(row, "/about"))

    page.get_by_label("Why here?").fill("Short")
    page.get_by_role("button", name="Send my request").click()

    expect(page.locator("#q-reason-error")).to_have_text("Write at least 30 characters.")
    expect(page.locator("#accept-1-error")).to_have_text("Please tick this to go on.")
    expect(page.get_by_label("Why here?")).to_be_focused()
    page.get_by_label("Why here?").fill(REASON)
    expect(page.locator("#q-reason-error")).to_be_empty()


def test_apply_says_that_an_email_is_none(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/apply/email?name=maria")

    page.get_by_label("Email", exact=True).fill("maria")
    page.get_by_role("button", name="Send me a code").click()

    expect(page.locator("#email-error")).to_contain_text("This is not a whole email.")


def test_wait_can_be_seen_going_by(page: Page, site: Site, begin: Begin) -> None:
    row = begin()
    page.clock.install()
    page.goto(site.url + path_of(row, "/verify"))
    button = page.get_by_role("button", name="Send it again")

    expect(button).to_be_disabled()
    page.clock.run_for(20_000)
    expect(page.locator("[data-left]")).to_have_text("0:" + str(page.locator("[data-left]").text_content())[2:])
    page.clock.run_for(45_000)

    expect(button).to_be_enabled()
    expect(page.get_by_text("You can have it sent again now.")).to_be_visible()


def test_name_asks_nobody_before_the_proof_and_does_after_it(
    page: Page, site: Site, begin: Begin, homeserver: MemoryHomeserver
) -> None:
    homeserver.create("anna", "of somebody else")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{site.url}/apply")
    page.get_by_label("User name", exact=True).press_sequentially("anna")
    expect(page.get_by_text("Your Matrix address would be @anna:example.test.")).to_be_visible()
    page.wait_for_timeout(600)
    assert not [url for url in asked if "available" in url]

    page.goto(site.url + path_of(begin(until="about"), "/name"))
    page.get_by_label("User name", exact=True).fill("anna")

    expect(page.get_by_text("This user name is taken.")).to_be_visible()
    expect(page.locator("[data-pick]").first).to_be_visible()


def test_traps_are_reached_by_no_key_and_no_eye(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/apply/email?name=maria")
    stops = []
    for _ in range(30):
        page.keyboard.press("Tab")
        stops.append(page.evaluate("document.activeElement.name ?? ''"))

    assert "topic_line" not in stops
    assert page.get_by_role("textbox").count() == 1
