"""A real homeserver for tests: one for all tests of a worker, or one of a test's own to stop and to kill."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from dev.proxy import ChaosProxy
from dev.synapse import SERVER_NOTICES, Synapse
from tests.support.need import need

CREDENTIALS = ("secret", "token", "both")
"""The kinds of credentials that an owner may give Foyer."""


def homeserver_keys(synapse: Synapse, credentials: str, *, url: str | None = None) -> dict[str, Any]:
    """The keys of the configuration's `homeserver` for this server, by credentials; `url` may be a proxy's.

    One server does for all kinds: what Foyer may do is decided by what Foyer holds.
    """
    keys: dict[str, Any] = {"kind": "synapse", "url": url or synapse.url}
    if credentials in ("secret", "both"):
        keys["registration_shared_secret"] = synapse.shared_secret
    if credentials in ("token", "both"):
        keys["admin_token"] = synapse.admin_token
    return keys


@pytest.fixture(scope="session")
def synapse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Synapse]:
    """A Synapse that all tests of this worker share. Leave it running, and use names of your own."""
    need("synapse")
    with Synapse.start(tmp_path_factory.mktemp("synapse"), extra_config=SERVER_NOTICES) as running:
        yield running


@pytest.fixture
def own_synapse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Synapse]:
    """A Synapse for one test alone: it may be stopped, killed and paused. It takes some seconds; prefer `chaos`."""
    need("synapse")
    with Synapse.start(tmp_path_factory.mktemp("synapse"), extra_config=SERVER_NOTICES) as running:
        yield running


@pytest.fixture
def chaos(synapse: Synapse) -> Iterator[ChaosProxy]:
    """A proxy before the shared Synapse, to be told how to misbehave."""
    with ChaosProxy(synapse.url) as running:
        yield running


@pytest.fixture(params=CREDENTIALS)
def credentials(request: pytest.FixtureRequest) -> str:
    """Run the test once with each kind of credentials."""
    return str(request.param)
