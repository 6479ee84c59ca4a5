"""The desk in a real browser: by keyboard alone, by mouse without JavaScript, and what axe says of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from dev.site import Site
from foyer.applications.models import Application, Message, Note
from foyer.audit.services import record
from foyer.audit.verbs import Verb
from foyer.invites import services as invites
from foyer.invites.services import NewInvite
from foyer.kit.actor import Actor
from foyer.kit.clock import now
from foyer.staff.models import Staff
from tests.support.axe import faults
from tests.web.desk.conftest import PASSWORD, MakeRequest, fresh

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

SignIn = Callable[..., BrowserContext]
PAGES = {
    "overview": "/desk/",
    "queue": "/desk/queue",
    "decided": "/desk/queue?tab=decided",
    "empty": "/desk/queue?q=nothing+like+it",
    "request": "/desk/requests/{odd}",
    "over": "/desk/requests/{over}",
    "approve": "/desk/requests/{odd}/approve",
    "deny": "/desk/requests/{deaf}/deny",
    "ask": "/desk/requests/{odd}/ask",
    "late": "/desk/requests/{over}/deny",
    "many": "/desk/decide?all=yes&decision=deny",
    "german": "/desk/requests/{odd}?lang=de",
}
TROUBLED = [
    {"code": "looks-like", "params": {"name": "admin"}},
    {"code": "denied-email", "params": {"on": "2026-05-01"}},
]


@pytest.fixture
def furnished(make_request: MakeRequest, anna: Staff) -> dict[str, int]:
    """A desk with something of everything; returns the numbers of the requests that the pages are about."""
    odd = make_request("4dm1n", flags=TROUBLED, answer="word " * 200)
    make_request("linus", claimed_by="staff:bert", claimed_until=now() + timedelta(minutes=3))
    deaf = make_request(
        "a-person-with-a-really-very-long-user-name", email="x@subdomain.of-a-very-long.example.ac.uk",
        mail_refused_at=now(), subnet="2001:db8:1234:5678::/64",
    )  # fmt: skip
    over = make_request(
        "sofia", state="done", decision="approve", decided_by="staff:bert", decided_at=now(),
        effects_started_at=now(), message="Welcome!", reason="Known to us",
    )  # fmt: skip
    for verb in (Verb.APPLICATION_STARTED, Verb.APPLICATION_VERIFIED, Verb.APPLICATION_SUBMITTED):
        record(verb, actor=Actor.person(), subject=("application", odd.id))
    for number in range(9):
        record(Verb.ACCOUNT_OPENED, actor=Actor.job(), subject=("account", number))
    Note.objects.create(application=odd, by="staff:bert", text="Careful.")
    Message.objects.create(application=odd, by="staff:anna", text="Who are you?")
    Message.objects.create(application=odd, by="applicant", text="A gardener.")
    ending = NewInvite(label="Seed fair", uses_limit=9, expires_at=now() + timedelta(days=2))
    invites.create(ending, actor=Actor.staff("anna"))
    return {"odd": odd.id, "deaf": deaf.id, "over": over.id}


def test_axe_finds_nothing_and_nothing_is_cut_off(
    site: Site, sign_in: SignIn, anna: Staff, furnished: dict[str, int]
) -> None:
    page = sign_in(anna).new_page()
    found = {}
    for name, path in PAGES.items():
        page.goto(site.url + path.format(**furnished))
        page.evaluate("document.querySelectorAll('details').forEach(it => it.open = true)")
        found[name] = faults(page)

    assert found == {name: [] for name in PAGES}


def expect_focus(page: Page, name: str) -> None:
    """Wait until the card of this name has the focus."""
    page.wait_for_function(
        "name => document.activeElement.closest('[data-card]')?.querySelector('h2').textContent.startsWith(name)",
        arg=f"@{name}:",
    )


def test_desk_by_keyboard_alone(site: Site, sign_in: SignIn, anna: Staff, make_request: MakeRequest) -> None:
    names = ("maria", "linus", "sofia", "tove")
    rows = [make_request(name, submitted_at=now() - timedelta(hours=9 - n)) for n, name in enumerate(names)]
    page = sign_in(anna).new_page()
    page.goto(site.url + "/desk/queue")
    keys = page.keyboard

    keys.press("j")
    expect_focus(page, "maria")
    keys.press("j")
    expect_focus(page, "linus")
    keys.press("k")
    keys.press("a")
    expect(page.get_by_role("heading", level=1)).to_have_text("Approve @maria:example.test")
    expect(page.get_by_role("button", name="Approve")).to_be_focused()
    keys.press("Enter")
    expect(page.get_by_text("You have approved 1 request.")).to_be_visible()
    expect_focus(page, "linus")
    assert fresh(rows[0]).state == "approved"

    keys.press("z")
    expect(page.get_by_text("Taken back: 1 request waits again.")).to_be_visible()
    assert fresh(rows[0]).state == "waiting"

    keys.press("j")
    keys.press("j")
    keys.press("d")
    expect(page.get_by_role("button", name="Deny")).to_be_focused()
    keys.press("Enter")
    expect(page.get_by_text("You have denied 1 request.")).to_be_visible()
    assert fresh(rows[1]).state == "denied"

    expect_focus(page, "sofia")
    keys.press("q")
    expect(page.get_by_label("Your question")).to_be_focused()
    keys.type("Who told you about us, a friend?")
    expect(page.locator(".letter-body")).to_contain_text("Who told you about us, a friend?")
    keys.press("Control+Enter")
    expect(page.get_by_text("Your question to @sofia:example.test is on its way.")).to_be_visible()
    assert fresh(rows[2]).state == "asked"


def test_selection_by_keyboard_is_decided_in_bulk(
    site: Site, sign_in: SignIn, anna: Staff, make_request: MakeRequest
) -> None:
    rows = [make_request(name) for name in ("maria", "linus", "sofia")]
    page = sign_in(anna).new_page()
    page.goto(site.url + "/desk/queue")
    for key in ("j", "x", "j", "x"):
        page.keyboard.press(key)

    expect(page.get_by_text("2 chosen")).to_be_visible()
    page.locator(".bulk").get_by_role("button", name="Approve").press("Enter")
    page.get_by_role("button", name="Approve").press("Enter")
    expect(page.get_by_text("You have approved 2 requests.")).to_be_visible()
    assert sorted(fresh(row).state for row in rows) == ["approved", "approved", "waiting"]


def test_keys_can_be_switched_off(site: Site, sign_in: SignIn, anna: Staff, make_request: MakeRequest) -> None:
    make_request()
    page = sign_in(anna).new_page()
    page.goto(site.url + "/desk/queue")
    page.get_by_text("Keys", exact=True).click()
    page.get_by_label("Use these keys").uncheck()
    page.reload()
    page.keyboard.press("a")
    page.wait_for_timeout(200)

    assert page.url.endswith("/desk/queue")


def test_typing_in_the_search_is_no_command(
    site: Site, sign_in: SignIn, anna: Staff, make_request: MakeRequest
) -> None:
    make_request("dana")
    page = sign_in(anna).new_page()
    page.goto(site.url + "/desk/queue")
    page.keyboard.press("/")
    page.keyboard.type("dana")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=2).first).to_have_text("@dana:example.test")
    assert "q=dana" in page.url


def test_everything_works_without_javascript(
    site: Site, sign_in: SignIn, anna: Staff, make_request: MakeRequest
) -> None:
    rows = [make_request(name) for name in ("maria", "linus")]
    page = sign_in(anna, java_script_enabled=False).new_page()
    page.goto(site.url + "/desk/queue")
    page.get_by_role("link", name="@maria:example.test").click()
    page.get_by_role("button", name="Tell the others that I am").click()
    assert fresh(rows[0]).claimed_by == "staff:anna"
    page.get_by_label("A note for the other moderators").fill("Looks fine.")
    page.get_by_role("button", name="Keep the note").click()
    page.get_by_role("link", name="Deny…").click()
    page.get_by_role("button", name="Full for now").click()
    expect(page.locator(".letter-body")).to_contain_text("We cannot take in more people at the moment.")
    page.get_by_label("Say nothing: no mail goes out").check()
    page.get_by_role("button", name="Show the mail").click()
    expect(page.get_by_text("No mail goes out.")).to_be_visible()
    page.get_by_role("button", name="Deny", exact=True).click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Taken back: 1 request waits again.")).to_be_visible()

    for box in page.get_by_role("checkbox").all():
        box.check()
    page.locator(".bulk").get_by_role("button", name="Approve").click()
    page.get_by_role("button", name="Approve", exact=True).click()
    assert {row.state for row in Application.objects.all()} == {"approved"}
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Password")).to_be_visible()


def test_reading_is_seen_by_others_and_figures_refresh(
    site: Site, sign_in: SignIn, anna: Staff, bert: Staff, make_request: MakeRequest
) -> None:
    row = make_request()
    queue = sign_in(bert).new_page()
    queue.clock.install()
    queue.goto(site.url + "/desk/queue")
    reading = sign_in(anna).new_page()
    with reading.expect_response("**/act/claim"):
        reading.goto(f"{site.url}/desk/requests/{row.id}")
    make_request("linus")
    queue.clock.run_for(16_000)

    expect(queue.get_by_text("anna is reading this")).to_be_visible()
    expect(queue.locator(".tabs [data-count=waiting]")).to_have_text("2")
    expect(queue.get_by_text("The queue has changed.")).to_be_visible()
    with reading.expect_navigation():
        reading.get_by_role("link", name="Back to the queue").click()
    queue.clock.run_for(16_000)
    expect(queue.get_by_text("anna is reading this")).to_be_hidden()


def test_sign_in_leads_to_the_desk(site: Site, page: Page, anna: Staff) -> None:
    page.goto(site.url + "/desk/queue")
    page.get_by_label("Name").fill("anna")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Requests")
