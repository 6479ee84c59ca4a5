"""`foyer copy-database`."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from foyer.cli.app import command, new_app
from foyer.cli.errors import CommandFailed
from foyer.config.boot import boot

if TYPE_CHECKING:
    from foyer.config.database import Database
    from foyer.config.schema import Config

app = new_app()
TURN = "accounts.sweep"
TURN_LASTS = timedelta(seconds=5)


@command(app)
def copy_database(
    to: Annotated[
        str,
        typer.Argument(
            metavar="TO", help="An empty database, postgresql://user:password@host/name; - reads that from stdin."
        ),
    ],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Copy the SQLite database into an empty PostgreSQL database.

    Every row of every table, in one transaction, and compared afterwards; the SQLite file stays as it is. Stop Foyer
    first: what is written afterwards stays behind.
    """
    config = boot()
    from foyer.cli import migrations, output
    from foyer.cli.archive import copying

    target = _target(to, config)
    if not config.database.path or not config.database.path.exists():
        raise CommandFailed(f"There is no database {config.database.path} yet, so there is nothing to copy.")
    migrations.refuse_newer()
    if migrations.pending():
        raise CommandFailed("The SQLite database is of an older version. Run `foyer migrate` first.")
    _refuse_while_running()
    with copying.opened(target) as using:
        copying.refuse_what_is_not_empty(using, target)
        output.ask_before(f"Copy {config.database.path} into {target}?", yes=yes)
        counted = copying.copy(using)
    output.print_table(("TABLE", "ROWS"), [[table, str(count)] for table, count in counted.items() if count])
    print(f"Copied and compared: {output.counted(sum(counted.values()), 'row', 'rows')}.")
    _say_what_is_next(config, target)


def _target(to: str, config: Config) -> Database:
    from foyer.config.database import parse_database

    text = sys.stdin.readline().strip() if to == "-" else to
    try:
        target = parse_database(text)
    except ValueError as error:
        raise CommandFailed(f"That is no database to copy into. {error}", exit_code=2) from None
    if target.engine != "postgresql":
        raise CommandFailed("Name a PostgreSQL database. An SQLite database is copied by `foyer backup`.", exit_code=2)
    if config.database.engine != "sqlite":
        raise CommandFailed(
            f"`database` is {config.database} already. To move to another server, use `foyer backup` and `foyer "
            "restore`, or PostgreSQL's own tools."
        )
    return target


def _refuse_while_running() -> None:
    """A worker takes its turns every few seconds, and writes them down."""
    from foyer.jobs.models import Schedule
    from foyer.kit.clock import now

    moment = now()
    turn = Schedule.objects.filter(name=TURN).first()
    if turn is not None and moment - TURN_LASTS * 2 < turn.next_run_at <= moment + TURN_LASTS:
        raise CommandFailed(
            "Foyer was at work a moment ago. Stop it, wait ten seconds, and try again: what it writes after the copy "
            "would stay behind."
        )


def _say_what_is_next(config: Config, target: Database) -> None:
    from foyer.config.secret import key_path

    print("\nNow tell Foyer, in foyer.yaml on every machine:")
    print(f"  database: {target}")
    if config.secret_key is None and config.database.path:
        print(f"  secret_key_file: {key_path(config.database.path)}   # or a copy of it; links that were sent need it")
    print("Then start it. The SQLite file is no longer used; keep it until you are sure.")
