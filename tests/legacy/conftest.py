"""What the tests of the predecessor's routes share: an asker, tokens, and the words that they compare with."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from foyer.homeserver.memory import MemoryHomeserver
from foyer.invites import services
from foyer.invites.models import Invite
from foyer.invites.services import NewInvite
from foyer.kit.actor import Actor
from tests.conftest import Configure

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer

SECRET = "the secret that scripts have"
MakeInvite = Callable[..., Invite]


@pytest.fixture
def make_invite(db: None) -> MakeInvite:
    """Return `make_invite(**facts)`; facts that only use brings about (used, held, revoked_at) may be given too."""

    def make(**facts: Any) -> Invite:
        late = {name: facts.pop(name) for name in ("used", "held", "revoked_at") if name in facts}
        made = services.create(NewInvite(**{"code": "DoubleWizardSki", **facts}), actor=Actor.command_line())
        if late:
            Invite.objects.filter(id=made.id).update(**late)
        return Invite.objects.get(id=made.id)

    return make


@pytest.fixture(scope="session")
def base_url() -> None:
    """Stand in for pytest-base-url's own, whose kind of fixture pytest 9.2 warns of. Sites tell their own URL."""


@dataclass
class Asker:
    """Asks the API with the right secret, or with another Authorization header."""

    client: Client
    authorization: str = f"SharedSecret {SECRET}"

    def __call__(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """Send JSON, or bytes as they are."""
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        known = {"Authorization": self.authorization, **headers}
        return self.client.generic(method, path, raw, content_type="application/json", headers=known)


@pytest.fixture
def ask(db: None, client: Client, configure: Configure, homeserver: MemoryHomeserver) -> Asker:
    """Ask the API of a Foyer whose secret is SECRET."""
    configure(api={"legacy_shared_secret": SECRET})
    return Asker(client)
