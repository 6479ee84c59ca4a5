"""Invitations, people, rules, history and health in a real browser: what axe finds, and by keyboard alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect

from dev.site import Site
from foyer.accounts.models import Account
from foyer.invites import services as invites
from foyer.invites.models import Invite
from foyer.invites.services import NewInvite
from foyer.jobs.models import Job
from foyer.kit.actor import Actor
from foyer.kit.clock import now
from foyer.notify.models import Delivery
from foyer.screening import services as rules
from foyer.screening.models import About, Effect
from foyer.screening.services import NewRule
from foyer.staff.models import Staff
from tests.conftest import Configure
from tests.support.axe import faults
from tests.web.desk.conftest import OPEN, MakeRequest

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SignIn = Callable[..., BrowserContext]
PAGES = {
    "invitations": "invitations",
    "invitation-new": "invitations/new",
    "invitation": "invitations/{invite}",
    "invitation-edit": "invitations/{invite}/edit",
    "sheet": "invitations/sheet?ids={sheet}",
    "people": "people",
    "rules": "rules",
    "rule-new": "rules/new",
    "rule": "rules/{rule}",
    "history": "history",
    "health": "health?look=yes",
    "nobody": "people?q=zzzz",
}


@pytest.fixture
def numbers(site: Site, configure: Configure, bert: Staff, make_request: MakeRequest) -> dict[str, Any]:
    """A house that has seen some days."""
    configure(**OPEN)
    actor, later = Actor.staff("bert"), now() + timedelta(days=9)
    made = invites.create(
        NewInvite(label="For the choir", uses_limit=12, expires_at=later, message="Come and sing with us.\nTuesdays."),
        actor=actor,
    )
    pinned = invites.create(NewInvite(localpart="erika", email="erika@example.com", expires_at=later), actor=actor)
    closed = invites.create(NewInvite(label="An old leaflet", uses_limit=None), actor=Actor.staff("anna"))
    invites.revoke(closed, actor=actor)
    batch = invites.create_many(6, NewInvite(label="Summer party", expires_at=later), actor=actor)
    request = make_request("tim.spammer")
    for name, state in (("maria", "open"), ("otto.with.a.long.name.indeed", "open"), ("tim.spammer", "held")):
        account = Account.objects.create(localpart=name, state=state, begun_at=now(), settled_at=now())
        if state == "open":
            invites.reserve(made.code, holder=account.holder)
            invites.complete(holder=account.holder)
    Account.objects.filter(localpart="tim.spammer").update(made_for=f"application:{request.pk}")
    rule = rules.make(NewRule(About.NAME, Effect.REFUSE, ".*spam.*", "A wave in March", later), actor=actor)
    rules.make(NewRule(About.DOMAIN, Effect.HOLD, "mail.example.com"), actor=actor)
    rules.make(NewRule(About.NETWORK, Effect.FLAG, "2001:db8::/32", "A café with open Wi-Fi"), actor=actor)
    for number in (1, 2):
        Job.objects.create(
            lane="mail", kind="notify.email", subject=str(number), gave_up_at=now(), attempts=9, last_error="mail-down"
        )
        Delivery.objects.create(
            kind="applications.received",
            subject=f"application:{number}",
            recipient="m@example.com",
            recipient_shown="m•••@example.com",
            message_id=f"<{number}@example.test>",
            state="gave-up" if number == 1 else "refused",
            last_error="mail-refused",
            finished_at=now(),
        )
    ids = ",".join(str(it.pk) for it in [made, pinned, *batch])
    return {"invite": made.pk, "rule": rule.pk, "sheet": ids, "pinned": pinned.pk}


def test_axe_finds_nothing_and_nothing_is_cut_off(
    site: Site, sign_in: SignIn, bert: Staff, numbers: dict[str, Any]
) -> None:
    page = sign_in(bert).new_page()
    found = {}
    for name, path in PAGES.items():
        page.goto(f"{site.url}/desk/{path.format(**numbers)}")
        found[name] = faults(page)

    assert found == {name: [] for name in PAGES}


def test_invitation_is_made_in_two_clicks_and_its_link_copied(site: Site, sign_in: SignIn, bert: Staff) -> None:
    context = sign_in(bert, permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"{site.url}/desk/")

    page.get_by_role("link", name="Invitations", exact=True).click()
    page.get_by_role("button", name="New invitation").click()

    link = page.get_by_role("textbox", name="The link").input_value()
    assert link.endswith(f"/i/{Invite.objects.get().code}")
    page.get_by_role("button", name="Copy the link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == link


def test_batch_without_javascript_by_keyboard_alone(site: Site, sign_in: SignIn, bert: Staff) -> None:
    page = sign_in(bert, java_script_enabled=False).new_page()
    page.goto(f"{site.url}/desk/invitations/new")
    page.get_by_label("How many invitations").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("4")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Invitations to hand out")).to_be_visible()
    expect(page.get_by_role("heading", level=2)).to_have_count(4)
    assert Invite.objects.count() == 4


def test_rule_is_tried_then_made_by_keyboard_alone(
    site: Site, sign_in: SignIn, bert: Staff, numbers: dict[str, Any]
) -> None:
    page = sign_in(bert).new_page()
    page.goto(f"{site.url}/desk/rules/new")
    page.get_by_label("What it matches").focus()
    page.keyboard.type("tim.*")
    page.get_by_role("button", name="Whom would it match?").press("Enter")
    expect(page.get_by_role("heading", name="Whom it would have matched lately")).to_be_visible()
    expect(page.get_by_role("link", name="@tim.spammer:example.test")).to_be_visible()
    page.get_by_role("button", name="Make the rule").press("Enter")

    expect(page.get_by_text("The rule is in force.")).to_be_visible()
    expect(page.get_by_role("link", name="User name: tim.*")).to_be_visible()


def test_sheet_prints_the_cards_and_nothing_else(
    site: Site, sign_in: SignIn, bert: Staff, numbers: dict[str, Any]
) -> None:
    page = sign_in(bert).new_page()
    page.goto(f"{site.url}/desk/invitations/sheet?ids={numbers['sheet']}")
    page.emulate_media(media="print")

    expect(page.get_by_role("navigation").first).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_be_hidden()
    expect(page.get_by_role("heading", level=2)).to_have_count(8)
