"""The secret key that Foyer made for itself goes with the rows that were signed under it."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from foyer.config.schema import Config
from foyer.config.secret import key_path
from foyer.kit.codes import digests_match


@contextlib.contextmanager
def replaced(config: Config, key: str | None) -> Iterator[Callable[[], None]]:
    """Yield what puts `key` in the place of the kept one; if anything fails after that, the old one is put back.

    Nothing happens where `key` is None, or foyer.yaml has a key of its own.
    """
    if key is None or config.secret_key is not None or config.database.engine != "sqlite":
        yield lambda: None
        return
    path = key_path(Path(str(config.database.path)))
    before = path.read_text(encoding="ascii").strip()
    try:
        yield lambda: _write(path, key)
    except BaseException:
        if not digests_match(path.read_text(encoding="ascii").strip(), before):
            _write(path, before)
        raise


def _write(path: Path, key: str) -> None:
    """Write it whole before it gets its name; nobody but its owner can read it."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(f"{key}\n")
        file.flush()
        os.fsync(file.fileno())
    Path(draft).replace(path)
