"""Opening a backup, and making sure that it is whole before anything is touched."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.apps.registry import Apps
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.models import Model

from foyer.cli.archive import rows
from foyer.cli.archive.manifest import MANIFEST, SECRET_KEY, Manifest, path_of
from foyer.cli.errors import CommandFailed

DAMAGED = "{path} is damaged, or is no backup of Foyer's. Nothing was changed; take another backup."
NEWER = "{path} was made by a newer Foyer ({version}). Nothing was changed; install that version, then restore it."
BROKEN = (zipfile.BadZipFile, zlib.error, ValueError, KeyError, EOFError, NotImplementedError, RuntimeError)


class Backup:
    """An open backup file."""

    def __init__(self, path: Path, archive: zipfile.ZipFile, manifest: Manifest) -> None:
        self.path, self._archive, self.manifest = path, archive, manifest

    @classmethod
    def open(cls, path: Path) -> Backup:
        """Open a file.

        Raises:
            CommandFailed: it is none, is damaged, or comes from a newer version.
            OSError: it cannot be read.
        """
        try:
            archive = zipfile.ZipFile(path)
            manifest = Manifest.from_bytes(archive.read(MANIFEST))
            broken = archive.testzip()
        except BROKEN:
            raise CommandFailed(DAMAGED.format(path=path)) from None
        if broken is not None:
            raise CommandFailed(DAMAGED.format(path=path))
        backup = cls(path, archive, manifest)
        backup._refuse_newer()
        return backup

    def _refuse_newer(self) -> None:
        known = {f"{app}.{name}" for app, name in MigrationLoader(connection).disk_migrations}
        if set(self.manifest.migrations) - known:
            raise CommandFailed(NEWER.format(path=self.path, version=self.manifest.foyer))

    def check(self, apps: Apps) -> None:
        """Read every row once, as the models of `apps` have them.

        Raises:
            CommandFailed: it does not hold what it says.
        """
        try:
            known = rows.tables(apps)
            if set(self.manifest.rows) != set(known):
                raise ValueError("other tables")
            for table, model in known.items():
                if sum(1 for _ in self.rows(table, model)) != self.manifest.rows[table]:
                    raise ValueError("other rows")
        except BROKEN:
            raise CommandFailed(DAMAGED.format(path=self.path)) from None

    def rows(self, table: str, model: type[Model]) -> Iterator[dict[str, Any]]:
        """Yield the rows of a table.

        Raises:
            ValueError: one of them is none.
        """
        with self._archive.open(path_of(table)) as member:
            for line in member:
                yield rows.from_line(model, line)

    @property
    def secret_key(self) -> str | None:
        """Return the key that was kept beside the database; None where foyer.yaml had it."""
        if SECRET_KEY not in self._archive.namelist():
            return None
        return self._archive.read(SECRET_KEY).decode("ascii")
