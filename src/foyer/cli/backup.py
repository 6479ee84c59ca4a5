"""`foyer backup`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from foyer.cli.app import command, new_app
from foyer.cli.errors import CommandFailed
from foyer.config.boot import boot

app = new_app()


@command(app)
def backup(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The file to write, or a folder to put it in.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Replace a file of that name without asking.")] = False,
) -> None:
    """Write everything into one file, while Foyer runs.

    It holds every table as it was at one moment, and the secret key where Foyer made it itself. SQLite and PostgreSQL
    write the same form, and either takes up what the other wrote. Keep foyer.yaml yourself; the file holds personal
    data and secrets, and only its owner can read it.
    """
    boot()
    from django.db import connection

    from foyer.cli import migrations, output
    from foyer.cli.archive.saving import save
    from foyer.cli.local_time import zone
    from foyer.kit.clock import now

    if path.is_dir():
        path /= f"foyer-{now().astimezone(zone()):%Y-%m-%d-%H%M%S}.backup"
    elif not path.parent.is_dir():
        raise CommandFailed(f"The folder {path.parent} does not exist. Create it first.")
    if path.exists():
        output.ask_before(f"{path} exists. Replace it?", yes=yes)
    database = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite" and not Path(database).exists():
        raise CommandFailed(f"There is no database {database} yet, so there is nothing to save.")
    migrations.refuse_newer()
    if migrations.pending():
        raise CommandFailed(
            "The database is of an older version. Run `foyer migrate` first, or use that version's backup."
        )
    manifest = save(path)
    print(f"Written: {path} ({sum(manifest.rows.values())} rows, {path.stat().st_size // 1024 + 1} kB).")
