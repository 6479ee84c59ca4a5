"""Where the configuration comes from, and what it leaves closed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from foyer.cli.doctor.findings import Finding, ok, warning

if TYPE_CHECKING:
    from foyer.config.schema import Config


def read() -> Config:
    """Return the configuration.

    Raises:
        ConfigError
    """
    from foyer.config import current

    return current()


def look(config: Config) -> Iterator[Finding]:
    """Yield what is found."""
    from foyer.config.environment import is_key
    from foyer.config.load import find

    path = find()
    keys = sorted(filter(is_key, os.environ))
    over = f", with {', '.join(keys)} from the environment" if keys else ""
    yield ok(f"{path.absolute()}{over}." if path else f"From the environment: {', '.join(keys)}.")
    if path is not None:
        yield from _who_can_read(path)
    if lacking := config.application_lacks:
        yield ok(f"People come by invitation only: for applications {' and '.join(lacking)} would be needed.")


def _who_can_read(path: Path) -> Iterator[Finding]:
    try:
        mode = path.stat().st_mode
    except OSError:
        return
    if mode & stat.S_IROTH:
        yield warning(f"Everybody on this machine can read {path}, and it holds secrets.", f"Run `chmod 600 {path}`.")
