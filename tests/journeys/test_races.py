"""Many people at one door: a real `foyer serve`, over HTTP, before a real Synapse."""

from __future__ import annotations

import itertools
import json
import threading
import time
import urllib.parse
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3

from dev.synapse import Synapse
from tests.support.database import own_server
from tests.support.need import need
from tests.support.server import RunningFoyer, running_foyer
from tests.support.synapse import homeserver_keys

pytestmark = [pytest.mark.synapse]

PEOPLE = 20
numbers = itertools.count(time.time_ns() // 1_000_000)


@pytest.fixture(scope="module", params=["sqlite-1", "sqlite-2", "postgresql-1", "postgresql-2"])
def deployment(request: pytest.FixtureRequest) -> tuple[str, int]:
    """Which database, and how many processes answer."""
    kind, _, processes = str(request.param).partition("-")
    return kind, int(processes)


@pytest.fixture(scope="module", params=["secret", "token"])
def foyer(
    request: pytest.FixtureRequest,
    deployment: tuple[str, int],
    synapse: Synapse,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RunningFoyer]:
    """Foyer, with one kind of credentials."""
    kind, processes = deployment
    database = "sqlite"
    if kind == "postgresql":
        need("postgresql")
        database = own_server().create_database(f"races_{next(numbers)}")
    with running_foyer(
        tmp_path_factory.mktemp("races"),
        database,
        homeserver=homeserver_keys(synapse, str(request.param)),
        server_name=synapse.server_name,
        processes=processes,
    ) as running:
        yield running


def post_at_once(foyer: RunningFoyer, forms: list[dict[str, str]]) -> list[tuple[int, dict[str, Any]]]:
    """Post all forms at the same moment, each over a connection of its own."""
    answers: list[tuple[int, dict[str, Any]]] = [(0, {})] * len(forms)
    barrier = threading.Barrier(len(forms))

    def post(number: int) -> None:
        with urllib3.HTTPConnectionPool("127.0.0.1", foyer.port, timeout=60, retries=False) as pool:
            pool.request("GET", "/healthz")
            barrier.wait()
            answer = pool.request(
                "POST",
                "/register",
                body=urllib.parse.urlencode(forms[number]),
                headers={"Content-Type": "application/x-www-form-urlencoded"},
            )
            answers[number] = (answer.status, json.loads(answer.data))

    threads = [threading.Thread(target=post, args=(number,)) for number in range(len(forms))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def form(code: str, username: str, password: str) -> dict[str, str]:
    return {"username": username, "password": password, "confirm": password, "token": code}


def used(foyer: RunningFoyer, code: str) -> int:
    return int(json.loads(foyer.cli("invite", "show", code, "--json").stdout)["used"])


def test_twenty_people_at_a_one_use_invitation_make_exactly_one_account(foyer: RunningFoyer, synapse: Synapse) -> None:
    code, name = foyer.invite("--uses", "1")["code"], f"person{next(numbers)}"

    answers = post_at_once(foyer, [form(code, f"{name}x{n}", "correct horse battery") for n in range(PEOPLE)])

    assert Counter(status for status, _ in answers) == {200: 1, 400: PEOPLE - 1}
    assert [n for n in range(PEOPLE) if synapse.user(f"{name}x{n}")] == [
        n for n in range(PEOPLE) if answers[n][0] == 200
    ]
    assert used(foyer, code) == 1


def test_twenty_people_at_one_name_make_one_account_with_the_winners_password(
    foyer: RunningFoyer, synapse: Synapse
) -> None:
    codes = [
        made["code"] for made in json.loads(foyer.cli("invite", "create", "--json", "--count", str(PEOPLE)).stdout)
    ]
    name = f"maria{next(numbers)}"

    answers = post_at_once(foyer, [form(code, name, f"password no {n}") for n, code in enumerate(codes)])

    assert Counter(status for status, _ in answers) == {200: 1, 400: PEOPLE - 1}
    winner = next(n for n in range(PEOPLE) if answers[n][0] == 200)
    assert synapse.login(name, f"password no {winner}")[0] == 200
    assert [used(foyer, code) for code in (codes[winner], codes[winner - 1])] == [1, 0]
