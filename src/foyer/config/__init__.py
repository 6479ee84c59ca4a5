"""Every setting of the owner's, read once per process.

`current()` is the configuration that the process runs under; nothing else reads files or the environment.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from foyer.config.schema import Config

_current: Config | None = None
_on_change: list[Callable[[], None]] = []


def current() -> Config:
    """Return this process's configuration, reading it on the first call.

    Raises:
        ConfigError: it is missing or wrong; the text says what to do.
    """
    global _current
    if _current is None:
        from foyer.config.load import find, load  # the schema is heavy; `foyer --help` does without it

        path = os.environ.get("FOYER_CONFIG")
        _current = load(find(Path(path) if path else None))
    return _current


def on_change(forget: Callable[[], None]) -> Callable[[], None]:
    """Register (as a decorator) what drops something that was made from the configuration."""
    _on_change.append(forget)
    return forget


@contextlib.contextmanager
def override(config: Config) -> Iterator[Config]:
    """Run under another configuration for a while. For tests and `doctor`; the database stays the same."""
    global _current
    before, _current = _current, config
    try:
        for forget in _on_change:
            forget()
        yield config
    finally:
        _current = before
        for forget in _on_change:
            forget()
