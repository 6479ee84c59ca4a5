"""What a database's errors mean to the person who runs it."""

from __future__ import annotations

from django.db import DataError, Error, IntegrityError, NotSupportedError, ProgrammingError

from foyer.config import current

OURS = (DataError, IntegrityError, NotSupportedError, ProgrammingError)
GAVE_WAY = ("40001", "40P01")
"""PostgreSQL's codes for a serialization failure and a deadlock."""
# What SQLite says, in part, and what to do about it.
SQLITE = (
    (
        "unable to open database file",
        "The database {place} cannot be opened. Create its folder, and let the user that runs Foyer own it.",
    ),
    (
        "readonly database",
        "The database {place} may not be written. Let the user that runs Foyer own the file and its folder.",
    ),
    ("locked", "The database {place} is held by another program for too long. Try again when that one is done."),
    (
        "not a database",
        "{place} is not an SQLite database. Name another file in `database`, or restore a backup.",
    ),
    ("malformed", "The database {place} is damaged. Restore a backup with `foyer restore`."),
    ("disk i/o", "The disk under the database {place} does not work as it should. Look at the system's log."),
    ("full", "The disk under the database {place} is full. Make room on it."),
)
# What PostgreSQL and libpq say.
POSTGRESQL = (
    ("password authentication failed", "PostgreSQL does not accept user and password in `database`. Correct them."),
    (
        "no password supplied",
        "PostgreSQL wants a password. Put it into `database`: postgresql://user:password@host/name.",
    ),
    ("permission denied", "PostgreSQL does not let Foyer's user do this. Let it own the database {place}."),
    ("read-only transaction", "PostgreSQL at {place} may only be read. Name the primary server in `database`."),
    (
        "too many",
        "PostgreSQL has no connection left. Raise its max_connections, or run fewer processes or --threads.",
    ),
)
POSTGRESQL_MISSING = (
    ("role", "PostgreSQL at {place} has no such user. Create it, with `createuser`, or correct `database`."),
    ("database", "PostgreSQL has no database {place}. Create it, with `createdb`, or correct `database`."),
)
CROSSED = (
    "Two writes to {place} stood in each other's way, so PostgreSQL undid one. Try again; jobs do so by themselves."
)
LACKS_TABLES = "The database {place} lacks tables of this version of Foyer. Run `foyer migrate`."
SQLITE_ELSE = "The database {place} does not work: {reason}."
POSTGRESQL_ELSE = "PostgreSQL at {place} does not answer: {reason}. Start it, or correct `database`."


def is_outage(error: BaseException) -> bool:
    """Say whether the database is what is wrong (gone, full, not to be written), and not what was asked of it."""
    return isinstance(error, Error) and not isinstance(error, OURS)


def is_passing(error: BaseException) -> bool:
    """Say whether PostgreSQL undid this one for another's sake, so that the same goes well a moment later."""
    return getattr(error.__cause__, "sqlstate", None) in GAVE_WAY


def sentence_for(error: BaseException) -> str:
    """Return one sentence for an error of Django's database layer."""
    database = current().database
    reason = " ".join(str(error).split()) or type(error).__name__
    lower = reason.lower()
    if is_passing(error):
        template = CROSSED
    elif "no such table" in lower or "no such column" in lower or ("does not exist" in lower and "relation" in lower):
        template = LACKS_TABLES
    elif database.engine == "sqlite":
        template = next((said for sign, said in SQLITE if sign in lower), SQLITE_ELSE)
    else:
        template = _postgresql(lower)
    return template.format(place=database.place, reason=_short(reason))


def _postgresql(lower: str) -> str:
    table = POSTGRESQL_MISSING if "does not exist" in lower else POSTGRESQL
    return next((said for sign, said in table if sign in lower), POSTGRESQL_ELSE)


def _short(reason: str) -> str:
    """Return the first thing that libpq says; it repeats itself for every IP of a host."""
    return reason.partition(" Is the server running")[0].partition(" Multiple connection attempts")[0].rstrip(".")[:300]
