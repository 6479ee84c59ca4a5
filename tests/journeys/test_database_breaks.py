"""The database under a running Foyer is full, gone, moved, replaced, not to be written: what is said, and what is kept.

Real processes on a real disk: a small one of its own where the tests run as root.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import sqlite3
import subprocess
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
import urllib3

from dev.mailcatcher import MailCatcher
from dev.postgres import Postgres
from tests.support.need import need
from tests.support.server import RunningFoyer, running_foyer

DISK_BYTES = 8 * 1024 * 1024
IS_ROOT = os.geteuid() == 0
# Root writes what nobody may write, unless the right to do so is taken away.
OBEYING = ["setpriv", "--bounding-set", "-dac_override"] if IS_ROOT else []
numbers = itertools.count(1)


def with_mail(mails: MailCatcher) -> dict[str, Any]:
    return {
        "email": {"host": "127.0.0.1", "port": mails.port, "security": "none", "from": "join@example.org"},
        "moderators": {"emails": ["team@example.org"]},
    }


@pytest.fixture(scope="module")
def mails() -> Iterator[MailCatcher]:
    with MailCatcher.start() as running:
        yield running


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with little room, where that can be had."""
    folder = tmp_path_factory.mktemp("disk")
    mounted = IS_ROOT and _mount(folder)
    yield folder
    if mounted:
        subprocess.run(["umount", "--lazy", folder], check=False)


def _mount(folder: Path) -> bool:
    with suppress(FileNotFoundError):
        command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    return False


@pytest.fixture(scope="module")
def foyer(disk: Path, mails: MailCatcher, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningFoyer]:
    """A Foyer on SQLite whose database lies on that disk."""
    if OBEYING and shutil.which(OBEYING[0]) is None:
        pytest.skip("setpriv is not installed: root cannot be kept from writing.")
    (disk / "home").mkdir()
    folder = tmp_path_factory.mktemp("breaks")
    with running_foyer(folder, start=False, wrapped_in=OBEYING, **with_mail(mails)) as running:
        running.config["database"] = f"sqlite:///{disk}/home/foyer.sqlite3"
        running.start()
        yield running


def apply(foyer: RunningFoyer) -> tuple[int, str]:
    """Ask for an account as a stranger's browser does; returns the status, and the page or where it leads."""
    name = f"maria{next(numbers)}"
    answer = urllib3.request(
        "POST",
        f"{foyer.url}/apply/email",
        body=urllib.parse.urlencode({"username": name, "email": f"{name}@example.net"}),
        headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"},
        redirect=False,
        retries=False,
        timeout=60,
    )
    if answer.status == 503:
        assert int(answer.headers["Retry-After"]) > 0
    return answer.status, answer.headers.get("Location") or answer.data.decode()


def sent_away(foyer: RunningFoyer) -> bool:
    """Say whether the visitor was told kindly to come back; anything else but success is a fault."""
    status, page = apply(foyer)
    if status == 303:
        return False
    assert status == 503, page
    assert "Nothing is lost. Wait a minute, then try again." in page
    return True


def readiness(foyer: RunningFoyer) -> str:
    said = urllib3.request("GET", f"{foyer.url}/readyz", retries=False, timeout=60).json()
    return str(said["checks"]["database"])


def eventually(question: Callable[[], bool], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not question():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


def since(foyer: RunningFoyer, beginning: int) -> str:
    said = foyer.log[beginning:]
    assert "Traceback" not in said
    return said


def works_again(foyer: RunningFoyer, mails: MailCatcher) -> None:
    """Ready, open to strangers, and the worker mails: all without a restart."""
    eventually(lambda: readiness(foyer) == "ok")
    so_far = len(mails.messages)
    assert apply(foyer)[0] == 303
    mails.wait_for(so_far + 1, seconds=90)


def rows(database: Path) -> int:
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        found: int = connection.execute("SELECT count(*) FROM applications_application").fetchone()[0]
        return found


def test_disk_that_is_full_is_said_once_and_nothing_is_lost(
    foyer: RunningFoyer, disk: Path, mails: MailCatcher
) -> None:
    if not os.path.ismount(disk):
        pytest.skip("A small disk of its own needs root.")
    works_again(foyer, mails)
    begun, before = len(foyer.log), rows(disk / "home" / "foyer.sqlite3")
    filler = disk / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 4096)
    taken = 0
    while not sent_away(foyer):  # what was reserved before is filled first
        taken += 1
    assert all(sent_away(foyer) for _ in range(5))

    eventually(lambda: readiness(foyer) == "its disk is full")
    for path in ("/", "/apply", "/desk/sign-in"):  # reading goes on
        assert urllib3.request("GET", f"{foyer.url}{path}", retries=False, redirect=False).status == 200
    eventually(lambda: "so the worker waits" in since(foyer, begun))
    time.sleep(3)
    said = since(foyer, begun)
    sentence = f"The disk under the database {disk}/home/foyer.sqlite3 is full. Make room on it."
    assert sum("so the worker waits" in line for line in said.splitlines()) == 1
    assert all(sentence in line for line in said.splitlines() if "cannot be used" in line)

    filler.unlink()
    works_again(foyer, mails)
    assert rows(disk / "home" / "foyer.sqlite3") == before + taken + 1


def test_database_moved_away_is_not_written_behind_everybodys_back(
    foyer: RunningFoyer, disk: Path, mails: MailCatcher
) -> None:
    works_again(foyer, mails)
    begun, before = len(foyer.log), rows(disk / "home" / "foyer.sqlite3")
    (disk / "home").rename(disk / "away")

    assert all(sent_away(foyer) for _ in range(3))
    eventually(lambda: readiness(foyer) == "does not answer")
    eventually(lambda: "so the worker waits" in since(foyer, begun))
    (disk / "home").mkdir()
    assert sent_away(foyer)
    assert list((disk / "home").iterdir()) == []  # no empty database takes its place
    assert f"The database {disk}/home/foyer.sqlite3 cannot be opened." in since(foyer, begun)

    (disk / "home").rmdir()
    (disk / "away").rename(disk / "home")
    works_again(foyer, mails)
    assert rows(disk / "home" / "foyer.sqlite3") == before + 1


def test_database_replaced_by_a_copy_is_used_from_the_next_request_on(
    foyer: RunningFoyer, disk: Path, mails: MailCatcher
) -> None:
    works_again(foyer, mails)
    before = rows(disk / "home" / "foyer.sqlite3")
    with closing(sqlite3.connect(disk / "home" / "foyer.sqlite3")) as connection:
        connection.execute("VACUUM INTO ?", [str(disk / "copy")])
    for path in (disk / "home").iterdir():
        path.unlink()
    (disk / "copy").rename(disk / "home" / "foyer.sqlite3")

    works_again(foyer, mails)

    assert rows(disk / "home" / "foyer.sqlite3") == before + 1


def test_database_that_may_not_be_written_is_said_and_used_again_once_it_may(
    foyer: RunningFoyer, disk: Path, mails: MailCatcher
) -> None:
    works_again(foyer, mails)
    begun, home = len(foyer.log), disk / "home"
    before = rows(home / "foyer.sqlite3")
    for path in [*home.iterdir(), home]:
        path.chmod(0o500 if path == home else 0o400)
    for pid in foyer.children():  # whoever has the file open may go on
        with suppress(FileNotFoundError, ProcessLookupError):  # it went with another one
            if "resource_tracker" not in Path(f"/proc/{pid}/cmdline").read_text():
                os.kill(pid, signal.SIGKILL)
    eventually(foyer.answers)

    assert all(sent_away(foyer) for _ in range(3))
    eventually(lambda: readiness(foyer) == "may not be written")
    assert f"The database {home}/foyer.sqlite3 may not be written." in since(foyer, begun)

    for path in [home, *home.iterdir()]:
        path.chmod(0o700 if path == home else 0o600)
    works_again(foyer, mails)
    assert rows(home / "foyer.sqlite3") == before + 1


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A PostgreSQL server to be stopped."""
    need("postgresql")
    with Postgres.start() as running:
        yield running


@pytest.fixture(scope="module")
def on_postgresql(
    server: Postgres, mails: MailCatcher, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningFoyer]:
    folder = tmp_path_factory.mktemp("postgresql")
    with running_foyer(folder, server.create_database("foyer"), **with_mail(mails)) as running:
        yield running


def test_postgresql_that_ends_every_connection_is_not_even_noticed(
    on_postgresql: RunningFoyer, server: Postgres, mails: MailCatcher
) -> None:
    works_again(on_postgresql, mails)
    with psycopg.connect(server.url(), autocommit=True) as connection:
        ended = connection.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = 'foyer'"
        ).fetchone()
        assert ended is not None
        assert ended[0] >= 2
        so_far = len(mails.messages)
        assert [apply(on_postgresql)[0] for _ in range(3)] == [303, 303, 303]
        mails.wait_for(so_far + 3, seconds=90)


def test_postgresql_gone_and_back_is_met_without_a_restart(
    on_postgresql: RunningFoyer, server: Postgres, mails: MailCatcher
) -> None:
    works_again(on_postgresql, mails)
    begun, children = len(on_postgresql.log), on_postgresql.children()
    assert server.process is not None
    server.process.send_signal(signal.SIGINT)
    server.process.wait()

    assert all(sent_away(on_postgresql) for _ in range(5))
    eventually(lambda: readiness(on_postgresql) == "does not answer")
    assert urllib3.request("GET", f"{on_postgresql.url}/healthz", retries=False).status == 200
    time.sleep(3)
    said = since(on_postgresql, begun)
    assert sum("so the worker waits" in line for line in said.splitlines()) == 1
    assert f"PostgreSQL at postgresql://foyer:********@127.0.0.1:{server.port}/foyer does not answer" in said

    server.start_again()
    works_again(on_postgresql, mails)
    assert on_postgresql.children() == children
    eventually(lambda: "the database can be used again" in since(on_postgresql, begun))


def test_postgresql_that_is_only_to_be_read_says_so(
    on_postgresql: RunningFoyer, server: Postgres, mails: MailCatcher
) -> None:
    works_again(on_postgresql, mails)
    begun = len(on_postgresql.log)
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("ALTER DATABASE foyer SET default_transaction_read_only = on")
        _end_all(connection)
        assert all(sent_away(on_postgresql) for _ in range(3))
        eventually(lambda: readiness(on_postgresql) == "may not be written")
        assert "may only be read. Name the primary server in `database`." in since(on_postgresql, begun)

        connection.execute("ALTER DATABASE foyer SET default_transaction_read_only = off")
        _end_all(connection)
    works_again(on_postgresql, mails)


def _end_all(connection: psycopg.Connection[Any]) -> None:
    connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'foyer'")
