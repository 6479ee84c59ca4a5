"""The key that signs and digests, made once where the owner gave none."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from pathlib import Path

from foyer.config.errors import ConfigError, Problem

KEY_BYTES = 48


def key_path(database: Path) -> Path:
    """Return where the key of this SQLite database is kept."""
    return database.with_name(f"{database.stem}.secret-key")


def kept_key(database: Path) -> str:
    """Return the key beside an SQLite database, making it (mode 600) on the first call.

    Raises:
        ConfigError: the folder is missing, or the file cannot be read or written.
    """
    path = key_path(database)
    try:
        if not path.exists():
            _make(path)
        key = path.read_text(encoding="ascii").strip()
    except FileNotFoundError as error:
        sentence = f"The folder {path.parent} does not exist. Create it, or name another place in `database`."
        raise ConfigError([Problem("database", str(database), sentence)]) from error
    except OSError as error:
        sentence = f"{path} cannot be read or written ({error.strerror}). Let the user that runs Foyer own its folder."
        raise ConfigError([Problem("secret_key", str(path), sentence)]) from error
    if not key:
        sentence = f"{path} is empty. Restore it from a backup, or delete it: then the links sent so far stop working."
        raise ConfigError([Problem("secret_key", str(path), sentence)])
    return key


def _make(path: Path) -> None:
    """Write the key whole before it gets its name, so that no other process ever reads half of it."""
    fd, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(fd, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):  # another process was first: its key is the key
            os.link(draft, path)
    finally:
        Path(draft).unlink()
