"""The whole map of addresses, and who may what: an address that is added and not named here fails the first test."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import pytest
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLResolver, get_resolver

from foyer.audit.models import Event
from foyer.homeserver.memory import MemoryHomeserver
from foyer.staff.models import Staff
from foyer.web.staff.guard import MARK, Access
from tests.conftest import Configure
from tests.web.desk.conftest import OPEN, addresses, admin, anna, bert, browser_of, moderator, stranger

__all__ = ["addresses", "admin", "anna", "bert", "moderator", "stranger"]  # fixtures

pytestmark = [pytest.mark.django_db, pytest.mark.database]

Door = Literal["everybody", "sign-in", "signed in", "staff", "admins", "secret", "this machine"]

MAP: dict[Door, str] = {
    "everybody": """
        /  /i/<code>  /register  /register/available  /register/strength  /register/apps  /register/theme.css
        /register/icon.svg  /register/logo  /register/welcome/<key>  /register/seen/<key>
        /apply  /apply/email  /apply/confirm/<mail_key>  /apply/<key>  /apply/<key>/verify  /apply/<key>/again
        /apply/<key>/email  /apply/<key>/name  /apply/<key>/available  /apply/<key>/about  /apply/<key>/reply
        /apply/<key>/freely  /apply/<key>/renew  /apply/<key>/withdraw
        /health  /healthz  /readyz
        /_matrix/client/v1/register/m.login.registration_token/validity
    """,
    "this machine": "/metrics",
    "secret": "/api/version  /api/token  /api/token/<name>  /token  /token/<name>",
    "sign-in": """
        /desk/sign-in  /desk/sign-in/second-step  /desk/sign-in/passkey  /desk/sign-in/closed  /desk/sign-out
    """,
    "signed in": """
        /desk/account  /desk/account/password  /desk/account/confirm  /desk/account/confirm/code
        /desk/account/confirm/passkey  /desk/account/app  /desk/account/app/remove  /desk/account/passkeys/add
        /desk/account/passkeys/<pk>  /desk/account/passkeys/<pk>/remove  /desk/account/recovery-codes
        /desk/account/recovery-codes/new  /desk/account/recovery-codes/download
    """,
    "staff": """
        /desk  /desk/  /desk/counts  /desk/queue  /desk/decide  /desk/undo  /desk/requests/<number>
        /desk/requests/<number>/<decision>  /desk/requests/<number>/act/<act>
        /desk/invitations  /desk/invitations/new  /desk/invitations/sheet  /desk/invitations/<number>
        /desk/invitations/<number>/qr.<kind>  /desk/invitations/<number>/edit  /desk/invitations/<number>/delete
        /desk/invitations/<number>/<deed>  /desk/people
        /desk/rules  /desk/rules/<number>
    """,
    "admins": """
        /desk/rules/new  /desk/rules/<number>/edit  /desk/rules/<number>/end  /desk/history  /desk/history.<kind>
        /desk/health  /desk/health/<kind>/all  /desk/health/<kind>/<number>  /admin
    """,
}
"""Everything below /admin/ is for admins; Django makes those addresses."""

OLDER = {
    r"/^(?:check-username|email-input)/?$": "/check-username/",
    r"/^(?:verify-email|set-password)/[^/]+/?$": "/verify-email/key/",
    r"/^complete-registration/?$": "/complete-registration/",
}
"""The addresses of synapse_registration, and one of each that somebody could type. They are everybody's."""

DOORS: dict[str, Door] = {path: door for door, paths in MAP.items() for path in paths.split()}
DOORS |= dict.fromkeys(OLDER, "everybody")
SAID_BY_THE_VIEW = {
    Access.EVERYBODY: "sign-in",
    Access.SETTING_UP: "signed in",
    Access.STAFF: "staff",
    Access.ADMINS: "admins",
}
LOOK_AHEAD = re.compile(r"\^?\(\?=(?:[^()]|\([^()]*\))*\)")
"""By what a list of addresses is passed over that cannot hold the one that is asked for."""
SECRET = "a secret of the predecessor's API"
ASKS_FOR_MORE = {"/register/available", "/register/seen/<key>", "/desk/sign-in/second-step", "/desk/sign-in/closed"}
"""Open addresses that still want a live invitation, a signed key, a sign-in that has begun."""
TYPED = {"kind": "csv", "decision": "approve", "act": "claim", "deed": "close"}


def patterns(found: Sequence[Any], before: str = "/") -> Iterator[tuple[str, Any]]:
    """Yield every address as it stands in the map, with its view."""
    for one in found:
        place = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from patterns(one.url_patterns, place)
        else:
            yield re.sub(r"<\w+:(\w+)>", r"<\1>", LOOK_AHEAD.sub("", place)), one.callback


def everything() -> dict[str, Any]:
    return dict(patterns(get_resolver("foyer.urls").url_patterns))


def door_of(path: str) -> Door:
    """Return who may come in there; what is not in the table is taken for the admins', and the first test names it."""
    return "admins" if path.startswith("/admin/") else DOORS.get(path, "admins")


def typed(path: str) -> str:
    """Return an address that somebody could type for this one of the map."""
    path = OLDER.get(path, path)
    path = re.sub(r"\^?\(\?P<app_label>[^)]*\)/?\$?", "audit/", path)
    return re.sub(r"<(\w+)>", lambda found: TYPED.get(found[1], "1"), path)


CLOSED = [path for path in everything() if door_of(path) in ("signed in", "staff", "admins")]


@pytest.fixture(autouse=True)
def open_doors(homeserver: MemoryHomeserver, configure: Configure) -> None:
    """Every way in is open, the predecessor's API too."""
    configure(**OPEN, api={"legacy_shared_secret": SECRET})


def asked(client: Client, path: str) -> list[HttpResponseBase]:
    """Open an address, and send a form to it."""
    form = {"ids": "1", "decision": "approve", "message": "Yes", "pattern": "x+", "about": "name", "effect": "flag"}
    return [client.get(path), client.head(path), client.post(path, form)]


def test_every_address_is_in_this_table_and_nothing_else() -> None:
    assert {path for path in everything() if not path.startswith("/admin/")} == set(DOORS)


def test_every_view_for_staff_says_what_this_table_says() -> None:
    said = {path: getattr(view, MARK, None) for path, view in everything().items() if not path.startswith("/admin/")}
    marked = {path: SAID_BY_THE_VIEW[access] for path, access in said.items() if access is not None}

    assert marked == {path: door for path, door in DOORS.items() if door in SAID_BY_THE_VIEW.values()}


@pytest.mark.parametrize("path", CLOSED)
def test_nobody_and_whoever_lacks_the_role_are_kept_out_and_change_nothing(
    path: str, stranger: Client, anna: Staff, configure: Configure
) -> None:
    before = Event.objects.count()
    for response in asked(stranger, typed(path)):
        assert response.status_code == 303
        assert response.headers["Location"].startswith("/desk/sign-in")
    lacking = browser_of(anna)
    if door_of(path) == "admins":
        assert {response.status_code for response in asked(lacking, typed(path))} == {403}
    configure(**OPEN, staff={"second_factor": "required"})
    if door_of(path) != "signed in":
        for response in asked(lacking, typed(path)):
            assert (response.status_code, response.headers["Location"]) == (303, "/desk/account")
    anna.is_active = False
    anna.save()
    assert {response.status_code for response in asked(browser_of(anna), typed(path))} == {303}
    assert Event.objects.count() == before


@pytest.mark.parametrize("path", CLOSED)
def test_whoever_has_the_role_is_let_in(path: str, request: pytest.FixtureRequest) -> None:
    roles = {"signed in": ("moderator", "admin"), "staff": ("moderator", "admin"), "admins": ("admin",)}
    for role in roles[door_of(path)]:
        client: Client = request.getfixturevalue(role)
        for response in (client.get(typed(path)), client.head(typed(path))):
            is_kept_out = response.status_code == 403 and b"Only admins may see this page" in response.content
            # Some of what Django makes below /admin/ is closed to everybody: nothing is added or deleted there.
            is_closed = response.status_code == 403 and path.startswith("/admin/") and not is_kept_out
            assert is_closed or response.status_code in {200, 302, 303, 308, 404, 405}, (role, response.status_code)
            assert not response.headers.get("Location", "").startswith("/desk/sign-in")


@pytest.mark.parametrize("path", [path for path, door in DOORS.items() if door == "secret"])
def test_api_of_the_predecessors_opens_to_its_secret_alone(path: str, stranger: Client, admin: Client) -> None:
    before = Event.objects.count()
    for client in (stranger, admin):
        for key in ("", "SharedSecret wrong", f"Bearer {SECRET}", "SharedSecret"):
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
                headers = {"Authorization": key} if key else {}
                response = client.generic(method, typed(path), "{}", "application/json", headers=headers)
                assert response.status_code in {401, 403, 405}, (method, key, response.status_code)
    assert Event.objects.count() == before


@pytest.mark.parametrize("path", [path for path, door in DOORS.items() if door in ("everybody", "sign-in")])
def test_open_address_answers_anybody_and_changes_nothing_for_a_look(path: str, stranger: Client) -> None:
    before = Event.objects.count()
    for response in (stranger.get(typed(path)), stranger.head(typed(path))):
        assert response.status_code < 500 or path == "/readyz"
        assert response.status_code not in {401, 403} or path in ASKS_FOR_MORE
    assert Event.objects.count() == before


def test_figures_are_for_this_machine(client: Client) -> None:
    assert client.get("/metrics", headers={"Host": "localhost"}).status_code == 200
    assert client.get("/metrics", headers={"Host": "localhost", "X-Forwarded-For": "203.0.113.9"}).status_code == 403
