"""The whole join behind the real proxies, by the files of deploy/ as they stand."""

from __future__ import annotations

import http.server
import json
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import pytest

from dev.processes import free_port
from dev.synapse import Synapse
from foyer.config.load import check
from foyer.kit.client_ip import client_ip
from tests.deploy import proxies
from tests.deploy.proxies import TEST_CLIENT, Setup
from tests.deploy.visitor import Visitor
from tests.support.server import RunningFoyer, running_foyer
from tests.support.synapse import homeserver_keys

pytestmark = [pytest.mark.synapse, pytest.mark.xdist_group("deploy")]  # they share what they start

CUT_BY_NGINX = ("proxy_pass http://127.0.0.1:5000;", "proxy_pass http://127.0.0.1:5000/;")
CUT_BY_CADDY = ("handle /join/*", "handle_path /join/*")
OWN_NAME = {"nginx": Setup("nginx.conf"), "caddy": Setup("Caddyfile")}
SETUPS = {
    **OWN_NAME,
    "nginx, prefix kept": Setup("nginx-prefix.conf"),
    "nginx, prefix cut": Setup("nginx-prefix.conf", CUT_BY_NGINX),
    "caddy, prefix kept": Setup("Caddyfile.prefix"),
    "caddy, prefix cut": Setup("Caddyfile.prefix", CUT_BY_CADDY),
}
OWN_PAGE = {"nginx": Setup("nginx-own-page.conf"), "caddy": Setup("Caddyfile.own-page")}
PREDECESSOR = Setup("nginx-predecessor.conf")
PASSWORD = "correct horse battery"
A_SPOOFED_IP = "198.51.100.9"

Behind = tuple[Path, int, RunningFoyer]


@dataclass(frozen=True)
class Site:
    """A Foyer behind a proxy, as visitors reach it."""

    url: str
    foyer: RunningFoyer

    def ip_of(self, name: str) -> str | None:
        """The IP that Foyer keeps for whoever made this account."""
        database = f"file:{self.foyer.folder / 'foyer.sqlite3'}?mode=ro"
        with closing(sqlite3.connect(database, uri=True)) as connection:
            (ip,) = connection.execute("SELECT ip FROM accounts_account WHERE localpart = ?", [name]).fetchone()
        return str(ip) if ip else None


def site_of(setup: Setup, folder: Path, synapse: Synapse, **config: object) -> Iterator[Site]:
    """Start Foyer and a proxy for one test."""
    port = free_port()
    with serving(setup, folder, port, synapse, **config) as foyer, in_front(setup, folder, port, foyer) as site:
        yield site


def serving(
    setup: Setup, folder: Path, port: int, synapse: Synapse, **config: object
) -> AbstractContextManager[RunningFoyer]:
    keys = {**setup.keys(port), **config}
    return running_foyer(folder, homeserver=homeserver_keys(synapse, "both"), server_name=synapse.server_name, **keys)


@contextmanager
def in_front(setup: Setup, folder: Path, port: int, foyer: RunningFoyer) -> Iterator[Site]:
    proxy = folder / f"proxy-{secrets.token_hex(4)}"
    with proxies.running(setup, proxy, port=port, foyer_port=foyer.port):
        yield Site(setup.keys(port)["public_url"], foyer)


@pytest.fixture(scope="module")
def foyers(tmp_path_factory: pytest.TempPathFactory, synapse: Synapse) -> Iterator[Callable[[Setup], Behind]]:
    """Return a Foyer for a setup. Those that name the same keys share one, and the port of their proxies."""
    known: dict[str, Behind] = {}
    with ExitStack() as stack:

        def behind(setup: Setup) -> Behind:
            asked = str(setup.keys(0))
            if asked not in known:
                folder, port = tmp_path_factory.mktemp("site"), free_port()
                known[asked] = folder, port, stack.enter_context(serving(setup, folder, port, synapse))
            return known[asked]

        yield behind


@pytest.fixture(scope="module", params=list(SETUPS.values()), ids=list(SETUPS))
def site(request: pytest.FixtureRequest, foyers: Callable[[Setup], Behind]) -> Iterator[Site]:
    """Foyer behind each proxy, by each file."""
    with in_front(request.param, *foyers(request.param)) as site:
        yield site


@pytest.fixture(scope="module", params=list(OWN_PAGE.values()), ids=list(OWN_PAGE))
def own_page(request: pytest.FixtureRequest, foyers: Callable[[Setup], Behind]) -> Iterator[Site]:
    """Foyer behind a page of the owner's own."""
    with in_front(request.param, *foyers(request.param)) as site:
        yield site


@pytest.fixture(scope="module")
def predecessors(tmp_path_factory: pytest.TempPathFactory, synapse: Synapse) -> Iterator[Site]:
    """Foyer behind the predecessor's rule alone, with the limits that it has by default."""
    yield from site_of(PREDECESSOR, tmp_path_factory.mktemp("site"), synapse, screening={"limits": True})


@pytest.fixture
def limited(tmp_path: Path, synapse: Synapse) -> Iterator[Site]:
    """Foyer behind nginx, where one IP may try five times a minute."""
    yield from site_of(OWN_NAME["nginx"], tmp_path, synapse, screening={"join_per_ip": ["5/minute"]})


def new_name() -> str:
    return f"maria-{secrets.token_hex(4)}"


def join(visitor: Visitor, link: str, name: str) -> str:
    """Go the whole way and return the text of the last page."""
    page = visitor.open(link)
    assert visitor.name_is_free(page, name)
    return visitor.send(page, username=name, password=PASSWORD, confirm=PASSWORD).text


def test_join_behind_a_proxy_works_from_the_link_to_the_sign_in(site: Site, synapse: Synapse) -> None:
    name = new_name()

    welcome = join(Visitor(), site.foyer.invite()["link"], name)

    assert f"@{name}:{synapse.server_name}" in welcome
    assert synapse.login(name, PASSWORD)[0] == 200


def test_links_of_a_page_stay_below_the_public_url(site: Site) -> None:
    visitor = Visitor()

    visitor.open(site.foyer.invite()["link"])
    visitor.open(site.url)

    prefix = "/" + site.url.partition("://")[2].partition("/")[2]
    assert [path for path in visitor.asked if not (path or "/").startswith(prefix)] == []


def test_page_that_is_missing_is_foyers_own(site: Site) -> None:
    answer = Visitor().ask(f"{site.url}/nothing-here")

    assert answer.status == 404
    assert "x-request-id" in answer.headers


def test_body_that_is_too_large_is_refused(site: Site) -> None:
    answer = Visitor().ask(f"{site.url}/register", {"username": "a" * 100_000})

    # Foyer refuses at once and closes; Caddy, still sending, sometimes sees only that, and says 502.
    assert answer.status in {413, 502}


def test_join_behind_the_predecessors_rule_alone_works(predecessors: Site, synapse: Synapse) -> None:
    code, name, visitor = predecessors.foyer.invite()["code"], new_name(), Visitor()
    link = predecessors.foyer.cli("invite", "link", "--plain", code).stdout.strip()

    welcome = join(visitor, link, name)

    assert f"@{name}:{synapse.server_name}" in welcome
    assert synapse.login(name, PASSWORD)[0] == 200
    assert predecessors.ip_of(name) is None
    assert {path.split("/")[1] for path in visitor.asked} == {"register", "static"}


def test_predecessors_rule_alone_limits_nobody_for_what_others_do(predecessors: Site) -> None:
    statuses = {Visitor().ask(f"{predecessors.url}/register", {"token": "None"}).status for _ in range(15)}

    assert statuses == {404}


def test_own_page_answers_get_and_foyer_answers_what_it_posts(own_page: Site, synapse: Synapse) -> None:
    name, register = new_name(), f"{own_page.url}/register"
    form = {"username": name, "password": PASSWORD, "confirm": PASSWORD, "token": own_page.foyer.invite()["code"]}

    page = Visitor().ask(f"{register}?token={form['token']}")
    answer = Visitor().ask(register, form, Accept="*/*")

    assert (page.status, page.text) == (200, proxies.OWN_PAGE)
    assert (answer.status, json.loads(answer.body)["user_id"]) == (200, f"@{name}:{synapse.server_name}")


def test_own_page_that_posts_a_plain_form_leads_to_the_welcome(own_page: Site, synapse: Synapse) -> None:
    name, visitor = new_name(), Visitor()
    form = {"username": name, "password": PASSWORD, "confirm": PASSWORD, "token": own_page.foyer.invite()["code"]}

    answer = visitor.ask(f"{own_page.url}/register", form)
    welcome = visitor.open(urljoin(answer.url, answer.headers["location"]))

    assert f"@{name}:{synapse.server_name}" in welcome.text


def test_client_behind_nginx_is_known_and_cannot_choose_its_ip(limited: Site) -> None:
    name = new_name()
    visitor = Visitor(headers={TEST_CLIENT: "203.0.113.7", "X-Forwarded-For": A_SPOOFED_IP})

    join(visitor, limited.foyer.invite()["link"], name)

    assert limited.ip_of(name) == "203.0.113.7"


def test_limit_behind_nginx_is_each_clients_own_whatever_it_claims(limited: Site) -> None:
    def tries(client: str, number: int) -> list[int]:
        visitors = [Visitor(headers={TEST_CLIENT: client, "X-Forwarded-For": f"198.51.100.{n}"}) for n in range(number)]
        return [visitor.ask(f"{limited.url}/register", {"token": "None"}).status for visitor in visitors]

    assert tries("203.0.113.7", 6) == [404] * 5 + [429]
    assert tries("203.0.113.8", 1) == [404]


class Upstream(http.server.ThreadingHTTPServer):
    """Stands in Foyer's place and keeps the headers that the proxy sends."""

    def __init__(self) -> None:
        self.seen: list[dict[str, str]] = []
        super().__init__(("127.0.0.1", 0), _Keeper)


class _Keeper(http.server.BaseHTTPRequestHandler):
    server: Upstream

    def do_GET(self) -> None:
        self.server.seen.append({name.lower(): value for name, value in self.headers.items()})
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """What the proxy reaches in Foyer's place."""
    with Upstream() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("setup", list(OWN_NAME.values()), ids=list(OWN_NAME))
def test_header_that_a_proxy_passes_on_names_the_client_and_not_its_claim(
    setup: Setup, upstream: Upstream, tmp_path: Path
) -> None:
    port = free_port()
    keys = setup.keys(port)
    config = check({"server_name": "example.org", "homeserver": {"registration_shared_secret": "x"}, **keys})

    with proxies.running(setup, tmp_path / "proxy", port=port, foyer_port=upstream.server_address[1]):
        Visitor(source="127.0.0.2", headers={"X-Forwarded-For": A_SPOOFED_IP}).ask(keys["public_url"])

    (headers,) = upstream.seen
    assert client_ip("127.0.0.1", headers["x-forwarded-for"], config.trusted_networks).ip == "127.0.0.2"
    assert headers["host"].startswith("join.example.org")


def test_predecessors_rule_passes_no_ip_on(upstream: Upstream, tmp_path: Path) -> None:
    port = free_port()

    with proxies.running(PREDECESSOR, tmp_path / "proxy", port=port, foyer_port=upstream.server_address[1]):
        Visitor().ask(f"http://example.org:{port}/register")

    (headers,) = upstream.seen
    assert "x-forwarded-for" not in headers
    assert headers["host"].startswith("localhost:")
