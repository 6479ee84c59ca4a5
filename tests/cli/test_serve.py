"""`foyer serve`: starting, stopping, and who dies in between."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from dev.postgres import Postgres
from foyer.cli.serve import parent
from tests.support.server import RunningFoyer, running_foyer
from tests.support.smtp import Sink, sink

__all__ = ["sink"]  # a fixture

SECONDS = 90.0


def eventually(question: Callable[[], bool], seconds: float = SECONDS) -> None:
    end = time.monotonic() + seconds
    while not question():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def refused(foyer: RunningFoyer, *arguments: str) -> tuple[int, str]:
    """Run `foyer serve`, which is to end by itself, and return its status and what it said."""
    done = foyer.cli("serve", *arguments, check=False)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr.strip()


def command_line(pid: int) -> str:
    """What the process was started with; empty: it is gone."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    return ""


def child(foyer: RunningFoyer, sign: str) -> int | None:
    return next((pid for pid in foyer.children() if sign in command_line(pid)), None)


def test_serve_when_ready_says_where_it_is_open(tmp_path: Path) -> None:
    with running_foyer(tmp_path) as foyer:
        eventually(lambda: "Foyer is open" in foyer.log)
        assert (
            f"Foyer is open: http://localhost:{foyer.port} (listening on 127.0.0.1:{foyer.port}, "
            f"homeserver http://127.0.0.1:9, database {foyer.folder}/foyer.sqlite3)." in foyer.log.splitlines()
        )


def test_serve_makes_a_database_that_only_its_owner_reads(tmp_path: Path) -> None:
    with running_foyer(tmp_path, start=False) as foyer:
        foyer.start()
        assert (foyer.folder / "foyer.sqlite3").stat().st_mode & 0o777 == 0o600


def test_serve_without_its_homeserver_opens_and_says_so(tmp_path: Path) -> None:
    with running_foyer(tmp_path) as foyer:
        eventually(lambda: "not all is well: The homeserver at http://127.0.0.1:9 does not answer" in foyer.log)


def test_serve_when_told_to_stop_ends_with_status_0_and_frees_its_port(tmp_path: Path) -> None:
    with running_foyer(tmp_path, processes=2) as foyer:
        connection = http.client.HTTPConnection("127.0.0.1", foyer.port)
        connection.request("GET", "/healthz")
        assert connection.getresponse().read()  # and now it is idle, but open
        children = foyer.children()
        assert len(children) >= 3
        began = time.monotonic()
        assert foyer.stop() == 0
        assert time.monotonic() - began < 40
        eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children))
        with socket.create_server(("127.0.0.1", foyer.port)):
            connection.close()


def test_serve_when_the_parent_is_killed_leaves_nobody_behind(tmp_path: Path) -> None:
    with running_foyer(tmp_path) as foyer:
        foyer.kill9()
        foyer.start()
        assert foyer.answers()


def test_serve_when_a_page_process_dies_starts_another_even_twice(tmp_path: Path) -> None:
    with running_foyer(tmp_path) as foyer:
        for _ in range(3):
            pid = child(foyer, "multiprocessing-fork")
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            eventually(lambda gone=pid: child(foyer, "multiprocessing-fork") not in {None, gone})  # type: ignore[misc]
            eventually(foyer.answers)


def test_serve_when_the_worker_dies_starts_another(tmp_path: Path) -> None:
    with running_foyer(tmp_path) as foyer:
        eventually(lambda: child(foyer, "foyer worker") is not None)
        pid = child(foyer, "foyer worker")
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: child(foyer, "foyer worker") not in {None, pid})
        assert "The worker ended unexpectedly" in foyer.log


def test_serve_starts_somebody_who_died_again_and_again_within_ten_seconds() -> None:
    waits = parent.RESTARTS_APART_SECONDS

    assert list(waits) == sorted(waits)
    assert waits[-1] == 10


def test_serve_no_worker_starts_none(tmp_path: Path) -> None:
    with running_foyer(tmp_path, arguments=["--no-worker"]) as foyer:
        assert child(foyer, "foyer worker") is None


def test_serve_with_a_json_log_announces_itself_as_json(tmp_path: Path) -> None:
    with running_foyer(tmp_path, log={"format": "json"}) as foyer:
        eventually(lambda: "Foyer is open" in foyer.log)
        said = json.loads(next(line for line in foyer.log.splitlines() if "Foyer is open" in line))
        assert said["listen"] == f"127.0.0.1:{foyer.port}"
        assert said["level"] == "info"


def test_serve_on_a_port_in_use_says_so(tmp_path: Path) -> None:
    with running_foyer(tmp_path, start=False) as foyer, socket.create_server(("127.0.0.1", foyer.port)):
        foyer.write_config()
        status, said = refused(foyer)
        assert status == 1
        assert said == (
            f"Another program listens on 127.0.0.1:{foyer.port} already, perhaps another Foyer. Stop it, or choose "
            "another port with `listen` or --listen."
        )


def test_serve_twice_on_one_port_is_refused(tmp_path: Path) -> None:
    with running_foyer(tmp_path) as foyer:
        status, said = refused(foyer)
        assert status == 1
        assert said.startswith("Another program listens")


@pytest.mark.parametrize(
    ("listen", "status", "said"),
    [
        ("nonsense", 2, "--listen nonsense: Write host and port, such as 127.0.0.1:5000 or [::1]:5000."),
        ("192.0.2.7:5000", 1, "This machine does not have the address of 192.0.2.7:5000."),
        ("no.such.host.invalid:5000", 1, "There is no host called no.such.host.invalid."),
    ],
)
def test_serve_on_a_place_that_cannot_be_says_so(tmp_path: Path, listen: str, status: int, said: str) -> None:
    with running_foyer(tmp_path, start=False) as foyer:
        foyer.write_config()
        found = refused(foyer, "--listen", listen)
        assert found[0] == status
        assert found[1].startswith(said)


def test_serve_when_the_database_folder_is_missing_names_it(tmp_path: Path) -> None:
    with running_foyer(tmp_path, start=False) as foyer:
        foyer.config["database"] = f"sqlite:///{tmp_path}/nowhere/foyer.sqlite3"
        foyer.write_config()
        status, said = refused(foyer)
        assert status == 1
        assert f"{tmp_path}/nowhere" in said
        assert len(said.splitlines()) == 1


def test_serve_when_the_database_is_no_database_says_so(tmp_path: Path) -> None:
    with running_foyer(tmp_path, start=False) as foyer:
        foyer.write_config()
        (foyer.folder / "foyer.sqlite3").write_text("no database at all, but long enough to look at" * 10)
        status, said = refused(foyer)
        assert status == 1
        assert said.startswith(f"{foyer.folder}/foyer.sqlite3 is not an SQLite database.")


def test_serve_with_a_wrong_configuration_names_key_value_and_remedy(tmp_path: Path) -> None:
    with running_foyer(tmp_path, start=False, public_url="join.example.org", lisen="127.0.0.1:1") as foyer:
        foyer.write_config()
        status, said = refused(foyer)
        assert status == 1
        assert "public_url" in said
        assert "join.example.org" in said
        assert "Did you mean listen?" in said


def test_serve_in_words_of_the_predecessor_works(tmp_path: Path) -> None:
    with running_foyer(tmp_path, start=False) as foyer:
        foyer.write_config()
        assert foyer.cli("runserver", "--help").stdout.startswith("Usage: foyer runserver")


def test_serve_with_many_idle_connections_answers_the_next(tmp_path: Path) -> None:
    with running_foyer(tmp_path, arguments=["--no-worker"]) as foyer, ExitStack() as stack:
        for _ in range(600):
            stack.enter_context(socket.create_connection(("127.0.0.1", foyer.port), timeout=60))
        eventually(foyer.answers)


def test_serve_when_told_to_stop_lets_a_join_that_is_under_way_end(tmp_path: Path) -> None:
    with ExitStack() as stack:
        silent = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        keys = {
            "url": f"http://127.0.0.1:{silent.getsockname()[1]}",
            "registration_shared_secret": "nobody reads it",
            "timeout": "4s",
        }
        foyer = stack.enter_context(running_foyer(tmp_path, homeserver=keys, arguments=["--no-worker"]))
        code = foyer.invite()["code"]
        connection = http.client.HTTPConnection("127.0.0.1", foyer.port, timeout=60)
        stack.callback(connection.close)
        connection.request(
            "POST",
            "/register",
            f"username=maria&password=verysecure&confirm=verysecure&token={code}",
            {"Content-Type": "application/x-www-form-urlencoded"},
        )
        time.sleep(1)
        assert foyer.stop() == 0
        answer = connection.getresponse()
        assert answer.status == 503
        assert "foyer" in json.loads(answer.read())


def test_serve_when_told_to_stop_lets_a_mail_that_is_on_its_way_arrive_once(tmp_path: Path, sink: Sink) -> None:
    sink.start()
    sink.slow_seconds = 3
    mail = {"host": "127.0.0.1", "port": sink.port, "security": "none", "from": "join@example.org"}
    with running_foyer(tmp_path, email=mail, moderators={"emails": ["team@example.org"]}) as foyer:
        foyer.invite("--email", "maria@example.org", "--send")
        eventually(lambda: sink.reading == 1)
        assert foyer.stop() == 0
        assert len(sink.taken) == 1
        assert "What it was doing is done again later" not in foyer.log

        foyer.start()
        time.sleep(2)
        assert len(sink.taken) == 1


def test_serve_on_postgresql_that_lacks_migrations_says_what_to_do(tmp_path: Path, postgres: Postgres) -> None:
    with running_foyer(tmp_path, postgres.create_database("lacking"), start=False) as foyer:
        foyer.write_config()
        status, said = refused(foyer)
        assert status == 1
        assert said.startswith(f"The database postgresql://foyer:********@127.0.0.1:{postgres.port}/lacking lacks ")
        assert said.endswith("Run `foyer migrate`, or start with `foyer serve --migrate`.")


def test_serve_migrate_by_two_at_once_migrates_once(tmp_path: Path, postgres: Postgres) -> None:
    database = postgres.create_database("together")
    with (
        running_foyer(tmp_path, database, start=False) as one,
        running_foyer(tmp_path, database, start=False) as other,
    ):
        one.start(wait=False)
        other.start(wait=False)
        eventually(lambda: one.answers() and other.answers())
        assert sum("The database was brought up to date" in foyer.log for foyer in (one, other)) == 1


def test_serve_of_two_at_once_on_one_sqlite_database_migrates_once(tmp_path: Path) -> None:
    with running_foyer(tmp_path, start=False) as one, running_foyer(tmp_path, start=False) as other:
        other.config["database"] = one.config["database"]
        one.start(wait=False)
        other.start(wait=False)
        eventually(lambda: one.answers() and other.answers())
        assert sum("The database was brought up to date" in foyer.log for foyer in (one, other)) == 1
