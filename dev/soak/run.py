"""One bad day on each database, and what came of it. Exit status 1: something was lost, and the report says what.

`--seed` makes the same day again, as far as threads and disks allow.
"""

from __future__ import annotations

import argparse
import secrets
import shutil
import signal
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from dev.environments import CACHE, SetupError
from dev.postgres import Postgres
from dev.processes import NotReady
from dev.soak.day import Day, Report
from dev.soak.plan import Database, Plan, short

DATABASES: tuple[Database, ...] = ("sqlite", "postgresql")


def run(plan: Plan, folder: Path) -> Report:
    """Live through one day. Everything is stopped at the end; logs and diaries stay in the folder.

    Raises:
        SetupError, NotReady: it could not begin.
    """
    with ExitStack() as stack:
        database = ""
        if plan.database == "postgresql":
            database = stack.enter_context(Postgres.start()).create_database("foyer")
        return stack.enter_context(Day(plan, folder, database)).live()


def _arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__.partition("\n")[0])
    parser.add_argument("--database", choices=DATABASES, help="only on this one")
    parser.add_argument("--seed", type=int, help="the same day again")
    parser.add_argument("--people", type=int, help="so many come by invitation, and as many apply")
    parser.add_argument("--kills", type=int, help="how often something is killed")
    parser.add_argument("--seconds", type=float, help="how long the bad weather lasts")
    parser.add_argument("--credentials", choices=("both", "token"), help="what Foyer has of the homeserver")
    parser.add_argument("--short", action="store_true", help="the form that runs with every change")
    return parser.parse_args(arguments)


def _plans(given: argparse.Namespace) -> list[Plan]:
    seed = given.seed if given.seed is not None else secrets.randbelow(1_000_000)
    plans = []
    for database in [given.database] if given.database else DATABASES:
        plan = short(database, seed) if given.short else Plan(database, seed)
        chosen = {
            name: getattr(given, name)
            for name in ("people", "kills", "seconds", "credentials")
            if getattr(given, name) is not None
        }
        plans.append(replace(plan, **chosen))
    return plans


def main(arguments: list[str]) -> int:
    """Live through the days that are asked for; returns the exit status."""
    plans = _plans(_arguments(arguments))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    threading.stack_size(512 * 1024)  # a thread for each person
    status = 0
    (CACHE / "soak").mkdir(parents=True, exist_ok=True)
    for plan in plans:
        folder = Path(tempfile.mkdtemp(prefix=f"{plan.database}-{plan.seed}-", dir=CACHE / "soak"))
        print(
            f"{plan.database}, seed {plan.seed}: {plan.people} + {plan.people} people, {plan.kills} kills …", flush=True
        )
        began = time.monotonic()
        report = run(plan, folder)
        print(report.text(time.monotonic() - began), flush=True)
        if report.problems:
            status = 1
            print(f"Logs, diaries and the database: {folder}", flush=True)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return status


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (SetupError, NotReady) as error:
        sys.exit(str(error))
