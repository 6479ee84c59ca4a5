"""The two programs that Foyer takes over from, run as their manuals say, each in an environment of its own.

What they write to the terminal for every request is switched off, and so are their rate limits, as Foyer's are.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import sqlite3
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dev import environments, processes
from dev.bench import servers, stub

HERE = Path(__file__).parent
MATRIX_REGISTRATION = "matrix-registration 0.9.2.dev3"
SYNAPSE_REGISTRATION = "synapse_registration 0.1.5"
_QUIET = {"version": 1, "disable_existing_loggers": False, "root": {"level": "ERROR", "handlers": []}}


@dataclass
class Service:
    """A program that answers on a port of loopback."""

    port: int
    process: subprocess.Popen[bytes] = field(repr=False)

    def cpu_seconds(self) -> float:
        """What all its processes computed so far."""
        return servers.cpu_seconds_of(self.process)


@contextlib.contextmanager
def service(
    command: Sequence[str | Path], *, port: int, page: str, folder: Path, **environment: str
) -> Iterator[Service]:
    """Run a program until the `with` block ends; it is ready once this page answers.

    Raises:
        NotReady: it ended, or did not answer in time.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "DJANGO"))}
    log = folder / "output.log"
    process = processes.spawn(command, log=log, cwd=folder, env={**kept, **environment})
    try:
        address = f"http://127.0.0.1:{port}{page}"
        processes.wait_until(lambda: _answers(address), process, log=log, seconds=60)
        yield Service(port, process)
    finally:
        processes.stop(process)


def _answers(address: str) -> bool:
    with contextlib.suppress(OSError), processes.open_directly(address, seconds=5) as answer:
        return answer.status == 200
    return False


def install(name: str) -> Path:
    """Put one of them into its environment below .cache; returns the folder of its programs.

    Raises:
        SetupError: it could not be installed.
    """
    requirements = HERE / f"{name.replace('-', '_')}_requirements.txt"
    return environments.ensure_environment(name, requirements).parent


def token(number: int) -> str:
    """A token of matrix-registration's form: words with capitals."""
    letters = "".join(chr(ord("a") + int(digit)) for digit in f"{number:06d}")
    return f"Bench{letters.title()}"


@contextlib.contextmanager
def matrix_registration(folder: Path, homeserver: str, *, tokens: int) -> Iterator[Service]:
    """`matrix-registration serve` (waitress, SQLite) with so many unlimited tokens, until the `with` block ends.

    Raises:
        SetupError: it could not be installed.
        NotReady: it did not start.
    """
    programs = install("matrix-registration")
    home = _home(folder, "matrix-registration")
    port = processes.free_port()
    config = {
        "server_location": homeserver,
        "server_name": stub.SERVER_NAME,
        "registration_shared_secret": stub.SHARED_SECRET,
        "admin_api_shared_secret": "a secret of the measurements",
        "base_url": "",
        "client_redirect": "https://app.element.io/#/login",
        "client_logo": "static/images/element-logo.png",
        "db": "sqlite:///{cwd}/db.sqlite3",
        "host": "127.0.0.1",
        "port": port,
        "rate_limit": ["100000000 per minute"],
        "allow_cors": False,
        "ip_logging": False,
        "logging": _QUIET,
        "password": {"min_length": 8},
        "username": {"validation_regex": [], "invalidation_regex": []},
    }
    (home / "config.yaml").write_text(json.dumps(config))  # JSON is YAML.
    command: list[str | Path] = [programs / "matrix-registration", "--config-path", home / "config.yaml"]
    # Every command makes the tables.
    subprocess.run([*command, "status"], cwd=home, check=True, capture_output=True)
    with contextlib.closing(sqlite3.connect(home / "db.sqlite3")) as connection, connection:
        connection.executemany(
            "INSERT INTO tokens (name, max_usage, used, disabled) VALUES (?, 0, 0, 0)",
            [(token(number),) for number in range(1, tokens + 1)],
        )
    with service([*command, "serve"], port=port, page="/health", folder=home) as running:
        yield running


@contextlib.contextmanager
def synapse_registration(folder: Path, homeserver: str, *, smtp: int, mjml: str) -> Iterator[Service]:
    """synapse_registration under gunicorn, with as many processes as gunicorn advises, until the `with` block ends.

    `smtp`: the port of a mail server on loopback. `mjml`: who renders its mails; by default a service on the Internet.

    Raises:
        SetupError: it could not be installed.
        NotReady: it did not start.
    """
    programs = install("synapse-registration")
    home = _home(folder, "synapse-registration")
    port = processes.free_port()
    config: dict[str, Any] = {
        "secret_key": "a key of the measurements",
        "hosts": ["localhost", "127.0.0.1"],
        "synapse": {"server": homeserver, "admin_token": "stub-token-1", "domain": stub.SERVER_NAME},
        # Empty: it signs in at a mail server whenever a name is given, and neither sink asks for that.
        "email": {"host": "127.0.0.1", "port": smtp, "username": "", "password": "", "from": "join@example.org"},
        "admin": {"email": "team@example.org"},
        "mjml": {"url": mjml},
        "rate_limit": {"email_submission": 100_000_000},
        "database": {"path": str(home / "db.sqlite3")},
    }
    (home / "config.yaml").write_text(json.dumps(config))
    environment = {"CONFIG_PATH": str(home / "config.yaml")}
    subprocess.run(
        [programs / "synapse_registration", "migrate"],
        cwd=home,
        env={**os.environ, **environment},
        check=True,
        capture_output=True,
    )
    workers = 2 * (os.cpu_count() or 1) + 1
    command: list[str | Path] = [programs / "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", str(workers)]
    command += ["--log-level", "error", "synapse_registration.synapse_registration.wsgi:application"]
    with service(command, port=port, page="/check-username/", folder=home, **environment) as running:
        yield running


def _home(folder: Path, name: str) -> Path:
    home = folder / f"{name}-{secrets.token_hex(4)}"
    home.mkdir(parents=True)
    return home
