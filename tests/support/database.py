"""The PostgreSQL server of this test run: the one that scripts/test started, else one of our own."""

from __future__ import annotations

import atexit
import functools
import os

from dev.postgres import Postgres


@functools.cache
def server_url() -> str:
    """Return the address of a server's own database `postgres`; its user may create databases.

    Started on the first call where scripts/test did not start one, and stopped when this process ends.
    """
    if given := os.environ.get("FOYER_TEST_POSTGRESQL_URL"):
        return given
    return own_server().url()


@functools.cache
def own_server() -> Postgres:
    """Start a server that this process stops when it ends."""
    server = Postgres.start()
    atexit.register(server.stop)
    return server
