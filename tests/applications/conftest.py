from __future__ import annotations

import pytest

from foyer.homeserver.memory import MemoryHomeserver
from tests.conftest import VALUES, Configure

OPEN = {
    "homeserver": {**VALUES["homeserver"], "timeout": "1s"},
    "email": {"host": "127.0.0.1", "from": "join@example.test"},
    "moderators": {"emails": ["team@example.test"]},
    "after": {"rooms": ["!1:example.test"]},
}


@pytest.fixture(autouse=True)
def door_is_open(configure: Configure, homeserver: MemoryHomeserver) -> None:
    configure(**OPEN)
    homeserver.rooms = {"!1:example.test": "!1:example.test"}


@pytest.fixture(params=["token", "both"])
def any_homeserver(request: pytest.FixtureRequest, homeserver: MemoryHomeserver) -> MemoryHomeserver:
    """One that can hold accounts."""
    homeserver.has_secret = request.param == "both"
    return homeserver
