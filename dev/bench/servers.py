"""What is measured, and what it stands before: Foyer, the stub, PostgreSQL as somebody would run it."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dev import processes
from dev.bench import rows, stub
from dev.bootstrap import VENV
from dev.environments import ROOT
from dev.postgres import Postgres

FOYER = VENV / "bin" / "foyer"
SECONDS_TO_START = 60.0
_TICKS = os.sysconf("SC_CLK_TCK")
# dev.postgres serves tests, which need nothing durable. A figure does.
_DURABLE = "\nfsync = on\nsynchronous_commit = on\nfull_page_writes = on\nmax_wal_size = 4GB\n"


@dataclass
class Foyer:
    """One `foyer serve`, with a worker, on a free port."""

    folder: Path
    port: int
    database: str
    process_count: int | None = 1
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def config(self) -> Path:
        """Its configuration: JSON, which is YAML too."""
        return self.folder / "foyer.yaml"

    @property
    def log(self) -> Path:
        """What it printed."""
        return self.folder / "foyer.log"

    def run(self, *arguments: str, typed: str = "") -> None:
        """Run another command of `foyer` under the same configuration.

        Raises:
            NotReady: it failed; the text is what it said.
        """
        command: list[str | Path] = [FOYER, "--config", self.config, *arguments]
        done = subprocess.run(command, cwd=self.folder, input=typed, capture_output=True, text=True, check=False)
        if done.returncode:
            raise processes.NotReady(f"`foyer {arguments[0]}` failed: {done.stderr.strip() or done.stdout.strip()}")

    def start(self) -> None:
        """Start it; returns when it answers.

        Raises:
            NotReady: it ended, or did not answer in time.
        """
        command: list[str | Path] = [FOYER, "--config", self.config, "serve"]
        if self.process_count is not None:
            command += ["--processes", str(self.process_count)]
        self.process = processes.spawn(command, log=self.log, cwd=self.folder)
        processes.wait_until(self._answers, self.process, log=self.log, seconds=SECONDS_TO_START)

    def _answers(self) -> bool:
        with (
            contextlib.suppress(OSError),
            processes.open_directly(f"http://127.0.0.1:{self.port}/healthz", seconds=5) as it,
        ):
            return it.status == 200
        return False

    def stop(self) -> None:
        """Stop it in order."""
        if self.process is not None:
            processes.stop(self.process, seconds=30)
            self.process = None

    def members(self) -> dict[int, str]:
        """Its processes (Linux): id → parent, pages or worker."""
        if self.process is None:
            return {}
        return {self.process.pid: "parent", **{pid: _role(pid) for pid in _descendants(self.process.pid)}}

    def cpu_seconds(self) -> float:
        """What all its processes computed so far."""
        return cpu_seconds_of(self.process) if self.process is not None else 0.0

    def memory(self) -> dict[str, list[float]]:
        """Role → PSS in MB of each of its processes: what is shared is divided among those who share it."""
        found: dict[str, list[float]] = {}
        for pid, role in self.members().items():
            found.setdefault(role, []).append(_pss_megabytes(pid))
        return found


@contextlib.contextmanager
def foyer(
    folder: Path,
    homeserver: dict[str, Any],
    *,
    database: str = "",
    invitations: int = 0,
    past: bool = False,
    process_count: int | None = 1,
    start: bool = True,
    **config: Any,
) -> Iterator[Foyer]:
    """Run Foyer until the `with` block ends. `database`: a PostgreSQL URL, or empty for SQLite below `folder`.

    The tables hold so many invitations before it starts, and with `past` as many accounts. `process_count`: for pages;
    None: as many as `foyer serve` takes by itself.
    """
    home = folder / f"foyer-{secrets.token_hex(4)}"
    home.mkdir(parents=True)
    made = Foyer(home, processes.free_port(), database or f"sqlite:///{home}/foyer.sqlite3", process_count)
    values = {
        "server_name": stub.SERVER_NAME,
        "public_url": f"http://localhost:{made.port}",
        "listen": f"127.0.0.1:{made.port}",
        "secret_key": "a key of the measurements, long enough for every purpose",
        "database": made.database,
        "homeserver": homeserver,
        "screening": {"limits": False},
        "log": {"level": "error"},
        **config,
    }
    made.config.write_text(json.dumps(values))
    made.run("migrate")
    rows.fill(made.database, invitations, past=past)
    try:
        if start:
            made.start()
        yield made
    finally:
        made.stop()


@contextlib.contextmanager
def stub_homeserver(folder: Path) -> Iterator[str]:
    """Run the stub until the `with` block ends; gives its URL."""
    port = processes.free_port()
    log = folder / "stub.log"
    process = processes.spawn([sys.executable, "-m", "dev.bench.stub", str(port)], log=log, cwd=ROOT)
    try:
        processes.wait_until(lambda: accounts_at(f"http://127.0.0.1:{port}") == 0, process, log=log, seconds=10)
        yield f"http://127.0.0.1:{port}"
    finally:
        processes.stop(process)


def accounts_at(url: str) -> int:
    """How many accounts the stub has; -1 where it does not answer."""
    with contextlib.suppress(OSError), processes.open_directly(f"{url}/stub/accounts", seconds=5) as answer:
        return int(json.loads(answer.read())["accounts"])
    return -1


def by_secret(url: str) -> dict[str, Any]:
    """The `homeserver` block for the stub at this URL (or a proxy before it)."""
    return {"url": url, "registration_shared_secret": stub.SHARED_SECRET}


@contextlib.contextmanager
def durable_postgres() -> Iterator[Postgres]:
    """A PostgreSQL that waits for the disk at every commit, as one that people rely on does.

    Raises:
        SetupError: no server is installed.
    """
    with Postgres.start() as server:
        with (server.directory / "data" / "postgresql.conf").open("a") as file:
            file.write(_DURABLE)
        assert server.process is not None  # noqa: S101 - it was just started
        server.process.send_signal(signal.SIGHUP)  # It reads its settings again.
        yield server


def cpu_seconds_of(process: subprocess.Popen[bytes]) -> float:
    """What a program and all that it started computed so far (Linux)."""
    return sum(_cpu_seconds(pid) for pid in (process.pid, *_descendants(process.pid)))


def answering(process: subprocess.Popen[bytes]) -> int:
    """How many processes of a program answer requests: those of `foyer serve` for pages, or the one that there is."""
    return max(1, [_role(pid) for pid in _descendants(process.pid)].count("pages"))


def _descendants(parent: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for task in Path(f"/proc/{parent}/task").iterdir():
            for pid in map(int, (task / "children").read_text().split()):
                found += [pid, *_descendants(pid)]
    return sorted(found)


def _role(pid: int) -> str:
    command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    if b"worker" in command:
        return "worker"
    return "pages" if any(b"spawn_main" in part for part in command) else "tracker"


def _cpu_seconds(pid: int) -> float:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS
    return 0.0


def _pss_megabytes(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1000 * 1.024
    return 0.0
