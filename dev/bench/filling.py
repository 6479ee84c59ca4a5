"""Large tables, filled side by side: a process for each database, `python -m dev.bench.filling WHAT NUMBER`.

Most of the time of a filling is computing, and there is more than one core. The database is told on the environment,
because its address has a password in it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

from dev import processes
from dev.bench import rows
from dev.bench.applicants import Past
from dev.bench.rows import Table
from dev.environments import ROOT

DATABASE = "BENCH_DATABASE"
INVITATIONS, APPLICANTS = "invitations", "applicants"
TABLES: dict[str, Callable[[int], Sequence[Table]]] = {
    INVITATIONS: lambda _number: (rows.INVITATIONS, *rows.PAST),
    APPLICANTS: lambda number: Past(number).tables(),
}


def fill(what: str, databases: Iterable[str], number: int, *, folder: Path) -> None:
    """Put so many of `what` into the empty tables of each of these databases. Nobody else may use them meanwhile.

    Args:
        what: a key of `TABLES`.
        databases: URLs as in Foyer's configuration.
        folder: where the processes write what they have to say.

    Raises:
        NotReady: one of them could not be filled.
    """
    command = [sys.executable, "-m", "dev.bench.filling", what, str(number)]
    with ExitStack() as stack:
        running = []
        for count, database in enumerate(databases):
            log = folder / f"filling-{count}.log"
            process = processes.spawn(command, log=log, cwd=ROOT, env={**os.environ, DATABASE: database})
            stack.callback(processes.stop, process)
            running.append((process, log))
        for process, log in running:
            if process.wait():
                raise processes.NotReady(f"A database could not be filled with {what}: {processes.tail(log)}")
    os.sync()  # What the kernel still had to write would be a part of the first figures.


if __name__ == "__main__":
    rows.fill_tables(os.environ[DATABASE], TABLES[sys.argv[1]](int(sys.argv[2])), int(sys.argv[2]))
