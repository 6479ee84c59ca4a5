"""matrix-registration's API answers for an invitation that is mirrored as for any."""

from __future__ import annotations

import pytest
from django.test import Client

from foyer.homeserver.memory import MemoryHomeserver
from foyer.invites import mirroring, services
from foyer.invites.models import Invite
from foyer.invites.services import NewInvite
from foyer.jobs.worker import Worker
from foyer.kit.actor import Actor
from tests.conftest import Configure
from tests.legacy.conftest import SECRET, Asker

pytestmark = [pytest.mark.django_db, pytest.mark.database]
VALIDITY = "/_matrix/client/v1/register/m.login.registration_token/validity"


@pytest.fixture
def choir(ask: Asker, homeserver: MemoryHomeserver, configure: Configure) -> Invite:
    """A mirrored invitation for two."""
    configure(api={"legacy_shared_secret": SECRET}, invitations={"mirror": True})
    made = services.create(NewInvite(code="Choir", uses_limit=2, mirror=True), actor=Actor.command_line())
    Worker().run_until_idle("homeserver")
    return made


def test_uses_at_the_homeserver_are_used(
    ask: Asker, client: Client, choir: Invite, homeserver: MemoryHomeserver
) -> None:
    for name in ("anna", "bert"):
        assert homeserver.register_natively("Choir", name, "a password")
    mirroring.sync("Choir")

    said = ask("GET", "/api/token/Choir").json()

    assert (said["used"], said["max_usage"], said["active"]) == (2, 2, False)
    assert client.get(VALIDITY, {"token": "Choir"}).json() == {"valid": False}


def test_disabling_it_withdraws_the_token_and_enabling_brings_it_back(
    ask: Asker, choir: Invite, homeserver: MemoryHomeserver
) -> None:
    assert ask("PATCH", "/api/token/Choir", {"disabled": True}).status_code == 200
    Worker().run_until_idle("homeserver")
    assert homeserver.tokens == {}

    assert ask("PATCH", "/api/token/Choir", {"disabled": False}).status_code == 200
    Worker().run_until_idle("homeserver")
    assert homeserver.tokens["Choir"].uses == 2


def test_deleting_it_deletes_the_token(ask: Asker, choir: Invite, homeserver: MemoryHomeserver) -> None:
    ask("DELETE", "/api/token/Choir")
    Worker().run_until_idle("homeserver")

    assert homeserver.tokens == {}


def test_what_it_makes_is_not_mirrored_whatever_the_house_does(
    ask: Asker, choir: Invite, homeserver: MemoryHomeserver
) -> None:
    ask("POST", "/api/token", {"max_usage": 1})
    Worker().run_until_idle("homeserver")

    assert Invite.objects.count() == 2
    assert list(homeserver.tokens) == ["Choir"]
