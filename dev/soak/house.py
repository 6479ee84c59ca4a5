"""The machines that Foyer runs on, how they are killed, and how their owner starts them again."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dev import processes
from dev.bootstrap import VENV, environment_for
from dev.environments import CACHE
from dev.soak.plan import Plan
from dev.synapse import Synapse

FOYER = VENV / "bin" / "foyer"
ROOM = "lobby"
MODERATOR = "moderators@example.org"
SECONDS_TO_START = 60.0
ANSWERS_WITHIN_SECONDS = 120.0


@dataclass
class Machine:
    """One `foyer serve`: a parent, a process for pages, a worker."""

    number: int
    folder: Path
    port: int
    config: dict[str, Any]
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def log(self) -> Path:
        """What it printed since it was first started."""
        return self.folder / "foyer.log"

    def configure(self, **keys: Any) -> None:
        """Write its foyer.yaml (JSON, which is YAML too), with these keys changed."""
        self.config |= keys
        path = self.folder / "foyer.yaml"
        path.touch(mode=0o600)
        path.write_text(json.dumps(self.config, indent=1))

    def start(self) -> None:
        """Start it, and do not wait. Call from the main thread: see processes.spawn."""
        command: list[str | Path] = [FOYER, "--config", self.folder / "foyer.yaml", "serve"]
        self.process = processes.spawn(command, log=self.log, cwd=self.folder, env=_environment())

    def wait(self) -> None:
        """Wait until it answers.

        Raises:
            NotReady: it ended or does not answer; the text has the end of its log.
        """
        assert self.process is not None  # noqa: S101 - it was just started
        processes.wait_until(self._answers, self.process, log=self.log, seconds=SECONDS_TO_START)

    def stop(self) -> None:
        """Stop it in order."""
        if self.process is not None:
            processes.stop(self.process, seconds=45)
            self.process = None

    def tend(self) -> bool:
        """Start it again if its parent is dead, as systemd would; says whether it was."""
        if self.process is None or self.process.poll() is None:
            return False
        self.start()
        return True

    def kill(self, what: str) -> int:
        """Kill (-9) its `pages`, its `worker`, or the `machine` with all of them; returns how many processes died."""
        found = self._members()
        doomed = found if what == "machine" else [pid for pid in found if _role(pid) == what]
        for pid in doomed:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return len(doomed)

    def command(self, *words: str, stdin: str | None = None) -> str:
        """Run `foyer WORDS` on this machine, and return what it prints.

        Raises:
            NotReady: it failed; the text is what it said.
        """
        done = subprocess.run(
            [FOYER, "--config", self.folder / "foyer.yaml", *words],
            cwd=self.folder,
            env=_environment(),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=ANSWERS_WITHIN_SECONDS,
            check=False,
        )
        if done.returncode:
            raise processes.NotReady(f"`foyer {' '.join(words)}` failed: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def _answers(self) -> bool:
        with (
            contextlib.suppress(OSError),
            processes.open_directly(f"http://127.0.0.1:{self.port}/healthz", seconds=5) as it,
        ):
            return it.status == 200
        return False

    def _members(self) -> list[int]:
        """The parent and all that it started; the parent first, so that it restarts nobody."""
        if self.process is None or self.process.poll() is not None:
            return []
        return [self.process.pid, *_descendants(self.process.pid)]


def build(
    folder: Path, plan: Plan, *, database: str, homeserver: str, synapse: Synapse, mail_port: int
) -> list[Machine]:
    """Make the machines of this plan, configured and not started. `homeserver`: the address that leads to it."""
    ports = [processes.free_port() for _ in range(plan.machines)]
    keys: dict[str, Any] = {"url": homeserver, "admin_token": synapse.admin_token, "timeout": plan.timeout}
    if plan.credentials == "both":
        keys["registration_shared_secret"] = synapse.shared_secret
    shared = {
        "server_name": synapse.server_name,
        "public_url": f"http://localhost:{ports[0]}",
        "secret_key": "a key for a bad day that is long enough for every purpose",
        "homeserver": keys,
        "screening": {"limits": False},
        "after": {"rooms": [f"#{ROOM}:{synapse.server_name}"]},
        "email": {"host": "127.0.0.1", "port": mail_port, "security": "none", "from": "join@example.org"},
        "moderators": {"emails": [MODERATOR]},
        "application": {"password": "when_applying"},
    }
    made = []
    for number, port in enumerate(ports, start=1):
        home = folder / f"machine-{number}"
        home.mkdir(parents=True)
        where = database or f"sqlite:///{home}/foyer.sqlite3"
        made.append(Machine(number, home, port, {**shared, "listen": f"127.0.0.1:{port}", "database": where}))
        made[-1].configure()
    return made


def _environment() -> dict[str, str]:
    # Each start compiles every library again where nothing may be kept, and that takes three times as long.
    ours = environment_for(("PYTHONPYCACHEPREFIX", str(CACHE / "bytecode")))
    ours.pop("PYTHONDONTWRITEBYTECODE", None)
    return ours


def _descendants(parent: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for task in Path(f"/proc/{parent}/task").iterdir():
            for pid in map(int, (task / "children").read_text().split()):
                found += [pid, *_descendants(pid)]
    return sorted(set(found))


def _role(pid: int) -> str:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return ""
    if b"worker" in command:
        return "worker"
    return "pages" if any(b"spawn_main" in part for part in command) else ""
