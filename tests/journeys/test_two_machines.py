"""Two machines, as far as one can be two: each has its own folder, door and worker, and they share one PostgreSQL."""

from __future__ import annotations

import http.cookiejar
import json
import re
import secrets
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from dev import processes
from dev.postgres import Postgres
from dev.synapse import Synapse
from tests.support.server import RunningFoyer, command, environment, running_foyer
from tests.support.synapse import homeserver_keys

PASSWORD = "correct horse battery 1"
FAR_AWAY = {"X-Forwarded-For": "203.0.113.9"}


@dataclass
class Machine:
    """One of them: the door, and its worker, which is a process of its own."""

    foyer: RunningFoyer
    worker: subprocess.Popen[bytes]

    def stop(self) -> None:
        """Stop both."""
        processes.stop(self.worker)
        self.foyer.stop()

    def join(self, code: str, name: str, headers: dict[str, str] | None = None) -> tuple[int, dict[str, object]]:
        """Register as a script does."""
        form = {"username": name, "password": PASSWORD, "confirm": PASSWORD, "token": code}
        request = urllib.request.Request(
            f"{self.foyer.url}/register", data=urllib.parse.urlencode(form).encode(), headers=headers or {}
        )
        try:
            with processes.open_directly(request, seconds=60) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())


@pytest.fixture
def machines(tmp_path: Path, postgres: Postgres, synapse: Synapse) -> Iterator[list[Machine]]:
    database = postgres.create_database(f"two_{secrets.token_hex(6)}")
    made: list[Machine] = []
    with ExitStack() as stack:
        for number in range(2):
            foyer = stack.enter_context(
                running_foyer(
                    tmp_path,
                    database,
                    homeserver=homeserver_keys(synapse, "both"),
                    server_name=synapse.server_name,
                    public_url="http://localhost:5000",
                    trusted_proxies=["127.0.0.1/32"],
                    screening={"limits": True},
                    arguments=["--no-worker"],
                    start=False,
                )
            )
            made.append(start(foyer, number, stack))
        yield made


def start(foyer: RunningFoyer, number: int, stack: ExitStack) -> Machine:
    foyer.start()
    arguments = command("--config", str(foyer.config_path), "worker")
    worker = processes.spawn(arguments, log=foyer.folder / "worker.log", cwd=foyer.folder, env=environment())
    stack.callback(processes.stop, worker)
    return Machine(foyer, worker)


@pytest.mark.synapse
def test_two_machines_are_one_foyer(machines: list[Machine], synapse: Synapse) -> None:
    one, two = machines
    code = one.foyer.invite("--uses", "3")["code"]
    who = secrets.token_hex(3)

    # Joins, and the uses of an invitation.
    assert one.join(code, f"anna-{who}")[0] == 200
    assert two.join(code, f"bert-{who}")[0] == 200
    assert one.join(code, f"cora-{who}")[0] == 200
    status, said = two.join(code, f"dora-{who}")
    assert (status, said["errcode"]) == (400, "MR_BAD_USER_REQUEST")
    assert json.loads(two.foyer.cli("invite", "show", code, "--json").stdout)["used"] == 3
    assert synapse.login(f"bert-{who}", PASSWORD)[0] == 200

    # Sign in at one, use the other; a sign-out there counts here.
    one.foyer.cli("staff", "create", "mia", "--role", "moderator", "--password-stdin", stdin=f"{PASSWORD}\n")
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    with browser.open(f"{one.foyer.url}/desk/sign-in") as page:
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.read().decode())
    assert token is not None
    form = {"login": "mia", "password": PASSWORD, "csrfmiddlewaretoken": token[1]}
    with browser.open(f"{one.foyer.url}/desk/sign-in", urllib.parse.urlencode(form).encode()) as page:
        assert page.url.startswith(f"{one.foyer.url}/desk")
    with browser.open(f"{two.foyer.url}/desk/invitations") as page:
        assert page.url == f"{two.foyer.url}/desk/invitations"
        assert "mia" in page.read().decode()

    # Limits: what is refused at one is refused at the other.
    for _ in range(60):
        if one.join("NoSuchCode", f"eve-{who}", FAR_AWAY)[0] == 429:
            break
    else:
        raise AssertionError("no limit")
    assert two.join("NoSuchCode", f"eve-{who}", FAR_AWAY)[0] == 429

    # One of them goes, for its upgrade, and comes back.
    one.stop()
    again = two.foyer.invite()["code"]
    assert two.join(again, f"finn-{who}")[0] == 200
    one.foyer.start()
    third = two.foyer.invite()["code"]
    assert one.join(third, f"gwen-{who}")[0] == 200

    # The worker of the second machine does what is owed by the first.
    assert owed(two.foyer) == 0

    # The next version's tables: whoever runs goes on, and whoever starts anew refuses.
    with psycopg.connect(str(one.foyer.config["database"])) as connection:
        connection.execute("ALTER TABLE invites_invite ADD COLUMN later boolean NOT NULL DEFAULT false")
        connection.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('invites', '9999_later', now())")
    assert two.join(third, f"hans-{who}")[0] == 400
    assert two.join(two.foyer.invite()["code"], f"hans-{who}")[0] == 200
    with processes.open_directly(f"{two.foyer.url}/readyz", seconds=60) as answer:
        assert answer.status == 200
    one.foyer.stop()
    refused = one.foyer.cli("serve", check=False)
    assert (refused.returncode, "last used by a newer version of Foyer" in refused.stderr) == (1, True)

    # Nothing lies about that the other would need.
    for machine in machines:
        assert {path.name for path in machine.foyer.folder.iterdir()} == {"foyer.yaml", "foyer.log", "worker.log"}


def owed(foyer: RunningFoyer) -> int:
    """Return how many jobs are owed, once those that are due were done."""
    count = "from foyer.jobs.models import Job; print(Job.objects.exclude(subject='').count())"
    left = -1
    for _ in range(20):
        left = int(foyer.cli("django", "shell", "--no-imports", "-c", count).stdout.split()[-1])
        if not left:
            break
        time.sleep(0.5)
    return left
