"""`foyer setup`, and `foyer` alone at a terminal."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import signal
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from dev.synapse import Synapse
from tests.homeserver.client_double import UiaDouble
from tests.homeserver.mas_double import CLIENT_ID, CLIENT_SECRET
from tests.homeserver.mas_world import mas_world
from tests.homeserver.synapse_beside_mas import ADMIN_TOKEN
from tests.homeserver.uia_world import plain_world
from tests.support.server import command, environment

ANSWERS = "example.org\nhttp://127.0.0.1:9\nthe-shared-word\n\nhttps://join.example.org\n\n\n\n"
DEAD = "http://127.0.0.1:9 does not answer"


def setup(folder: Path, answers: str, *before: str) -> subprocess.CompletedProcess[str]:
    """Run `foyer setup` with answers from a pipe."""
    return subprocess.run(
        command(*before, "setup"),
        cwd=folder,
        env={**environment(), "HOME": str(folder)},
        input=answers,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_setup_writes_a_configuration_that_only_its_owner_reads(tmp_path: Path) -> None:
    done = setup(tmp_path, ANSWERS)
    path = tmp_path / "foyer.yaml"
    assert done.returncode == 0, done.stderr
    assert path.stat().st_mode & 0o777 == 0o600
    written = yaml.safe_load(path.read_text())
    assert len(written["api"].pop("legacy_shared_secret")) > 32
    assert written == {
        "server_name": "example.org",
        "public_url": "https://join.example.org",
        "homeserver": {"url": "http://127.0.0.1:9", "registration_shared_secret": "the-shared-word"},
        "database": f"sqlite:///{tmp_path}/foyer.sqlite3",
        "listen": "127.0.0.1:5000",
        "trusted_proxies": ["127.0.0.1", "::1"],
        "api": {},
    }
    assert list(tmp_path.iterdir()) == [path]


def test_setup_at_a_server_that_leaves_its_accounts_to_a_service_asks_for_that(tmp_path: Path) -> None:
    with mas_world("token") as world:
        service = f"{world.chaos.url}\n{CLIENT_ID}\n{CLIENT_SECRET}\n{ADMIN_TOKEN}"
        answers = f"localhost\n{world.synapse_chaos.url}\n{service}\nhttps://join.example.org\n\n\n\n"
        done = setup(tmp_path, answers)

    assert done.returncode == 0, done.stderr
    assert yaml.safe_load((tmp_path / "foyer.yaml").read_text())["homeserver"] == {
        "kind": "mas",
        "url": world.synapse_chaos.url,
        "mas": {"url": world.chaos.url, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET},
        "admin_token": ADMIN_TOKEN,
    }
    assert "Foyer's client may administer it." in done.stdout
    assert CLIENT_SECRET not in done.stdout


@pytest.mark.parametrize("kind", ["uia", "dendrite", "tuwunel"])
def test_setup_at_another_server_asks_for_what_that_one_needs(tmp_path: Path, kind: str) -> None:
    with plain_world({"uia": "uia-conduit", "tuwunel": "tuwunel-admin"}.get(kind, kind)) as world:
        double = world.double
        secret = double.registration_token if isinstance(double, UiaDouble) else double.shared_secret  # type: ignore[attr-defined]
        keys = {"registration_token" if kind == "uia" else "registration_shared_secret": secret}
        if kind == "tuwunel":
            keys["admin_token"] = double.admin_token  # type: ignore[attr-defined]
        words = "\n".join(keys.values())
        done = setup(tmp_path, f"localhost\n{world.chaos.url}\n{words}\nhttps://join.example.org\n\n\n\n")

    assert done.returncode == 0, done.stderr
    written = yaml.safe_load((tmp_path / "foyer.yaml").read_text())["homeserver"]
    assert written == {"kind": kind, "url": world.chaos.url, **keys}
    assert f"docs/homeservers/{kind}.md" in " ".join(done.stdout.split())
    assert secret not in done.stdout


def test_setup_says_where_the_secret_comes_from_and_where_the_full_file_is(tmp_path: Path) -> None:
    said = " ".join(setup(tmp_path, ANSWERS).stdout.split())
    assert "It stands in homeserver.yaml as `registration_shared_secret`" in said
    assert "foyer.dist.yaml" in said
    assert DEAD in said
    assert "the-shared-word" not in said


def test_setup_makes_a_secret_key_for_postgresql(tmp_path: Path) -> None:
    answers = ANSWERS.rpartition("\n\n")[0] + "\npostgresql://foyer:word@db.example.org/foyer\n"
    done = setup(tmp_path, answers)
    assert done.returncode == 0, done.stderr
    written = yaml.safe_load((tmp_path / "foyer.yaml").read_text())
    assert len(written["secret_key"]) >= 32
    assert "foyer:word@" not in done.stdout


def test_setup_writes_where_config_says(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    done = setup(tmp_path, ANSWERS, "--config-path", "etc/our.yaml")
    assert done.returncode == 0
    assert (tmp_path / "etc" / "our.yaml").exists()
    assert f"foyer --config {tmp_path}/etc/our.yaml serve" in done.stdout


def test_setup_never_replaces_a_file_unasked(tmp_path: Path) -> None:
    path = tmp_path / "foyer.yaml"
    path.write_text("precious: true\n")
    for answer in ("\n", "n\n", ""):
        assert setup(tmp_path, answer).returncode == 1
        assert path.read_text() == "precious: true\n"
    assert setup(tmp_path, f"y\n{ANSWERS}").returncode == 0
    assert "precious" not in path.read_text()


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ("", "The answers end before the question “Server name”. Nothing was written."),
        ("example.org\n", "The answers end before the question “Synapse's URL [http://127.0.0.1:8008]”. Nothing"),
        ("https://example.org\n", "Server name: Write only what follows the colon in a Matrix address"),
        ("example.org\nftp://x\n", "Synapse's URL: Write the whole URL"),
        ("example.org\n\n\n\n\n", "Give registration_shared_secret, admin_token, or both."),
        ("example.org\n\nword\n\nhttps://x.org\nnonsense\n", "Listen on: Write host and port"),
        (
            "example.org\n\nword\n\nhttps://x.org\n\nperhaps\n",
            "Is there a proxy on this machine? (Y/n): Answer y or n.",
        ),
        ("example.org\n\nword\n\nhttps://x.org\n\n\nmysql://x/y\n", "Database: Foyer keeps its tables in SQLite or"),
    ],
)
def test_setup_with_a_wrong_answer_from_a_pipe_writes_nothing(tmp_path: Path, answers: str, said: str) -> None:
    done = setup(tmp_path, answers)
    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_setup_into_a_folder_that_is_not_there_says_so(tmp_path: Path) -> None:
    done = setup(tmp_path, ANSWERS, "--config", "nowhere/foyer.yaml")
    assert (done.returncode, done.stderr) == (1, f"The folder {tmp_path}/nowhere does not exist. Create it first.\n")


@pytest.mark.synapse
def test_setup_tries_the_connection(tmp_path: Path, synapse: Synapse) -> None:
    answers = f"{synapse.server_name}\n{synapse.url}\n{synapse.shared_secret}\n{synapse.admin_token}\n"
    done = setup(tmp_path, f"{answers}http://localhost:5000\n\n\n\n")
    assert done.returncode == 0, done.stderr
    assert f"ok {synapse.url} answers: Synapse" in done.stdout
    assert "✗" not in done.stdout
    wrong = setup(tmp_path, f"y\n{answers.replace(synapse.shared_secret, 'wrong')}http://localhost:5000\n\n\n\n")
    assert "✗" in wrong.stdout


class Terminal:
    """A person at a terminal."""

    def __init__(self, folder: Path, *args: str) -> None:
        self.said = ""
        self.pid, self.handle = pty.fork()
        if self.pid == 0:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # it is ignored where the tests run in the background
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
            os.chdir(folder)
            line = command(*args)
            os.execve(  # noqa: S606 - a program of ours
                line[0], line, {**environment(), "HOME": str(folder), "TERM": "xterm", "COLUMNS": "100"}
            )

    def wait_for(self, words: str, seconds: float = 60) -> None:
        """Read until these words are there."""
        end = time.monotonic() + seconds
        while words not in self.said:
            assert time.monotonic() < end, self.said
            if select.select([self.handle], [], [], 0.1)[0]:
                try:
                    self.said += os.read(self.handle, 4096).decode(errors="replace").replace("\r\n", "\n")
                except OSError as error:
                    raise AssertionError(f"it ended: {self.said}") from error

    def answer(self, question: str, text: str) -> None:
        """Wait for a question and answer it."""
        self.wait_for(question)
        self.said = self.said.partition(question)[2]
        os.write(self.handle, f"{text}\n".encode())

    def interrupt(self) -> int:
        """Press Ctrl-C until it ends: one that comes just before Python begins to read is seen with the next key."""
        for _ in range(30):
            os.write(self.handle, b"\x03")
            with contextlib.suppress(AssertionError):
                return self.status(seconds=2)
        raise AssertionError(f"it goes on: {self.said}")

    def status(self, seconds: float = 60) -> int:
        """Wait for the end, and return how it was."""
        end = time.monotonic() + seconds
        while (ended := os.waitpid(self.pid, os.WNOHANG))[0] == 0:
            assert time.monotonic() < end, f"it goes on: {self.said}"
            if select.select([self.handle], [], [], 0.05)[0]:
                with contextlib.suppress(OSError):
                    self.said += os.read(self.handle, 4096).decode(errors="replace")
        os.close(self.handle)
        return os.waitstatus_to_exitcode(ended[1])


def test_foyer_alone_at_a_terminal_offers_setup_and_asks_again_after_a_slip(tmp_path: Path) -> None:
    person = Terminal(tmp_path)
    person.answer("Shall we make one now? (Y/n): ", "")
    person.answer("Server name: ", "https://example.org")
    person.answer("such as example.org.\nServer name: ", "example.org")
    person.answer("Synapse's URL [http://127.0.0.1:8008]: ", "http://127.0.0.1:9")
    person.answer("registration_shared_secret (Enter: none): ", "the-shared-word")
    person.answer("admin_token (Enter: none): ", "")
    person.wait_for(DEAD)
    assert "the-shared-word" not in person.said
    person.answer("Change these answers? (Y/n): ", "n")
    person.answer("Public URL [https://join.example.org]: ", "")
    person.answer("Listen on [127.0.0.1:5000]: ", "127.0.0.1:5001")
    person.answer("Is there a proxy on this machine? (Y/n): ", "n")
    person.answer(f"Database [sqlite:///{tmp_path}/foyer.sqlite3]: ", "other.sqlite3")
    person.answer("Make an admin for the desk now? (Y/n): ", "")
    person.answer("Name of the admin: ", "anna")
    person.answer("Password for anna: ", "lantern orchard willow")
    person.answer("Once more: ", "lantern orchard willow")
    person.wait_for("anna can sign in as an admin")
    assert person.status() == 0
    written = yaml.safe_load((tmp_path / "foyer.yaml").read_text())
    assert written["listen"] == "127.0.0.1:5001"
    assert written["database"] == f"sqlite:///{tmp_path}/other.sqlite3"
    assert "trusted_proxies" not in written


def test_foyer_alone_at_a_terminal_takes_no_for_an_answer(tmp_path: Path) -> None:
    person = Terminal(tmp_path)
    person.answer("Shall we make one now? (Y/n): ", "n")
    assert person.status() == 1
    assert list(tmp_path.iterdir()) == []


def test_setup_interrupted_writes_nothing(tmp_path: Path) -> None:
    person = Terminal(tmp_path, "setup")
    person.wait_for("Server name: ")
    assert person.interrupt() == 130
    assert list(tmp_path.iterdir()) == []


def test_errors_are_red_at_a_terminal_only(tmp_path: Path) -> None:
    person = Terminal(tmp_path, "xyzzy")
    person.wait_for("\033[31mThere is no command xyzzy.")
    assert person.status() == 2
    plain = re.compile(r"\033")
    piped = subprocess.run(
        command("xyzzy"), cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
    )
    assert not plain.search(piped.stderr)
