"""Where `public_url` has a path: addresses, cookies and forms of staff are below it."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from urllib.parse import urlencode, urlsplit

import pytest
from django.urls import get_script_prefix, set_script_prefix
from pytest_django import Settings

from dev.site import Site
from foyer.homeserver.memory import MemoryHomeserver
from foyer.staff.models import Staff
from tests.conftest import Configure
from tests.staff.conftest import PASSWORD

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture
def below(configure: Configure, homeserver: MemoryHomeserver, settings: Settings) -> Iterator[Site]:
    """Foyer under a path of its own, as the settings are made from such a `public_url`."""
    configure(public_url="http://localhost:5000/matrix/join")
    settings.FORCE_SCRIPT_NAME = "/matrix/join"
    settings.SESSION_COOKIE_PATH = settings.CSRF_COOKIE_PATH = "/matrix/join/"
    before = get_script_prefix()
    with Site() as running:
        yield running
    set_script_prefix(before)


def ask(site: Site, method: str, path: str, body: str = "", **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(urlsplit(site.url).netloc, timeout=60)
    kind = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
    connection.request(method, path, body or None, {"Accept": "text/html", **kind, **headers})
    answer = connection.getresponse()
    answer.content = answer.read()  # type: ignore[attr-defined]
    connection.close()
    return answer


@pytest.mark.parametrize("before", ["", "/matrix/join"])
def test_sign_in_below_a_path_leads_below_it(below: Site, moderator: Staff, before: str) -> None:
    """The proxy may pass the path on, or cut it."""
    asked = ask(below, "GET", f"{before}/desk/account")
    assert asked.headers["Location"] == "/matrix/join/desk/sign-in?next=%2Fmatrix%2Fjoin%2Fdesk%2Faccount"

    page = ask(below, "GET", f"{before}/desk/sign-in")
    cookie = page.headers["Set-Cookie"]
    assert "Path=/matrix/join/;" in cookie
    assert b'action="/matrix/join/desk/sign-in"' in page.content  # type: ignore[attr-defined]
    token = cookie.partition("=")[2].partition(";")[0]
    form = {"login": "anna", "password": PASSWORD, "csrfmiddlewaretoken": token}
    entered = ask(below, "POST", f"{before}/desk/sign-in", urlencode(form), Cookie=f"foyer_staff_csrf={token}")
    assert (entered.status, entered.headers["Location"]) == (302, "/matrix/join/desk/")
    assert "Path=/matrix/join/;" in entered.headers["Set-Cookie"]


def test_admins_files_below_a_path_are_there(below: Site) -> None:
    from django.templatetags.static import static

    set_script_prefix("/matrix/join/")
    address = static("admin/css/base.css")
    assert address.startswith("/matrix/join/static/django-")
    answer = ask(below, "GET", address)
    assert answer.status == 200
    assert "immutable" in answer.headers["Cache-Control"]
