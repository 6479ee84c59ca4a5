"""What the tests of the pages share: invitations, a running site, and compiled translations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dev.messages import compile_catalogues
from dev.site import Site
from foyer.homeserver.memory import MemoryHomeserver
from foyer.invites import services
from foyer.invites.models import Invite
from foyer.invites.services import NewInvite
from foyer.kit.actor import Actor
from tests.conftest import Configure

MakeInvite = Callable[..., Invite]
CODE = "UnwindTrophy"


@pytest.fixture(scope="session", autouse=True)
def translations() -> None:
    """Compile what is older than its source."""
    compile_catalogues()


@pytest.fixture(scope="session")
def base_url() -> None:
    """Stand in for pytest-base-url's own, whose kind of fixture pytest 9.2 warns of. Sites tell their own URL."""


@pytest.fixture
def make_invite(db: None) -> MakeInvite:
    """Return `make_invite(**facts)`; facts that only use brings about (used, held, revoked_at) may be given too."""

    def make(**facts: Any) -> Invite:
        late = {name: facts.pop(name) for name in ("used", "held", "revoked_at") if name in facts}
        made = services.create(NewInvite(**{"code": CODE, **facts}), actor=Actor.command_line())
        if late:
            Invite.objects.filter(id=made.id).update(**late)
        return Invite.objects.get(id=made.id)

    return make


@pytest.fixture
def invite(make_invite: MakeInvite) -> Invite:
    """An invitation for one person."""
    return make_invite()


@pytest.fixture
def site(transactional_db: None, configure: Configure, homeserver: MemoryHomeserver) -> Iterator[Site]:
    """Foyer as it is served, on a port of its own, with a homeserver in memory."""
    with Site() as running:
        yield running
