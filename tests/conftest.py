"""Fixtures for everybody. `tests/support/settings.py` says on which configuration and database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

import foyer.config
from foyer.config.load import check
from foyer.config.schema import Config
from foyer.homeserver import make
from foyer.homeserver.memory import MemoryHomeserver

pytest_plugins = [
    "tests.support.browser",
    "tests.support.emptying",
    "tests.support.postgres",
    "tests.support.spread",
    "tests.support.synapse",
]

SERVER_NAME = "example.test"
VALUES: dict[str, Any] = {
    "server_name": SERVER_NAME,
    "public_url": "http://localhost:5000",
    "secret_key": "a key for tests that is long enough for every purpose",
    "homeserver": {"url": "http://127.0.0.1:9", "registration_shared_secret": "not asked"},
    # Every test asks from the same IP. Those of the limits switch them on.
    "screening": {"limits": False},
}


class Configure:
    """Run under the tests' configuration with these keys changed, until the test ends: `configure(after={…})`."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self.double: MemoryHomeserver | None = None

    def __call__(self, **keys: Any) -> Config:
        """Return the configuration that is in force from now on. A homeserver in memory stays in its place."""
        config = self._stack.enter_context(foyer.config.override(check({**VALUES, **keys})))
        if self.double is not None:
            self._stack.enter_context(make.using(self.double))
        return config


@pytest.fixture
def configure() -> Iterator[Configure]:
    """Change the configuration for one test."""
    with ExitStack() as stack:
        yield Configure(stack)


@pytest.fixture
def homeserver(configure: Configure) -> MemoryHomeserver:
    """A homeserver in memory, with every capability, in the place of the configured one."""
    configure.double = MemoryHomeserver(server_name=SERVER_NAME)
    configure()
    return configure.double
