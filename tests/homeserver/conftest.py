"""The worlds of the contract suite, as fixtures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import cast

import pytest

from dev.proxy import ChaosProxy
from dev.synapse import Synapse
from tests.homeserver.mas_world import MasWorld, mas_world
from tests.homeserver.uia_world import DOUBLES, UiaSynapseWorld, plain_world
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
PLAIN = [
    *(pytest.param(("plain", name), id=name) for name in (*DOUBLES, "dendrite", "tuwunel-alone", "tuwunel-admin")),
    pytest.param(("plain", "uia-synapse"), id="uia-synapse", marks=pytest.mark.synapse),
]
OF_TENDERS = [*OF_ADMINS, *(kind for kind in PLAIN if kind.id == "tuwunel-admin")]


def _make(request: pytest.FixtureRequest) -> World:
    kind, credentials = request.param
    if kind == "memory":
        return MemoryWorld(credentials)
    if kind == "mas":
        worlds: Callable[[str], MasWorld] = request.getfixturevalue("mas_worlds")
        return worlds(credentials)
    if kind == "plain":
        return cast("World", request.getfixturevalue("plain_worlds")(credentials))
    return SynapseWorld(credentials, request.getfixturevalue("synapse"), request.getfixturevalue("chaos"))


@pytest.fixture
def mas_worlds() -> Iterator[Callable[[str], MasWorld]]:
    """Make worlds of a Matrix Authentication Service, by credentials; the test fails for what nobody may ask there."""
    with ExitStack() as stack:
        yield lambda credentials: stack.enter_context(mas_world(credentials))


@pytest.fixture
def plain_worlds(request: pytest.FixtureRequest) -> Iterator[Callable[[str], World]]:
    """Make worlds of which Foyer is no administrator, or that are doubles of other servers, by name."""
    with ExitStack() as stack:

        def make(name: str) -> World:
            if name != "uia-synapse":
                return stack.enter_context(plain_world(name))
            real = request.getfixturevalue("native_synapse")
            return UiaSynapseWorld(stack.enter_context(ChaosProxy(real.url)), real=real)

        yield make


@pytest.fixture(params=[*KINDS, *PLAIN])
def world(request: pytest.FixtureRequest) -> World:
    """Every homeserver with every kind of credentials."""
    return _make(request)


@pytest.fixture(params=OF_ADMINS)
def admin_world(request: pytest.FixtureRequest) -> World:
    """Those that hold an admin token."""
    return _make(request)


@pytest.fixture(params=OF_TENDERS)
def tending_world(request: pytest.FixtureRequest) -> World:
    """Those that may do something for accounts that are there: passwords, emails, rooms."""
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


@pytest.fixture(params=OF_ADMINS)
def token_world(request: pytest.FixtureRequest) -> Iterator[World]:
    """Those that keep registration tokens, and let clients register with them."""
    yield from _where_clients_register(request)


@pytest.fixture(params=[kind for kind in OF_ADMINS if "mas" not in str(kind.id)])
def pending_world(request: pytest.FixtureRequest) -> Iterator[World]:
    """Those of them that count who has begun."""
    yield from _where_clients_register(request)


def _where_clients_register(request: pytest.FixtureRequest) -> Iterator[World]:
    kind, credentials = request.param
    if kind != "synapse":
        yield _make(request)
        return
    synapse = request.getfixturevalue("native_synapse")
    with ChaosProxy(synapse.url) as chaos:
        yield SynapseWorld(credentials, synapse, chaos)
