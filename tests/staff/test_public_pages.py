"""The public door knows nothing of staff: no session, no cookie, no query more."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from foyer.staff.models import Staff
from tests.staff.conftest import SignIn

pytestmark = [pytest.mark.django_db, pytest.mark.database]

PUBLIC = ["/", "/register", "/register/apps", "/register/theme.css", "/nowhere", "/healthz"]


@pytest.mark.parametrize("path", PUBLIC)
def test_public_page_sets_no_cookie_and_asks_for_no_session(
    stranger: Client, path: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        response = stranger.get(path)

    assert not response.cookies
    assert not hasattr(response.wsgi_request, "session")
    assert not hasattr(response.wsgi_request, "user")


@pytest.mark.parametrize("path", PUBLIC)
def test_public_page_is_the_same_to_staff(
    stranger: Client, moderator: Staff, sign_in: SignIn, path: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = sign_in(moderator)
    client.cookies["foyer_staff_csrf"] = "x" * 32
    with django_assert_num_queries(0):
        response = client.get(path)

    assert not response.cookies
    assert response.status_code == stranger.get(path).status_code


def test_public_form_needs_no_token_of_staffs(moderator: Staff, sign_in: SignIn) -> None:
    client = sign_in(moderator)
    client.handler.enforce_csrf_checks = True

    assert client.post("/register", {"token": "x"}).status_code != 403


def test_sign_in_page_writes_nothing_for_a_stranger(
    stranger: Client, db: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        response = stranger.get("/desk/sign-in")

    assert list(response.cookies) == ["foyer_staff_csrf"]
