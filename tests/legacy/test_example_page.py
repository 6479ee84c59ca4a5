"""resources/example.html on another origin, in a real browser: by script, and as a plain form."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from dev.site import Site
from foyer.homeserver.memory import Fault, MemoryHomeserver
from foyer.screening import limits
from tests.conftest import Configure
from tests.legacy.conftest import MakeInvite
from tests.support.axe import findings

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

SOURCE = Path(__file__).parents[2] / "resources" / "example.html"
ACTION = "https://join.example.org/register"
CODE = "DoubleWizardSki"


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in the standard library
        """Say nothing."""


Put = Callable[..., str]


@pytest.fixture
def put(configure: Configure, homeserver: MemoryHomeserver, tmp_path: Path) -> Iterator[Put]:
    """Return `put(**keys)`: the page's URL on an origin of its own, that a Foyer with these keys lets in."""
    elsewhere = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    thread = threading.Thread(target=elsewhere.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    origin = f"http://localhost:{elsewhere.server_port}"
    with Site() as site:

        def place(*, cors: bool = True, **keys: Any) -> str:
            configure(**({"api": {"cors_origins": [origin]}} if cors else {}), **keys)
            page = SOURCE.read_text(encoding="utf-8")
            assert page.count(ACTION) == 1
            (tmp_path / "join.html").write_text(page.replace(ACTION, f"{site.url}/register"), encoding="utf-8")
            return f"{origin}/join.html"

        yield place
    elsewhere.shutdown()
    thread.join()
    elsewhere.server_close()


def fill(page: Page, username: str = "test", password: str = "verysecure", confirm: str = "verysecure") -> None:
    """Fill in and send."""
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_label("The same password again").fill(confirm)
    page.get_by_role("button", name="Create account").click()


def test_page_copies_the_token_and_makes_an_account(
    page: Page, put: Put, make_invite: MakeInvite, homeserver: MemoryHomeserver
) -> None:
    make_invite()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(f"{put()}?token={CODE}")

    expect(page.get_by_label("Invitation")).to_have_value(CODE)
    fill(page)

    expect(page.get_by_text("@test:example.test")).to_be_visible()
    assert homeserver.accounts["test"].password == "verysecure"
    assert said == []


def test_page_has_no_findings_of_axe(page: Page, put: Put, make_invite: MakeInvite) -> None:
    make_invite()
    page.goto(put())
    assert findings(page) == []
    page.get_by_label("Invitation").fill("Wrong")
    fill(page, confirm="different")
    expect(page.get_by_text("Passwords must match")).to_be_visible()

    assert findings(page) == []


@pytest.mark.parametrize(
    ("sent", "label", "words"),
    [
        ({"username": "a b"}, "User name", "Use small letters from a to z"),
        ({"username": "taken"}, "User name", "This user name is taken. Choose another one."),
        ({"password": "short", "confirm": "short"}, "Password", "Password should be between 8 and 255 chars long"),
        ({"confirm": "different"}, "Password", "Passwords must match"),
    ],
)
def test_each_error_stands_beside_its_field(
    page: Page,
    put: Put,
    make_invite: MakeInvite,
    homeserver: MemoryHomeserver,
    sent: dict[str, str],
    label: str,
    words: str,
) -> None:
    make_invite()
    homeserver.create("taken", "of somebody else")
    page.goto(f"{put()}?token={CODE}")

    fill(page, **sent)

    field = page.get_by_label(label, exact=True)
    expect(field).to_have_accessible_description(re.compile(f"^{re.escape(words)}"))
    expect(field).to_be_focused()


def test_spent_invitation_is_told_in_foyers_words(page: Page, put: Put, make_invite: MakeInvite) -> None:
    make_invite(used=1)
    page.goto(f"{put()}?token={CODE}")

    fill(page)

    expect(page.get_by_label("Invitation")).to_have_accessible_description(
        "This invitation has been used up. Ask the person who sent it for another."
    )


def test_too_many_tries_say_when_to_come_back(page: Page, put: Put, make_invite: MakeInvite) -> None:
    make_invite(used=1)
    page.goto(f"{put(screening={'join_overall': '1/minute'})}?token={CODE}")
    limits.reset()
    fill(page)
    expect(page.get_by_text("This invitation has been used up.")).to_be_visible()
    page.get_by_role("button", name="Create account").click()

    expect(page.get_by_role("alert")).to_contain_text("Try again in")
    limits.reset()


def test_homeserver_that_is_down_is_said_and_a_second_press_succeeds(
    page: Page, put: Put, make_invite: MakeInvite, homeserver: MemoryHomeserver
) -> None:
    make_invite()
    homeserver.fail(Fault.DOWN, "*")
    page.goto(f"{put()}?token={CODE}")
    fill(page)

    expect(page.get_by_role("alert")).to_contain_text("The homeserver did not answer.")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_text("@test:example.test")).to_be_visible()


def test_proxys_own_error_page_and_no_answer_at_all_are_said(page: Page, put: Put, make_invite: MakeInvite) -> None:
    make_invite()
    page.goto(f"{put()}?token={CODE}")
    page.route("**/register", lambda route: route.fulfill(status=502, body="<h1>Bad Gateway</h1>"))
    fill(page)
    expect(page.get_by_role("alert")).to_contain_text("This does not work at the moment.")

    page.unroute("**/register")
    page.route("**/register", lambda route: route.abort())
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("alert")).to_contain_text("This does not work at the moment.")
    expect(page.get_by_role("button", name="Create account")).to_be_enabled()


def test_origin_that_is_not_named_reads_no_answer(page: Page, put: Put, make_invite: MakeInvite) -> None:
    make_invite(used=1)
    page.goto(f"{put(cors=False)}?token={CODE}")

    fill(page)

    expect(page.get_by_role("alert")).to_contain_text("This does not work at the moment.")


def test_plain_form_without_script_ends_at_foyers_own_page(
    browser: Browser, put: Put, make_invite: MakeInvite, homeserver: MemoryHomeserver
) -> None:
    make_invite()
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(put(cors=False))
    page.get_by_label("Invitation").fill(CODE)
    fill(page)

    expect(page.get_by_text("@test:example.test")).to_be_visible()
    assert "/register/welcome/" in page.url
    assert homeserver.accounts["test"].password == "verysecure"
    context.close()
