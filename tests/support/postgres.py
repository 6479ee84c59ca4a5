"""A PostgreSQL server for tests: the one that scripts/test started, else one of our own."""

from __future__ import annotations

import atexit
import functools
import os
import tempfile
from pathlib import Path

import pytest

from dev.postgres import Postgres
from tests.support.need import need


@functools.cache
def server_url() -> str:
    """The address of a PostgreSQL server's own database `postgres`; its user may create databases.

    Started on the first call where scripts/test did not start one, and stopped when this process ends.
    """
    if given := os.environ.get("FOYER_TEST_POSTGRESQL_URL"):
        return given
    return _start().url()


@pytest.fixture(scope="session")
def postgres() -> Postgres:
    """A server for tests that stop it, or need several databases of it."""
    need("postgresql")
    return _start()


@functools.cache
def _start() -> Postgres:
    server = Postgres.start(Path(tempfile.mkdtemp(prefix="foyer-tests-")))
    atexit.register(server.stop)
    return server
