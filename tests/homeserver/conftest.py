"""The worlds of the contract suite, as fixtures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from dev.proxy import ChaosProxy
from dev.synapse import Synapse
from tests.homeserver.mas_world import MasWorld, mas_world
from tests.homeserver.worlds import MemoryWorld, SynapseWorld, World
from tests.support.native import NATIVE
from tests.support.need import need
from tests.support.synapse import CREDENTIALS

KINDS = [
    *(pytest.param(("memory", credentials), id=f"memory-{credentials}") for credentials in CREDENTIALS),
    *(
        pytest.param(("synapse", credentials), id=f"synapse-{credentials}", marks=pytest.mark.synapse)
        for credentials in CREDENTIALS
    ),
    *(pytest.param(("mas", credentials), id=f"mas-{credentials}") for credentials in ("client", "token")),
]
OF_ADMINS = [kind for kind in KINDS if str(kind.id).endswith(("token", "both"))]


def _make(request: pytest.FixtureRequest) -> World:
    kind, credentials = request.param
    if kind == "memory":
        return MemoryWorld(credentials)
    if kind == "mas":
        worlds: Callable[[str], MasWorld] = request.getfixturevalue("mas_worlds")
        return worlds(credentials)
    return SynapseWorld(credentials, request.getfixturevalue("synapse"), request.getfixturevalue("chaos"))


@pytest.fixture
def mas_worlds() -> Iterator[Callable[[str], MasWorld]]:
    """Make worlds of a Matrix Authentication Service, by credentials; the test fails for what nobody may ask there."""
    with ExitStack() as stack:
        yield lambda credentials: stack.enter_context(mas_world(credentials))


@pytest.fixture(params=KINDS)
def world(request: pytest.FixtureRequest) -> World:
    """Every homeserver with every kind of credentials."""
    return _make(request)


@pytest.fixture(params=OF_ADMINS)
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


@pytest.fixture(scope="module")
def native_synapse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Synapse]:
    """A Synapse where clients register by themselves, with a token."""
    need("synapse")
    with Synapse.start(tmp_path_factory.mktemp("synapse"), extra_config=NATIVE) as running:
        yield running


@pytest.fixture(params=[kind for kind in OF_ADMINS if "mas" not in str(kind.id)])
def token_world(request: pytest.FixtureRequest) -> Iterator[World]:
    """Those that keep registration tokens, and let clients register with them."""
    kind, credentials = request.param
    if kind == "memory":
        yield MemoryWorld(credentials)
        return
    synapse = request.getfixturevalue("native_synapse")
    with ChaosProxy(synapse.url) as chaos:
        yield SynapseWorld(credentials, synapse, chaos)
