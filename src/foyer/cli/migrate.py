"""`foyer migrate`."""

from __future__ import annotations

from typing import Annotated

import typer

from foyer.cli.app import command, new_app
from foyer.cli.errors import CommandFailed
from foyer.config.boot import boot

app = new_app()


@command(app)
def migrate(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit with 1 if something would be changed.")
    ] = False,
) -> None:
    """Bring the database up to this version of Foyer.

    An SQLite database is brought up to date by `foyer serve` itself. With PostgreSQL, make a backup, run this once,
    then start the new version.
    """
    boot()
    from foyer.cli import migrations

    if not check:
        applied = migrations.bring_up_to_date()
        print(f"Brought up to date: {', '.join(applied)}." if applied else "The database is up to date.")
        return
    migrations.refuse_newer()
    if names := migrations.pending():
        raise CommandFailed(f"The database lacks {', '.join(names)}. Run `foyer migrate`.")
    print("The database is up to date.")
