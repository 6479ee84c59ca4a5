from __future__ import annotations

import pytest
from django.contrib.admin import site as default_site
from django.test import Client

from foyer.audit.models import Event
from foyer.staff.models import Staff
from foyer.web.staff.admin import site
from tests.staff.conftest import PASSWORD, SECOND_FACTOR, SignIn, add_app, code_of

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def test_admin_signs_in_at_the_desk_and_comes_back(admin: Staff, stranger: Client) -> None:
    asked = stranger.get("/admin/")
    assert asked.headers["Location"] == "/desk/sign-in?next=%2Fadmin%2F"
    entered = stranger.post(asked.headers["Location"], {"login": "bert", "password": PASSWORD, "next": "/admin/"})
    assert entered.headers["Location"] == "/admin/"
    assert stranger.get("/admin/").status_code == 200


def test_admins_own_sign_in_lets_nobody_in_by_password(admin: Staff, stranger: Client) -> None:
    """As Django ships it, this address asks for no second factor."""
    add_app(admin)
    response = stranger.post("/admin/login/?next=/admin/", {"username": "bert", "password": PASSWORD})

    assert response.headers["Location"].startswith("/desk/sign-in")
    assert stranger.get("/admin/").headers["Location"].startswith("/desk/sign-in")


def test_admin_with_an_app_needs_its_code(admin: Staff, sign_in: SignIn) -> None:
    secret = add_app(admin)
    client = sign_in(admin)
    assert client.get("/admin/").status_code == 303
    client.post(SECOND_FACTOR, {"code": code_of(secret)})
    assert client.get("/admin/").status_code == 200


def test_admins_own_sign_in_leads_whoever_is_signed_in_to_the_start(admin: Staff, sign_in: SignIn) -> None:
    assert sign_in(admin).get("/admin/login/?next=https://example.org/").headers["Location"] == "/admin/"


@pytest.mark.parametrize(
    ("path", "place"), [("/admin", "/admin/"), ("/admin/password_change/", "/desk/account/password")]
)
def test_admin_leads_to_our_own_pages(admin: Staff, sign_in: SignIn, path: str, place: str) -> None:
    assert sign_in(admin).get(path).headers["Location"] == place


def test_admin_signs_out_as_everywhere(admin: Staff, sign_in: SignIn) -> None:
    client = sign_in(admin)
    assert client.post("/admin/logout/").headers["Location"] == "/desk/sign-in"
    assert client.get("/admin/").status_code == 303
    assert Event.objects.filter(verb="staff.signed-out").count() == 1


def test_admin_shows_staff_and_audit_and_changes_neither(admin: Staff, moderator: Staff, sign_in: SignIn) -> None:
    client = sign_in(admin)
    event = Event.objects.earliest("id")

    for path in ("/admin/staff/staff/", "/admin/audit/event/", "/admin/audit/event/?q=staff"):
        assert client.get(path).status_code == 200
    for path in (f"/admin/staff/staff/{moderator.pk}/change/", f"/admin/audit/event/{event.pk}/change/"):
        page = client.get(path)
        assert page.status_code == 200
        assert b"pbkdf2" not in page.content
        assert b"md5$" not in page.content
        assert client.post(path, {"role": "admin", "verb": "x"}).status_code == 403
    for path in ("add/", f"{moderator.pk}/delete/"):
        assert client.post(f"/admin/staff/staff/{path}", {"post": "yes"}).status_code == 403
    moderator.refresh_from_db()
    assert moderator.role == "moderator"


def test_admin_has_only_what_is_meant_to_be_in_it() -> None:
    assert sorted(model._meta.label for model in site._registry) == [
        "applications.Application",
        "audit.Event",
        "staff.Staff",
    ]
    assert list(default_site._registry) == []
