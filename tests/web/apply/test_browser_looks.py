"""What the pages of an application look like to eyes and to screen readers, on small screens, and in the dark."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from dev.site import Site
from foyer.applications import decisions, effects, keys
from foyer.applications.models import Application, State
from foyer.kit.actor import Actor
from foyer.kit.clock import now
from tests.conftest import Configure
from tests.support.axe import faults
from tests.web.apply.conftest import OPEN, Begin, path_of
from tests.web.apply.test_about import LEGAL, QUESTIONS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

ANNA = Actor.staff("anna")


def nothing(page: Page) -> None:
    """Leave the page as it came."""


def sent_empty(page: Page) -> None:
    """Let the server refuse the form."""
    page.evaluate("document.querySelector('[data-form]').submit()")
    expect(page.get_by_role("alert").last).to_be_visible()


def unfolded(page: Page) -> None:
    """Open everything that folds."""
    page.evaluate("document.querySelectorAll('details').forEach(it => it.open = true)")


def decided(row: Application, *, yes: bool) -> Application:
    """Decide, and let it take effect."""
    (decisions.approve if yes else decisions.deny)(row.id, ANNA, "Say hello to Anna.", at_once=True)
    effects.begin(row.id)
    if yes:
        effects.open_account(row.id)
    return row


def asked(row: Application) -> Application:
    """Let a moderator ask something."""
    decisions.ask(row.id, ANNA, "Which garden?")
    return row


def lapsed(row: Application) -> Application:
    """Let it rest for too long."""
    Application.objects.filter(id=row.id).update(state=State.LAPSED, ended_at=now())
    return row


def refused_by_mail(row: Application) -> Application:
    """Let a mail server refuse the email."""
    Application.objects.filter(id=row.id).update(mail_refused_at=now())
    return row


PAGES: dict[str, tuple[Callable[[Begin], str], Callable[[Page], None]]] = {
    "name": (lambda _begin: "/apply", unfolded),
    "name-refused": (lambda _begin: "/apply", sent_empty),
    "email": (lambda _begin: "/apply/email?name=maria", nothing),
    "email-refused": (lambda _begin: "/apply/email?name=maria", sent_empty),
    "verify": (lambda begin: path_of(begin(), "/verify"), nothing),
    "verify-refused": (lambda begin: path_of(refused_by_mail(begin()), "/verify"), sent_empty),
    "confirm": (lambda begin: f"/apply/confirm/{keys.mail_key(begin())}", nothing),
    "rename": (lambda begin: path_of(begin(until="about"), "/name"), nothing),
    "correct": (lambda begin: path_of(begin(until="about"), "/email"), nothing),
    "about": (lambda begin: path_of(begin(until="about"), "/about"), nothing),
    "about-refused": (lambda begin: path_of(begin(until="about"), "/about"), sent_empty),
    "waiting": (lambda begin: path_of(begin(until="review")), nothing),
    "asked": (lambda begin: path_of(asked(begin(until="review"))), nothing),
    "open": (lambda begin: path_of(decided(begin(until="review"), yes=True)), unfolded),
    "denied": (lambda begin: path_of(decided(begin(until="review"), yes=False)), nothing),
    "lapsed": (lambda begin: path_of(lapsed(begin(until="review"))), nothing),
    "withdraw": (lambda begin: path_of(begin(until="review"), "/withdraw"), nothing),
    "unknown": (lambda _begin: "/apply/nothing", nothing),
    "german": (lambda begin: path_of(begin(until="about"), "/about?lang=de"), sent_empty),
}


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_and_nothing_sticks_out(
    browser: Browser, site: Site, begin: Begin, configure: Configure, name: str
) -> None:
    path, prepare = PAGES[name]
    where = site.url + path(begin)
    configure(
        **{**OPEN, "application": {"password": "when_applying", "questions": QUESTIONS}},
        legal=LEGAL,
        branding={"tagline": "A small, friendly home for makers and gardeners."},
    )
    context = browser.new_context(reduced_motion="reduce", locale="en-GB")
    page = context.new_page()
    page.goto(where)
    prepare(page)

    assert faults(page) == []
    context.close()


@pytest.mark.parametrize("name", ["about-refused", "asked", "verify"])
def test_page_with_text_twice_as_large_stays_whole(browser: Browser, site: Site, begin: Begin, name: str) -> None:
    path, prepare = PAGES[name]
    context = browser.new_context(viewport={"width": 320, "height": 640}, locale="en-GB")
    page = context.new_page()
    page.goto(site.url + path(begin))
    prepare(page)
    page.evaluate("document.documentElement.style.setProperty('font-size', '200%')")

    seen = "[...document.querySelectorAll('main :not(.unseen, .unseen *)')]"
    too_wide = (
        f"{seen}.filter(it => it.getBoundingClientRect().right > innerWidth).map(it => it.outerHTML.slice(0, 99))"
    )
    assert page.evaluate(too_wide) == []
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    context.close()
