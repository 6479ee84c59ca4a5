"""Every address of the desk, as nobody, a moderator and an admin."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from foyer.staff.models import Staff
from foyer.web.desk import urls
from foyer.web.staff.guard import MARK
from tests.web.desk.conftest import MakeRequest, browser_of, fresh, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.database]

PAGES = ["/desk/", "/desk/queue", "/desk/counts", "/desk/decide", "/desk/requests/1", "/desk/requests/1/approve"]
POSTS = ["/desk/undo", "/desk/decide", "/desk/requests/1/approve", "/desk/requests/1/act/claim"]


@pytest.mark.parametrize("pattern", urls.urlpatterns, ids=lambda it: str(it.pattern))
def test_every_view_says_whom_it_lets_in(pattern: object) -> None:
    assert hasattr(pattern.callback, MARK)  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", PAGES)
def test_stranger_is_sent_to_the_sign_in(stranger: Client, path: str) -> None:
    response = stranger.get(path)

    assert response.status_code == 303
    assert response.headers["Location"].startswith("/desk/sign-in")


@pytest.mark.parametrize("path", POSTS)
def test_stranger_changes_nothing(stranger: Client, make_request: MakeRequest, path: str) -> None:
    row = make_request()
    real = path.replace("/1", f"/{row.id}")

    assert stranger.post(real, {"ids": str(row.id), "decision": "approve"}).status_code == 303
    assert (fresh(row).state, fresh(row).claimed_by) == ("waiting", "")


@pytest.mark.parametrize("role", ["moderator", "admin"])
@pytest.mark.parametrize("path", ["", "queue", "queue?tab=flagged", "queue?tab=asked", "queue?tab=decided", "counts"])
def test_staff_see_every_page(request: pytest.FixtureRequest, role: str, path: str, make_request: MakeRequest) -> None:
    make_request()
    client: Client = request.getfixturevalue(role)

    assert client.get(f"/desk/{path}").status_code == 200


@pytest.mark.parametrize("role", ["moderator", "admin"])
@pytest.mark.parametrize("page", ["", "/approve", "/deny", "/ask"])
def test_staff_see_a_request(request: pytest.FixtureRequest, role: str, page: str, make_request: MakeRequest) -> None:
    row = make_request()
    client: Client = request.getfixturevalue(role)

    response = client.get(f"/desk/requests/{row.id}{page}")

    assert response.status_code == 200
    assert "@maria:example.test" in text_of(response)
    assert response.headers["Cache-Control"] == "no-store"


def test_unknown_requests_and_acts_are_not_found(moderator: Client, make_request: MakeRequest) -> None:
    row = make_request()
    assert moderator.get("/desk/requests/99999").status_code == 404
    assert moderator.get("/desk/requests/99999/approve").status_code == 404
    assert moderator.get(f"/desk/requests/{row.id}/bribe").status_code == 404
    assert moderator.post(f"/desk/requests/{row.id}/act/bribe").status_code == 404
    assert moderator.post("/desk/requests/99999/act/claim").status_code == 404


def test_pages_that_change_something_are_closed_to_get(moderator: Client, make_request: MakeRequest) -> None:
    row = make_request()
    assert moderator.get("/desk/undo").status_code == 405
    assert moderator.get(f"/desk/requests/{row.id}/act/claim").status_code == 405


def test_looking_at_a_decision_decides_nothing(moderator: Client, make_request: MakeRequest) -> None:
    row = make_request()
    moderator.get(f"/desk/requests/{row.id}/approve")
    moderator.head(f"/desk/requests/{row.id}/approve")
    moderator.get("/desk/decide", {"id": str(row.id), "decision": "approve"})

    assert fresh(row).state == "waiting"


@pytest.mark.parametrize("path", ["/desk/undo", "/desk/decide", "/desk/requests/1/deny", "/desk/requests/1/act/note"])
def test_form_without_its_token_is_refused(anna: Staff, make_request: MakeRequest, path: str) -> None:
    row = make_request()
    client = browser_of(anna, checks_forms=True)

    response = client.post(path.replace("/1", f"/{row.id}"), {"ids": str(row.id), "text": "hello"})

    assert response.status_code == 403
    assert fresh(row).state == "waiting"


def test_form_of_the_page_itself_is_taken(anna: Staff, make_request: MakeRequest) -> None:
    row = make_request()
    client = browser_of(anna, checks_forms=True)
    page = text_of(client.get(f"/desk/requests/{row.id}/approve"))
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token is not None

    response = client.post(f"/desk/requests/{row.id}/approve", {"csrfmiddlewaretoken": token[1]})

    assert response.status_code == 303
    assert fresh(row).state == "approved"
