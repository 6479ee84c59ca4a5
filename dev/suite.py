"""Run the tests: everything with everything, or just what is named.

Without arguments: the tests marked `database` on PostgreSQL, then all of them on SQLite, with the branch coverage of
these held against its floor. With arguments: plain pytest.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

from dev import pieces, synapse
from dev.bootstrap import environment_for, prepare
from dev.environments import CACHE, ROOT, SetupError
from dev.postgres import Postgres
from dev.processes import NotReady

_WORKERS_PER_CORE = 2  # Half of what tests do is wait, for a browser, for a homeserver, for a time-out.
_MOST_WORKERS = 8


def main(arguments: list[str]) -> int:
    """Set up, run pytest, and return its exit code."""
    begin = time.monotonic()
    if arguments:
        return _call([prepare(), "-m", "pytest", *arguments], environment_for())
    with ThreadPoolExecutor() as pool:
        early = pool.submit(synapse.install)  # The other long one: side by side they take half the time.
        python = prepare()
        wait([early])
    print("Looking for Synapse, PostgreSQL, Chromium, nginx and Caddy …", flush=True)
    found = pieces.get_all()
    for sentence in pieces.missing(found):
        print(f"Missing: {sentence}", flush=True)
    print(f"Ready for the tests after {time.monotonic() - begin:.0f} s.", flush=True)
    return _run_everything(python, found)


def _run_everything(python: Path, found: dict[str, str]) -> int:
    shutil.rmtree(CACHE / "coverage", ignore_errors=True)
    command: list[str | Path] = [python, "-m", "pytest", f"--numprocesses={_workers()}"]
    first = _run_on_postgresql([*command, "-m", "database"], found)
    print("\nAll tests, on SQLite:", flush=True)
    environment = environment_for(*found.items(), ("FOYER_TEST_DATABASE", "sqlite"))
    second = _call([*command, "--cov", "--cov-report=term"], environment)
    return second or first


def _run_on_postgresql(command: list[str | Path], found: dict[str, str]) -> int:
    print("\nThe tests of the database, on PostgreSQL:", flush=True)
    try:
        server = Postgres.start()
    except (SetupError, NotReady) as error:
        print(f"Skipped: {error}", flush=True)
        return 1 if os.environ.get("CI") == "true" else 0
    with server:
        ours = (("FOYER_TEST_DATABASE", "postgresql"), ("FOYER_TEST_POSTGRESQL_URL", server.url()))
        return _call(command, environment_for(*found.items(), *ours))


def _workers() -> int:
    return max(1, min(_WORKERS_PER_CORE * (os.cpu_count() or 1), _MOST_WORKERS))


def _call(command: list[str | Path], environment: dict[str, str]) -> int:
    """Run in the foreground; Ctrl-C is the child's to answer."""
    with subprocess.Popen(command, cwd=ROOT, env=environment) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except SetupError as error:
        sys.exit(str(error))
