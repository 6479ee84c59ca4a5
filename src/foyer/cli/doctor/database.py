"""Whether the database can be reached, is up to date, can be written, and whether somebody does what is owed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from django.db import DatabaseError, InterfaceError, connection, transaction

from foyer.cli import migrations, output
from foyer.cli.doctor.findings import Finding, fault, ok, warning
from foyer.config.database_errors import sentence_for
from foyer.config.schema import Config
from foyer.jobs.queries import owed

LATE_SECONDS = 60.0
FEW_BYTES = 200 * 1024 * 1024


def look(config: Config) -> Iterator[Finding]:
    """Yield what is found."""
    where = config.database.place
    if config.database.engine == "sqlite":
        path = Path(str(config.database.path))
        if not path.parent.is_dir():
            yield fault(f"The folder {path.parent} does not exist.", "Create it, or name another place in `database`.")
            return
        yield from _disk(path)
        if not path.exists():
            yield warning(f"There is no database {where} yet.", "`foyer serve` makes it, and so does `foyer migrate`.")
            return
    try:
        yield from _tables(where)
    except (DatabaseError, InterfaceError) as error:
        yield fault(sentence_for(error))


def _disk(path: Path) -> Iterator[Finding]:
    free = shutil.disk_usage(path.parent).free
    if free < FEW_BYTES:
        yield warning(f"{free // 1024 // 1024} MB are free under {path.parent}.", "Make room on that disk.")
    if not os.access(path.parent, os.W_OK):
        yield fault(
            f"The folder {path.parent} may not be written, and SQLite keeps files beside its database.",
            "Let the user that runs Foyer own it.",
        )


def _tables(where: str) -> Iterator[Finding]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    yield ok(f"{where} answers.")
    if newer := migrations.from_the_future():
        yield fault(migrations.NEWER.format(names=", ".join(newer)))
        return
    if missing := migrations.pending():
        yield fault(
            f"The database lacks {output.counted(len(missing), 'migration', 'migrations')} of this version.",
            "Run `foyer migrate`.",
        )
        return
    _try_to_write()
    yield ok("It is up to date and can be written.")
    yield from _what_is_owed()


def _try_to_write() -> None:
    """Change a row and take that back.

    Raises:
        DatabaseError: it cannot be written.
    """
    from foyer.jobs.models import Schedule

    with transaction.atomic():
        Schedule.objects.filter(name="").update(name="")
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:  # an empty update writes nothing; this does
                cursor.execute("PRAGMA user_version")
                (version,) = cursor.fetchone()
                cursor.execute(f"PRAGMA user_version = {int(version)}")
        transaction.set_rollback(True)


def _what_is_owed() -> Iterator[Finding]:
    jobs = owed()
    waiting = sum(jobs.by_lane.values())
    if jobs.given_up:
        yield warning(
            f"{output.counted(jobs.given_up, 'job was', 'jobs were')} given up.",
            "`foyer django shell` shows them: foyer.jobs.models.Job.objects.exclude(gave_up_at=None).",
        )
    if waiting and jobs.oldest_seconds > LATE_SECONDS:
        minutes = int(jobs.oldest_seconds // 60)
        yield warning(
            f"{output.counted(waiting, 'job is', 'jobs are')} owed, the oldest for {minutes} minutes.",
            "Is a worker running? `foyer serve` has one; else start `foyer worker`.",
        )
    else:
        yield ok(f"{output.counted(waiting, 'job is', 'jobs are')} owed.")
