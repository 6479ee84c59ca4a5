"""A PostgreSQL server for tests that stop it, or need several databases of it."""

from __future__ import annotations

import pytest

from dev.postgres import Postgres
from tests.support.database import own_server
from tests.support.need import need


@pytest.fixture(scope="session")
def postgres() -> Postgres:
    """A server of this process's own."""
    need("postgresql")
    return own_server()
