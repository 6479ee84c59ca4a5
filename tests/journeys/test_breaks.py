"""The homeserver goes away before, during and after the deed: what the page says, and that nothing is lost."""

from __future__ import annotations

import itertools
import json
import time
import urllib.parse
from collections.abc import Iterator

import pytest
import urllib3

from dev.proxy import ChaosProxy, Cut, Hang, Lose, Status
from dev.synapse import Synapse
from tests.support.server import RunningFoyer, running_foyer
from tests.support.synapse import homeserver_keys

pytestmark = [pytest.mark.synapse]

PASSWORD = "correct horse battery"
DEED = {"secret": ("POST", "/v1/register"), "both": ("POST", "/v1/register"), "token": ("PUT", "/v2/users/")}
numbers = itertools.count(time.time_ns() // 1_000_000)


@pytest.fixture(scope="module")
def module_chaos(synapse: Synapse) -> Iterator[ChaosProxy]:
    """One proxy before the shared Synapse for this module's Foyers."""
    with ChaosProxy(synapse.url) as running:
        yield running


@pytest.fixture(scope="module", params=["secret", "token", "both"])
def credentials(request: pytest.FixtureRequest) -> str:
    """Each kind of credentials."""
    return str(request.param)


@pytest.fixture(scope="module")
def foyer(
    credentials: str, synapse: Synapse, module_chaos: ChaosProxy, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningFoyer]:
    """Foyer with its worker, behind whose back the proxy breaks things."""
    keys = {**homeserver_keys(synapse, credentials, url=module_chaos.url), "timeout": "1s"}
    with running_foyer(tmp_path_factory.mktemp("breaks"), homeserver=keys, server_name=synapse.server_name) as running:
        yield running


@pytest.fixture
def chaos(module_chaos: ChaosProxy) -> Iterator[ChaosProxy]:
    """The proxy, in order before and after each test."""
    module_chaos.clear()
    yield module_chaos
    module_chaos.clear()


def press(foyer: RunningFoyer, code: str, name: str) -> urllib3.BaseHTTPResponse:
    """Send the page's form as a browser does."""
    form = {"username": name, "password": PASSWORD, "token": code}
    return urllib3.request(
        "POST",
        f"{foyer.url}/register",
        body=urllib.parse.urlencode(form),
        headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"},
        redirect=False,
        retries=False,
        timeout=60,
    )


def counts(foyer: RunningFoyer, code: str) -> tuple[int, int]:
    shown = json.loads(foyer.cli("invite", "show", code, "--json").stdout)
    return shown["held"], shown["used"]


def wait_until_settled(foyer: RunningFoyer, code: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while counts(foyer, code)[0]:
        assert time.monotonic() < deadline, foyer.log
        time.sleep(0.5)


@pytest.mark.parametrize(
    "broken", [Cut(), Lose(), Hang(), Status(502, "<html>bad gateway</html>")], ids=lambda m: type(m).__name__
)
def test_join_broken_at_the_deed_tells_the_person_and_is_settled_by_itself(
    foyer: RunningFoyer, chaos: ChaosProxy, synapse: Synapse, credentials: str, broken: Cut | Lose | Hang | Status
) -> None:
    code, name = foyer.invite()["code"], f"maria{next(numbers)}"
    chaos.add(broken, *DEED[credentials])
    chaos.add(Cut(), "POST", "/login")

    page = press(foyer, code, name)

    assert page.status == 503
    assert int(page.headers["Retry-After"]) > 0
    text = page.data.decode()
    assert "we do not know yet whether your account was made" in text
    assert f'value="{code}"' in text
    assert f'value="{name}"' in text
    assert PASSWORD not in text

    chaos.clear()
    if credentials != "secret":
        wait_until_settled(foyer, code)
    _press_until_in(foyer, code, name)
    assert synapse.login(name, PASSWORD)[0] == 200
    assert counts(foyer, code) == (0, 1)


def _press_until_in(foyer: RunningFoyer, code: str, name: str) -> None:
    deadline = time.monotonic() + 60
    while (page := press(foyer, code, name)).status != 303:
        assert page.status == 503, page.data.decode()
        assert time.monotonic() < deadline
        time.sleep(1)
    welcome = urllib3.request("GET", urllib.parse.urljoin(f"{foyer.url}/register", page.headers["Location"]))
    assert f"@{name}:" in welcome.data.decode()


def test_join_with_the_homeserver_stopped_says_so_and_keeps_the_invitation(
    foyer: RunningFoyer, chaos: ChaosProxy, synapse: Synapse
) -> None:
    code, name = foyer.invite()["code"], f"maria{next(numbers)}"
    chaos.refuse()
    try:
        page = press(foyer, code, name)
        assert urllib3.request("GET", f"{foyer.url}/i/{code}").status == 200
    finally:
        chaos.accept()

    assert page.status == 503
    assert "Your invitation is still good" in page.data.decode()
    assert counts(foyer, code) == (0, 0)
    _press_until_in(foyer, code, name)
    assert synapse.login(name, PASSWORD)[0] == 200


def test_foyer_killed_during_the_deed_finds_the_account_after_its_restart(
    synapse: Synapse, chaos: ChaosProxy, tmp_path_factory: pytest.TempPathFactory
) -> None:
    keys = {**homeserver_keys(synapse, "both", url=chaos.url), "timeout": "2s"}
    folder = tmp_path_factory.mktemp("killed")
    with running_foyer(folder, homeserver=keys, server_name=synapse.server_name) as foyer:
        code, name = foyer.invite()["code"], f"maria{next(numbers)}"
        chaos.add(Hang(forward=True), *DEED["both"])
        with urllib3.HTTPConnectionPool("127.0.0.1", foyer.port, retries=False) as pool:
            form = urllib.parse.urlencode({"username": name, "password": PASSWORD, "confirm": PASSWORD, "token": code})
            with pytest.raises(urllib3.exceptions.HTTPError):
                pool.request(
                    "POST",
                    "/register",
                    body=form,
                    headers={"Content-Type": "application/x-www-form-urlencoded"},
                    timeout=0.5,
                )
        chaos.wait_for(1, *DEED["both"])
        foyer.kill9()
        chaos.clear()

        foyer.start()
        wait_until_settled(foyer, code)

        assert counts(foyer, code) == (0, 1)
        assert synapse.login(name, PASSWORD)[0] == 200
        _press_until_in(foyer, code, name)
        assert counts(foyer, code) == (0, 1)
