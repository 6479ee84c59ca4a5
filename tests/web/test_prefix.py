from __future__ import annotations

import http.client
from urllib.parse import urlsplit

import pytest

from dev.site import Site
from foyer.homeserver.memory import MemoryHomeserver
from foyer.web.assets import asset
from tests.conftest import Configure

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def below(configure: Configure, homeserver: MemoryHomeserver) -> Configure:
    """Foyer under a path of its own."""
    configure(public_url="http://localhost:5000/matrix/join")
    return configure


def get(site: Site, path: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(urlsplit(site.url).netloc, timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


@pytest.mark.parametrize(("path", "place"), [("/matrix/join", "join/"), ("/matrix/join?lang=de", "join/?lang=de")])
def test_prefix_without_its_slash_is_sent_on(below: Configure, path: str, place: str) -> None:
    with Site() as site:
        answer = get(site, path)

    assert (answer.status, answer.headers["Location"]) == (308, place)


@pytest.mark.parametrize("path", ["/matrix/join/", "/matrix/join/register", "/register", "/"])
def test_page_answers_with_the_prefix_and_without_it(below: Configure, path: str) -> None:
    """A proxy may pass the prefix on, or cut it."""
    with Site() as site:
        assert get(site, path).status == 200


def test_path_that_only_begins_like_the_prefix_is_another(below: Configure) -> None:
    with Site() as site:
        assert get(site, "/matrix/joining/register").status == 404


def test_static_file_is_kept_for_ever_and_has_the_headers(below: Configure) -> None:
    with Site() as site:
        answer = get(site, f"/matrix/join/{asset('foyer.css')}")

    assert answer.status == 200
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
