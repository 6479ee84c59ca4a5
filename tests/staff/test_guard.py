from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from allauth import urls as everything
from django.test import Client
from django.urls import URLResolver, get_resolver

from foyer.staff.models import Staff
from foyer.web.staff import urls
from foyer.web.staff.middleware import is_for_staff
from tests.staff.conftest import SignIn, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.database]

OPEN = {"/desk/sign-in", "/desk/sign-in/second-step", "/desk/sign-in/passkey", "/desk/sign-in/closed", "/desk/sign-out"}


def addresses(patterns: Sequence[Any], before: str = "/") -> list[str]:
    """Return an address for every pattern."""
    found = []
    for pattern in patterns:
        place = before + str(pattern.pattern).replace("<int:pk>", "1").replace("<path:object_id>", "1").replace(
            "<path:url>", "anything"
        )
        if isinstance(pattern, URLResolver):
            found += addresses(pattern.url_patterns, place)
        else:
            found.append(place)
    return [it.replace("<int:content_type_id>", "1").replace("^(?P<app_label>audit|staff)/$", "staff/") for it in found]


OURS = sorted(set(addresses(urls.urlpatterns)))
CLOSED = [path for path in OURS if path not in OPEN]


def test_every_address_of_staff_is_below_the_guarded_areas() -> None:
    assert len(OURS) > 30
    assert [path for path in OURS if not is_for_staff(path)] == []


@pytest.mark.parametrize("path", [*CLOSED, "/desk/queue", "/desk/rules", "/desk/unmarked", "/admin/unmarked"])
def test_stranger_is_sent_to_the_sign_in_from_every_page(stranger: Client, path: str) -> None:
    for response in (stranger.get(path), stranger.post(path)):
        assert response.status_code == 303
        assert response.headers["Location"].startswith("/desk/sign-in")


@pytest.mark.parametrize("path", CLOSED)
def test_program_without_a_sign_in_is_told_so(stranger: Client, path: str) -> None:
    response = stranger.post(path, HTTP_ACCEPT="application/json")

    assert (response.status_code, response.json()["code"]) == (401, "signed-out")


@pytest.mark.parametrize("path", sorted(OPEN))
def test_stranger_gets_a_page_from_every_open_address(stranger: Client, path: str) -> None:
    assert stranger.get(path).status_code in {200, 302, 403}


@pytest.mark.parametrize("path", [path for path in CLOSED if path.startswith("/admin")] + ["/desk/rules"])
def test_moderator_is_kept_out_of_what_is_for_admins(moderator: Staff, sign_in: SignIn, path: str) -> None:
    client = sign_in(moderator)

    for response in (client.get(path), client.post(path)):
        assert response.status_code == 403
        assert "Only admins may see this page." in text_of(response)


def test_view_without_a_mark_is_as_closed_as_its_area(moderator: Staff, admin: Staff, sign_in: SignIn) -> None:
    assert sign_in(moderator).get("/desk/unmarked").status_code == 200
    assert sign_in(moderator).get("/admin/unmarked").status_code == 403
    assert sign_in(admin).get("/admin/unmarked").status_code == 200


def test_marked_view_outside_the_areas_opens_to_nobody(moderator: Staff, sign_in: SignIn) -> None:
    """There is no session there, so nobody is known."""
    assert sign_in(moderator).get("/outside/queue").status_code == 303


def test_guard_knows_its_areas_by_whole_words() -> None:
    guarded = ["/desk", "/desk/", "/desk/sign-in", "/admin", "/admin/", "/admin/staff/staff/"]
    public = ["/", "/desks", "/administration", "/register", "/register/desk/", "/i/desk", "/static/admin/"]

    assert [path for path in guarded if not is_for_staff(path)] == []
    assert [path for path in public if is_for_staff(path)] == []


def test_allauth_has_no_address_but_ours(stranger: Client, moderator: Staff, sign_in: SignIn) -> None:
    """Sign-up, sign-in by mail or by other providers, password reset: none of it is there."""
    signed_in = sign_in(moderator)
    there = [it.replace("<key>", "x") for it in addresses(everything.urlpatterns)]
    there += ["/signup/", "/signup/passkey/", "/3rdparty/signup/", "/oidc/x/login/", "/login/code/", "/social/signup/"]
    assert len(there) > 20
    for before in ("", "/desk", "/desk/account", "/accounts", "/account", "/desk/sign-in"):
        for path in there:
            for client in (stranger, signed_in):
                assert client.get(before + path).status_code == 404, before + path
                assert client.post(before + path).status_code == 404, before + path


def test_names_of_allauth_that_could_make_an_account_lead_nowhere() -> None:
    known = get_resolver("tests.staff.urls").reverse_dict
    closed = ("signup", "reset", "email", "code", "set_password", "social", "openid", "inactive", "headless")
    names = [name for name in known if isinstance(name, str) and any(word in name for word in closed)]

    assert sorted(names) == [
        "account_inactive",
        "mfa_download_recovery_codes",
        "mfa_generate_recovery_codes",
        "mfa_view_recovery_codes",
    ]
