"""`foyer.wsgi:application` under gunicorn and uWSGI, as owners of such a server run it, beside `foyer worker`."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dev import processes
from dev.synapse import Synapse
from tests.deploy.visitor import Visitor
from tests.support.server import RunningFoyer, environment, running_foyer
from tests.support.synapse import homeserver_keys

pytestmark = pytest.mark.synapse

BIN = Path(sys.executable).parent
PASSWORD = "correct horse battery"
SERVERS = {
    "gunicorn": [
        "gunicorn", "foyer.wsgi:application", "--bind", "127.0.0.1:{port}", "--workers", "2", "--threads", "8",
    ],
    "uwsgi": [
        "uwsgi", "--http-socket", "127.0.0.1:{port}", "--module", "foyer.wsgi:application", "--master", "--need-app",
        "--processes", "2", "--threads", "8", "--die-on-term",
    ],
}  # fmt: skip


@pytest.fixture(params=list(SERVERS))
def foyer(request: pytest.FixtureRequest, tmp_path: Path, synapse: Synapse) -> Iterator[RunningFoyer]:
    """A Foyer whose pages such a server serves."""
    keys = homeserver_keys(synapse, "secret")
    with running_foyer(tmp_path, homeserver=keys, server_name=synapse.server_name) as made:
        made.stop()  # it wrote its configuration and made its database
        command = [part.format(port=made.port) for part in SERVERS[request.param]]
        log = made.folder / "server.log"
        process = processes.spawn(
            [BIN / command[0], *command[1:]],
            log=log,
            cwd=made.folder,
            env={**environment(), "FOYER_CONFIG": str(made.config_path)},
        )
        try:
            processes.wait_until(made.answers, process, log=log, seconds=60)
            yield made
        finally:
            processes.stop(process)


def test_join_under_another_server_works(foyer: RunningFoyer, synapse: Synapse) -> None:
    name, visitor = f"maria-{secrets.token_hex(4)}", Visitor()

    page = visitor.open(foyer.invite()["link"])
    welcome = visitor.send(page, username=name, password=PASSWORD, confirm=PASSWORD)

    assert f"@{name}:{synapse.server_name}" in welcome.text
    assert synapse.login(name, PASSWORD)[0] == 200


def test_many_joins_at_once_under_another_server_make_one_account(foyer: RunningFoyer) -> None:
    code = foyer.invite("--uses", "1")["code"]

    def post(number: int) -> int:
        form = {"username": f"ana-{secrets.token_hex(4)}", "password": PASSWORD, "confirm": PASSWORD, "token": code}
        return Visitor().ask(f"{foyer.url}/register", form, Accept="application/json").status

    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(post, range(20)))

    assert statuses.count(200) == 1
    assert set(statuses) == {200, 400}
