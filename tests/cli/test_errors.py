"""What goes wrong below, in one sentence for the person at the terminal."""

from __future__ import annotations

import psycopg
import pytest
from django.core.management import CommandError
from django.db.utils import InterfaceError, OperationalError, ProgrammingError

from foyer.accounts.errors import NameReserved
from foyer.cli.errors import CommandFailed, explain
from foyer.config.errors import ConfigError, Problem
from foyer.homeserver.errors import Misconfigured
from tests.conftest import Configure

SQLITE = {
    "unable to open database file": "cannot be opened. Create its folder",
    "attempt to write a readonly database": "may not be written. Let the user that runs Foyer own",
    "database is locked": "is held by another program for too long. Try again",
    "file is not a database": "is not an SQLite database. Name another file",
    "database disk image is malformed": "is damaged. Restore a backup",
    "disk I/O error": "does not work as it should. Look at the system's log",
    "database or disk is full": "is full. Make room",
    "no such table: invites_invite": "Run `foyer migrate`",
    "no such column: invites_invite.x": "Run `foyer migrate`",
    "something nobody thought of": "does not work: something nobody thought of.",
}
POSTGRESQL = {
    'connection to server at "db", port 5432 failed: FATAL:  password authentication failed for user "foyer"': (
        "does not accept user and password"
    ),
    "connection failed: fe_sendauth: no password supplied": "wants a password",
    'connection to server at "db" failed: FATAL:  database "nope" does not exist': "has no database",
    'connection to server at "db" failed: FATAL:  role "nope" does not exist': "has no such user",
    'relation "invites_invite" does not exist\nLINE 1: SELECT': "Run `foyer migrate`",
    "permission denied for table invites_invite": "Let it own the database",
    "cannot execute UPDATE in a read-only transaction": "Name the primary server",
    "FATAL:  sorry, too many clients already": "has no connection left",
    "connection refused Is the server running on that host?": "does not answer: connection refused.",
    "could not translate host name": "does not answer: could not translate host name. Start it, or correct",
}


@pytest.mark.parametrize(("said", "means"), SQLITE.items())
def test_an_error_of_sqlite_names_file_and_remedy(configure: Configure, said: str, means: str) -> None:
    configure(database="sqlite:////srv/foyer.sqlite3")
    sentence = explain(OperationalError(said))
    assert sentence is not None
    assert "/srv/foyer.sqlite3" in sentence
    assert means in sentence


@pytest.mark.parametrize(("said", "means"), POSTGRESQL.items())
@pytest.mark.parametrize("kind", [OperationalError, ProgrammingError, InterfaceError])
def test_an_error_of_postgresql_names_the_remedy_and_no_password(
    configure: Configure, said: str, means: str, kind: type[Exception]
) -> None:
    configure(database="postgresql://foyer:the-word@db/foyer")
    sentence = explain(kind(said))
    assert sentence is not None
    assert means in sentence
    assert "the-word" not in sentence
    assert "\n" not in sentence


def test_two_that_stood_in_each_others_way_are_told_to_try_again(configure: Configure) -> None:
    configure(database="postgresql://foyer:the-word@db/foyer")
    error = OperationalError("deadlock detected\nDETAIL:  Process 1 waits for ShareLock")
    error.__cause__ = psycopg.errors.DeadlockDetected()

    sentence = explain(error)
    assert sentence is not None
    assert sentence.endswith("stood in each other's way, so PostgreSQL undid one. Try again; jobs do so by themselves.")
    assert "the-word" not in sentence


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (CommandFailed("It failed. Do this."), "It failed. Do this."),
        (NameReserved(), "This user name is reserved. Choose another one."),
        (
            Misconfigured(remedy="Mend it."),
            "This server's front door is not set up right. Please tell the person who runs it. Mend it.",
        ),
        (ConfigError([Problem("a", "1", "Mend it."), Problem("b", "2", "Too.")]), "a = 1: Mend it.\nb = 2: Too."),
        (FileNotFoundError(2, "No such file or directory", "x"), "x: No such file or directory."),
        (OSError("no port is free"), "no port is free."),
        (CommandError("Unknown."), "Unknown."),
        (KeyError("x"), None),
    ],
)
def test_each_kind_of_error_has_its_sentence(error: Exception, sentence: str | None) -> None:
    assert explain(error) == sentence
