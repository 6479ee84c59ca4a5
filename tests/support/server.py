"""A real `foyer serve` for tests: over HTTP, with its own database, configuration and log.

with running_foyer(tmp_path, homeserver=homeserver_keys(synapse, "both"), server_name=synapse.server_name) as foyer:
    code = foyer.invite("--uses", "1")["code"]
    requests go to foyer.url
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from dev import processes as programs

BYTECODE = Path(__file__).resolve().parents[2] / ".cache" / "bytecode"
SECONDS_TO_START = 120.0
SECONDS_TO_STOP = 60.0
NO_HOMESERVER = {"url": "http://127.0.0.1:9", "registration_shared_secret": "nobody answers there"}


def environment() -> dict[str, str]:
    """Return this process's environment without the configuration that tests in this process run under."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("FOYER_", "DJANGO_"))}
    # Each start compiles every library again where nothing may be kept, and that takes three times as long.
    ours.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**ours, "PYTHONPYCACHEPREFIX": str(BYTECODE)}


def command(*args: str) -> list[str]:
    """Return the command line of a `foyer` of this checkout."""
    return [sys.executable, "-P", "-m", "foyer", *args]


@dataclass
class RunningFoyer:
    """One Foyer. `start()` again after `stop()` or `kill9()` keeps port, configuration and database."""

    folder: Path
    port: int
    config: dict[str, Any]
    arguments: Sequence[str] = ()
    wrapped_in: Sequence[str] = ()
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """Where it answers, on loopback; without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def config_path(self) -> Path:
        """Its foyer.yaml."""
        return self.folder / "foyer.yaml"

    @property
    def log_path(self) -> Path:
        """What it printed, both streams, since it was first started."""
        return self.folder / "foyer.log"

    @property
    def log(self) -> str:
        """Everything it printed so far."""
        return self.log_path.read_text(encoding="utf-8", errors="replace") if self.log_path.exists() else ""

    def write_config(self) -> None:
        """Write `config` to foyer.yaml; `start()` does so too."""
        self.config_path.write_text(yaml.safe_dump(self.config, allow_unicode=True), encoding="utf-8")
        self.config_path.chmod(0o600)

    def start(self, *, wait: bool = True) -> None:
        """Start it; returns when /healthz answers 200.

        Raises:
            NotReady: it ended or did not answer; the text has the end of its log.
        """
        self.write_config()
        arguments = [*self.wrapped_in, *command("--config", str(self.config_path), "serve", *self.arguments)]
        self.process = programs.spawn(arguments, log=self.log_path, cwd=self.folder, env=environment())
        if wait:
            programs.wait_until(self.answers, self.process, log=self.log_path, seconds=SECONDS_TO_START)

    def answers(self) -> bool:
        """Say whether /healthz answers 200."""
        with contextlib.suppress(OSError), programs.open_directly(f"{self.url}/healthz", seconds=5) as answer:
            return answer.status == 200
        return False

    def cli(
        self, *args: str, stdin: str | None = None, check: bool = True, seconds: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run `foyer ARGS` under this configuration, in its folder; `check` wants exit status 0."""
        done = subprocess.run(
            command("--config", str(self.config_path), *args),
            cwd=self.folder,
            env=environment(),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"foyer {' '.join(args)} exited with {done.returncode}: {done.stdout}{done.stderr}")
        return done

    def invite(self, *args: str) -> dict[str, Any]:
        """Make an invitation and return what `foyer invite create --json` says."""
        said: dict[str, Any] = json.loads(self.cli("invite", "create", "--json", *args).stdout)
        return said

    def children(self) -> list[int]:
        """Return the pids of its processes for pages and of its worker (Linux)."""
        return sorted(_children(self.process.pid)) if self.process else []

    def stop(self) -> int:
        """Stop it in order (SIGTERM) and return its exit status."""
        process, self.process = self.process, None
        if process is None:
            return 0
        programs.stop(process, seconds=SECONDS_TO_STOP)
        return process.returncode

    def kill9(self) -> None:
        """Kill the parent at once, as a power cut would; returns when its children are gone too."""
        process, self.process = self.process, None
        if process is None:
            return
        children = _children(process.pid)
        process.send_signal(signal.SIGKILL)
        process.wait()
        end = time.monotonic() + SECONDS_TO_STOP
        while any(_is_alive(child) for child in children):
            if time.monotonic() > end:
                raise AssertionError(f"children of a killed foyer serve live on: {children}")
            time.sleep(0.02)


@functools.cache
def _empty_database() -> Path:
    """A database with every table, made once: making it takes as long as all the rest of a start."""
    folder = Path(tempfile.mkdtemp(prefix="foyer-empty-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    config = _configuration(folder, programs.free_port(), "sqlite")
    maker = RunningFoyer(folder, 0, config)
    maker.write_config()
    maker.cli("migrate")
    return folder / "foyer.sqlite3"


def _children(parent: int) -> list[int]:
    with contextlib.suppress(FileNotFoundError):
        return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()] + [
            int(pid)
            for task in Path(f"/proc/{parent}/task").iterdir()
            if task.name != str(parent)
            for pid in (task / "children").read_text().split()
        ]
    return []


def _is_alive(pid: int) -> bool:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def _configuration(home: Path, port: int, database: str) -> dict[str, Any]:
    return {
        "server_name": "localhost",
        "public_url": f"http://localhost:{port}",
        "listen": f"127.0.0.1:{port}",
        "secret_key": "a key for tests that is long enough for every purpose",
        "database": f"sqlite:///{home}/foyer.sqlite3" if database == "sqlite" else database,
        "homeserver": NO_HOMESERVER,
        "screening": {"limits": False},
    }


@contextlib.contextmanager
def running_foyer(
    folder: Path,
    database: str = "sqlite",
    *,
    homeserver: dict[str, Any] | None = None,
    processes: int = 1,
    arguments: Sequence[str] = (),
    wrapped_in: Sequence[str] = (),
    start: bool = True,
    **config: Any,
) -> Iterator[RunningFoyer]:
    """Write a foyer.yaml below `folder` and run `foyer serve` on a free port until the `with` block ends.

    `database`: "sqlite", or the URL of an empty PostgreSQL database of the test's own. `homeserver`: the keys of the
    block of that name (tests.support.synapse.homeserver_keys); None: one that never answers. `arguments`: more options
    of `foyer serve`. `wrapped_in`: a program that runs the rest of its command line, such as `setpriv`. Further keys of
    foyer.yaml by name. One that is started here finds its SQLite database made, and without `start` there is none.
    """
    home = folder / f"foyer-{secrets.token_hex(4)}"
    home.mkdir(parents=True)
    port = programs.free_port()
    values = _configuration(home, port, database) | ({"homeserver": homeserver} if homeserver else {})
    options = ["--processes", str(processes), *([] if database == "sqlite" else ["--migrate"]), *arguments]
    foyer = RunningFoyer(home, port, {**values, **config}, options, wrapped_in)
    try:
        if start:
            if database == "sqlite":
                shutil.copy(_empty_database(), home / "foyer.sqlite3")
            foyer.start()
        yield foyer
    finally:
        foyer.stop()
