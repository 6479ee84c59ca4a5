from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from foyer.accounts.models import Account, State
from foyer.web.public.welcome import path_of
from tests.conftest import Configure

pytestmark = pytest.mark.django_db

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)"


def test_welcome_shows_the_address_and_the_rooms(client: Client) -> None:
    Account.objects.create(localpart="maria", state=State.OPEN, rooms=["#garden:example.test", "!abc:example.org"])

    text = client.get("/" + path_of("maria")).text

    assert '<bdi class="address" dir="ltr" data-address>@maria:example.test</bdi>' in text
    assert '<a href="https://matrix.to/#/%23garden:example.test" rel="noopener"><bdi>#garden</bdi></a>' in text
    assert '<a href="https://matrix.to/#/!abc:example.org" rel="noopener">' in text
    assert "Your first rooms" in text


def test_welcome_key_shows_only_the_name() -> None:
    assert path_of("maria").startswith("register/welcome/Im1hcmlhIg:")


def test_welcome_can_be_opened_again_and_is_kept_by_nobody(client: Client) -> None:
    path = "/" + path_of("maria")

    assert client.get(path).status_code == 200
    assert client.get(path)["Cache-Control"] == "no-store"


@pytest.mark.parametrize("name", ["a/b", "o=o", "x+y_z.1-2", "m" * 240])
def test_welcome_works_for_every_name_that_matrix_allows(client: Client, name: str) -> None:
    assert f"@{name}:example.test" in client.get("/" + path_of(name)).text


@pytest.mark.parametrize("key", ["x", "Im1hcmlhIg:forged", "Im1hcmlhIg", "%FF", "a" * 2000])
def test_welcome_with_a_key_that_is_not_ours_is_not_found(client: Client, key: str) -> None:
    assert client.get(f"/register/welcome/{key}").status_code == 404


def test_welcome_on_a_phone_opens_the_app_with_server_and_name(client: Client) -> None:
    text = client.get("/" + path_of("maria"), headers={"User-Agent": IPHONE}).text

    assert (
        'class="button" href="https://mobile.element.io/element?account_provider=example.test'
        '&amp;login_hint=mxid:@maria:example.test"'
    ) in text
    assert 'class="qr"' not in text


def test_welcome_says_what_the_owner_says(client: Client, configure: Configure) -> None:
    configure(after={"welcome_message": "Hello & welcome. See https://example.org/help\nBye", "clients": []})

    text = client.get("/" + path_of("maria")).text

    assert 'Hello &amp; welcome. See <a href="https://example.org/help" rel="noopener">' in text
    assert "How to get in" in text


def test_welcome_costs_one_query(client: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    path = "/" + path_of("maria")

    with django_assert_num_queries(1):
        client.get(path)


def test_apps_page_is_for_those_who_have_an_account(client: Client) -> None:
    answer = client.get("/register/apps")

    assert "Sign in with your user name and your password." in answer.text
    assert "User-Agent" in answer["Vary"]
    assert client.get("/register/apps", headers={"If-None-Match": answer["ETag"]}).status_code == 304
