"""Fixtures for everybody. `tests/support/settings.py` says on which configuration and database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

import foyer.config
from foyer.config.load import check
from foyer.config.schema import Config
from foyer.homeserver import make
from foyer.homeserver.memory import MemoryHomeserver

pytest_plugins = ["tests.support.browser", "tests.support.postgres", "tests.support.synapse"]

Configure = Callable[..., Config]
SERVER_NAME = "example.test"
VALUES: dict[str, Any] = {
    "server_name": SERVER_NAME,
    "public_url": "http://localhost:5000",
    "secret_key": "a key for tests that is long enough for every purpose",
    "homeserver": {"url": "http://127.0.0.1:9", "registration_shared_secret": "not asked"},
}


@pytest.fixture
def configure() -> Iterator[Configure]:
    """Return `configure(**keys)`: run under the tests' configuration with these keys changed, until the test ends."""
    with ExitStack() as stack:

        def change(**keys: Any) -> Config:
            config = check({**VALUES, **keys})
            return stack.enter_context(foyer.config.override(config))

        yield change


@pytest.fixture
def homeserver() -> Iterator[MemoryHomeserver]:
    """A homeserver in memory, with every capability, in the place of the configured one."""
    double = MemoryHomeserver(server_name=SERVER_NAME)
    with make.using(double):
        yield double
