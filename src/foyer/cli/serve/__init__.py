"""`foyer serve`: a small parent that prepares, starts the pages and the worker, and keeps both alive.

The parent imports neither Django nor the schema. What needs them (reading the configuration, migrating) happens in a
child of its own that says what it found and ends.
"""

from __future__ import annotations

from typing import Annotated

import typer

from foyer.cli.app import command, new_app

app = new_app()
MOST_PROCESSES = 64
MOST_THREADS = 256


@command(app)
def serve(
    listen: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Where to listen, in place of `listen` in foyer.yaml.")
    ] = None,
    processes: Annotated[
        int | None,
        typer.Option(
            min=1, max=MOST_PROCESSES, metavar="N", help="Processes for pages. Unless said: one a core, at most 4."
        ),
    ] = None,
    threads: Annotated[
        int, typer.Option(min=1, max=MOST_THREADS, metavar="N", help="Requests that each process answers at once.")
    ] = 32,
    no_worker: Annotated[
        bool, typer.Option("--no-worker", help="Start no worker; `foyer worker` runs elsewhere.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Rehearse: change nothing at the homeserver, mail nobody, keep nothing."),
    ] = False,
    migrate: Annotated[
        bool, typer.Option("--migrate", help="Bring a PostgreSQL database up to date first (SQLite always is).")
    ] = False,
) -> None:
    """Open the door: the pages and the worker.

    Put a proxy with TLS in front (docs/reverse-proxy.md). Ctrl-C or SIGTERM finishes what is under way, then stops.
    """
    if dry_run:
        from foyer.cli.serve.rehearsing import rehearse

        rehearse(listen=listen)
        return
    from foyer.cli.serve.prepare import Preparation

    preparation = Preparation(listen=listen, migrate=migrate)
    from foyer.cli.serve.cores import one_a_core
    from foyer.cli.serve.parent import Parent  # meanwhile: the web server's library is only needed here

    count = processes or one_a_core()
    raise typer.Exit(Parent(preparation, processes=count, threads=threads, with_worker=not no_worker).run())
