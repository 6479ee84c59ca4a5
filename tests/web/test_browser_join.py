"""The join in a real browser, as a newcomer does it."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from dev.site import Site
from foyer.accounts.models import Account, State
from foyer.homeserver.memory import Fault, MemoryHomeserver
from foyer.invites.models import Invite
from tests.conftest import Configure
from tests.web.conftest import CODE, MakeInvite

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

PASSWORD = "quarzlampe nebel tragen ufer"
RULES = [{"title": "House rules", "url": "https://example.org/rules", "must_accept": True}]


def test_join_by_link_ends_at_the_welcome_page(
    page: Page, site: Site, invite: Invite, homeserver: MemoryHomeserver
) -> None:
    page.goto(f"{site.url}/i/{CODE}")
    page.get_by_label("User name").fill("maria")
    expect(page.get_by_text("This name is free.")).to_be_visible()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    expect(page.get_by_text("Very good.")).to_be_visible()
    page.get_by_role("button", name="Create account").click()

    expect(page.get_by_role("heading", name="Welcome to example.test")).to_be_visible()
    expect(page.get_by_text("@maria:example.test")).to_be_visible()
    assert re.search(r"/register/welcome/[^/]+$", page.url)
    assert homeserver.accounts["maria"].password == PASSWORD


def test_join_by_keyboard_alone(
    page: Page, site: Site, invite: Invite, configure: Configure, homeserver: MemoryHomeserver
) -> None:
    configure(legal=RULES)
    page.goto(f"{site.url}/")

    def tab_to(label: str) -> None:
        for _ in range(30):
            page.keyboard.press("Tab")
            if (
                page.evaluate("(document.activeElement.labels?.[0] ?? document.activeElement).textContent.trim()")
                == label
            ):
                return
        raise AssertionError(f"Tab never came to {label}")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    tab_to("Your invitation link or code")
    page.keyboard.type(CODE)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="You’re invited to join example.test")).to_be_visible()
    tab_to("User name")
    page.keyboard.type("Maria")
    tab_to("Password")
    page.keyboard.type(PASSWORD)
    tab_to("Show")
    page.keyboard.press("Enter")
    assert page.get_by_label("Password", exact=True).get_attribute("type") == "text"
    tab_to("I have read and accept: House rules")
    page.keyboard.press("Space")
    tab_to("Create account")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Welcome to example.test")).to_be_visible()
    assert list(homeserver.accounts) == ["maria"]
    tab_to("Copy")


def test_every_stop_of_the_keyboard_can_be_seen(page: Page, site: Site, invite: Invite, configure: Configure) -> None:
    configure(legal=RULES)
    page.goto(f"{site.url}/i/{CODE}")
    seen: list[str] = []

    for _ in range(25):
        page.keyboard.press("Tab")
        shows = page.evaluate(
            """() => {
                const here = document.activeElement;
                if (here === document.body) return "out";
                const box = getComputedStyle(here.closest(".box") ?? here), own = getComputedStyle(here);
                return own.outlineStyle !== "none" || box.boxShadow !== "none" ? "yes" : here.outerHTML;
            }"""
        )
        if shows == "out":
            break
        seen.append(shows)

    assert len(seen) > 8
    assert set(seen) == {"yes"}


def test_name_is_shown_as_the_whole_address_while_it_is_typed(page: Page, site: Site, invite: Invite) -> None:
    page.goto(f"{site.url}/i/{CODE}")
    field = page.get_by_label("User name")

    field.press_sequentially("Maria")

    assert field.input_value() == "maria"
    expect(page.get_by_text("Your Matrix address will be @maria:example.test.")).to_be_visible()
    field.fill("")
    expect(page.get_by_text("Your Matrix address will be @name:example.test.")).to_be_visible()


def test_name_pasted_as_an_address_is_cut_to_the_name(page: Page, site: Site, invite: Invite) -> None:
    page.goto(f"{site.url}/i/{CODE}")
    field = page.get_by_label("User name")

    field.fill("@maria:example.test")
    field.blur()

    assert field.input_value() == "maria"


def test_name_that_is_taken_offers_others_that_can_be_picked(
    page: Page, site: Site, invite: Invite, homeserver: MemoryHomeserver
) -> None:
    homeserver.create("maria", "of somebody else")
    page.goto(f"{site.url}/i/{CODE}")
    field = page.get_by_label("User name")
    field.fill("maria")
    expect(page.get_by_text("This user name is taken.")).to_be_visible()
    expect(field).to_have_attribute("aria-invalid", "true")

    pick = page.locator("[data-pick]").first
    name = pick.text_content()
    pick.click()

    expect(page.get_by_text("This name is free.")).to_be_visible()
    assert field.input_value() == name
    expect(field).to_be_focused()


def test_name_whose_check_fails_stops_nobody(
    page: Page, site: Site, invite: Invite, homeserver: MemoryHomeserver
) -> None:
    page.route("**/register/available*", lambda route: route.abort())
    page.goto(f"{site.url}/i/{CODE}")
    page.get_by_label("User name").fill("maria")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()

    expect(page.get_by_role("heading", name="Welcome to example.test")).to_be_visible()


def test_password_can_be_shown_and_is_sent_hidden(page: Page, site: Site, invite: Invite) -> None:
    page.goto(f"{site.url}/i/{CODE}")
    field = page.get_by_label("Password", exact=True)
    field.fill(PASSWORD)

    page.get_by_role("button", name="Show").click()
    assert field.get_attribute("type") == "text"
    page.get_by_role("button", name="Hide").click()

    assert field.get_attribute("type") == "password"


def test_form_sent_too_early_says_what_is_missing_and_sends_nothing(
    page: Page, site: Site, invite: Invite, configure: Configure
) -> None:
    configure(legal=RULES)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    page.goto(f"{site.url}/i/{CODE}")
    page.get_by_label("Password", exact=True).fill("short")

    page.get_by_role("button", name="Create account").click()

    expect(page.locator("#username-error")).to_have_text("Choose a user name.")
    expect(page.locator("#password-error")).to_have_text("Use at least 8 characters.")
    expect(page.locator("#accept-1-error")).to_have_text("Please tick this to go on.")
    expect(page.get_by_label("User name")).to_be_focused()
    assert "POST" not in sent


def test_error_goes_away_when_it_is_mended(page: Page, site: Site, invite: Invite) -> None:
    page.goto(f"{site.url}/i/{CODE}")
    page.get_by_role("button", name="Create account").click()
    expect(page.locator("#password-error")).to_have_text("Choose a password.")

    page.get_by_label("Password", exact=True).fill(PASSWORD)

    expect(page.locator("#password-error")).to_have_text("")


def test_error_from_the_server_takes_the_focus(
    page: Page, site: Site, invite: Invite, homeserver: MemoryHomeserver
) -> None:
    homeserver.fail(Fault.DOWN, "create")
    page.goto(f"{site.url}/i/{CODE}")
    page.get_by_label("User name").fill("maria")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()

    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("The homeserver did not answer.")
    expect(alert).to_be_focused()
    assert page.get_by_label("User name").input_value() == "maria"
    assert page.get_by_label("Password", exact=True).input_value() == ""


def test_button_pressed_twice_sends_once_and_says_what_it_does(
    page: Page, site: Site, invite: Invite, homeserver: MemoryHomeserver
) -> None:
    sent: list[str] = []

    def count(route: Route) -> None:
        if route.request.method == "POST" and route.request.url.endswith("/register"):
            sent.append(route.request.url)
        route.continue_()

    homeserver.delay = 0.7
    page.route("**/*", count)
    page.goto(f"{site.url}/i/{CODE}")
    page.get_by_label("User name").fill("maria")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    said = page.evaluate(
        """() => {
            const button = document.querySelector("[data-submit]");
            const progress = document.querySelector("[data-progress]");
            button.click();
            button.click();
            return [button.textContent, button.getAttribute("aria-disabled"), progress.textContent];
        }"""
    )

    assert said == ["Creating your account…", "true", "Creating your account…"]
    expect(page.get_by_role("heading", name="Welcome to example.test")).to_be_visible()
    assert len(sent) == 1
    assert Account.objects.filter(state=State.OPEN).count() == 1


def test_join_without_javascript_asks_the_password_twice(
    browser: Browser, site: Site, invite: Invite, homeserver: MemoryHomeserver
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site.url}/register")
    page.get_by_label("Your invitation link or code").fill(f"{site.url}/i/{CODE}")
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("User name").fill("maria")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password once more").fill(PASSWORD + "x")
    page.get_by_role("button", name="Create account").click()
    expect(page.locator("#confirm-error")).to_contain_text("The two passwords are not the same.")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password once more").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()

    expect(page.get_by_role("heading", name="Welcome to example.test")).to_be_visible()
    assert list(homeserver.accounts) == ["maria"]
    context.close()


def test_moments_are_told_by_the_readers_own_clock(browser: Browser, site: Site, make_invite: MakeInvite) -> None:
    make_invite(expires_at=datetime(2099, 7, 1, 22, 30, tzinfo=UTC))
    context = browser.new_context(locale="de-DE", timezone_id="Europe/Berlin")
    page = context.new_page()

    page.goto(f"{site.url}/i/{CODE}")

    expect(page.locator("time")).to_have_text("2. Juli 2099 um 00:30")
    context.close()


def test_copy_puts_the_address_into_the_clipboard(browser: Browser, site: Site, invite: Invite) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"{site.url}/i/{CODE}")
    page.get_by_label("User name").fill("maria")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()

    page.get_by_role("button", name="Copy").click()

    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "@maria:example.test"
    context.close()


@pytest.mark.parametrize("path", ["/", f"/i/{CODE}", "/i/Nothing", "/register/apps", "/nowhere"])
def test_pages_ask_nothing_from_elsewhere_and_break_no_rule_of_their_own(
    page: Page, site: Site, invite: Invite, path: str
) -> None:
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))

    page.goto(site.url + path)
    page.wait_for_load_state("networkidle")

    assert all(url.startswith(site.url) for url in asked)
    assert [text for text in said if "status of 404" not in text] == []


def test_join_works_when_only_register_and_static_are_passed_on(
    page: Page, site: Site, invite: Invite, homeserver: MemoryHomeserver
) -> None:
    """The predecessor's nginx rule: `location ~ ^/(static|register)`."""
    outside: list[str] = []

    def rule(route: Route) -> None:
        if re.match(r"/(static|register)", route.request.url.removeprefix(site.url)):
            route.continue_()
        else:
            outside.append(route.request.url)
            route.abort()

    page.route("**/*", rule)
    page.goto(f"{site.url}/register?token={CODE}")
    page.get_by_label("User name").fill("maria")
    expect(page.get_by_text("This name is free.")).to_be_visible()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()

    expect(page.get_by_role("heading", name="Welcome to example.test")).to_be_visible()
    assert outside == []


def test_join_works_under_a_path_of_its_own(
    page: Page, transactional_db: None, configure: Configure, invite: Invite, homeserver: MemoryHomeserver
) -> None:
    configure(public_url="http://localhost:5000/matrix/join")
    with Site() as site:
        page.goto(f"{site.url}/matrix/join/i/{CODE}")
        page.get_by_label("User name").fill("maria")
        expect(page.get_by_text("This name is free.")).to_be_visible()
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Create account").click()

        expect(page.get_by_role("heading", name="Welcome to example.test")).to_be_visible()
        assert page.url.startswith(f"{site.url}/matrix/join/register/welcome/")


def test_link_whose_use_is_held_lets_the_same_person_press_again(
    page: Page, site: Site, make_invite: MakeInvite, homeserver: MemoryHomeserver
) -> None:
    make_invite()
    homeserver.fail(Fault.LOST_ANSWER, "create")
    homeserver.fail(Fault.DOWN, "password_is_right")
    page.goto(f"{site.url}/i/{CODE}")
    page.get_by_label("User name").fill("maria")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_text("we do not know yet whether your account was made")).to_be_visible()

    page.goto(f"{site.url}/i/{CODE}")
    expect(page.get_by_text("If that was you, send the same user name and password again.")).to_be_visible()
    page.get_by_label("User name").fill("maria")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()

    expect(page.get_by_role("heading", name="Welcome to example.test")).to_be_visible()
