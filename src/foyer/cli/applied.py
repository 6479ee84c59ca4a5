"""Whether an SQLite database is as this version needs it, found out without Django.

Loading Django and every migration takes half a second, for which the door would stay closed at each start, and nearly
always to find that there is nothing to do.
"""

from __future__ import annotations

import importlib.util
import os
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

Migration = tuple[str, str]

# Entries of INSTALLED_APPS whose migrations do not lie beside them.
ELSEWHERE = {
    "foyer.staff.apps.AllauthConfig": "allauth.account",
    "foyer.staff.apps.SecondFactorConfig": "allauth.mfa",
}


def is_up_to_date(database: Path, apps: Iterable[str]) -> bool:
    """Say whether all that these apps bring was applied, and nothing that they do not know.

    False also where that cannot be told: then Django is asked, and says what is wrong.
    """
    if not os.access(database, os.W_OK):
        return False
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=rw", uri=True)) as connection:
            applied = set(connection.execute("SELECT app, name FROM django_migrations"))
    except sqlite3.Error:
        return False
    return applied == on_disk(apps)


def on_disk(apps: Iterable[str]) -> set[Migration]:
    """Return the migrations of these entries of INSTALLED_APPS: app and name, as Django writes them down."""
    return {migration for app in apps for migration in _of(ELSEWHERE.get(app) or app.partition(".apps.")[0])}


def _of(package: str) -> set[Migration]:
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        return set()
    files = Path(found.origin).parent.glob("migrations/[!_~]*.py")
    return {(package.rpartition(".")[2], file.stem) for file in files}
