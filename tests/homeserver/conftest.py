"""The worlds of the contract suite, as fixtures."""

from __future__ import annotations

import pytest

from tests.homeserver.worlds import MemoryWorld, SynapseWorld, World
from tests.support.synapse import CREDENTIALS

KINDS = [
    *(pytest.param(("memory", credentials), id=f"memory-{credentials}") for credentials in CREDENTIALS),
    *(
        pytest.param(("synapse", credentials), id=f"synapse-{credentials}", marks=pytest.mark.synapse)
        for credentials in CREDENTIALS
    ),
]


def _make(request: pytest.FixtureRequest) -> World:
    kind, credentials = request.param
    if kind == "memory":
        return MemoryWorld(credentials)
    return SynapseWorld(credentials, request.getfixturevalue("synapse"), request.getfixturevalue("chaos"))


@pytest.fixture(params=KINDS)
def world(request: pytest.FixtureRequest) -> World:
    """Every homeserver with every kind of credentials."""
    return _make(request)


@pytest.fixture(params=[kind for kind in KINDS if "secret" not in str(kind.id)])
def admin_world(request: pytest.FixtureRequest) -> World:
    """Those that hold an admin token."""
    return _make(request)


@pytest.fixture(params=[kind for kind in KINDS if "secret" in str(kind.id)])
def secret_world(request: pytest.FixtureRequest) -> World:
    """Those that hold the shared secret alone."""
    return _make(request)


@pytest.fixture(params=[kind for kind in KINDS if "token" in str(kind.id)])
def two_step_world(request: pytest.FixtureRequest) -> World:
    """Those that make an account in two steps."""
    return _make(request)
