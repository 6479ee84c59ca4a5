"""What `foyer doctor` is told."""

from __future__ import annotations

import pytest

from dev.proxy import ChaosProxy, Status
from dev.synapse import Synapse as RealSynapse
from foyer.homeserver.http import Client
from foyer.homeserver.memory import MemoryHomeserver
from foyer.homeserver.port import Level, Probe
from foyer.homeserver.synapse import Synapse
from tests.homeserver.worlds import PASSWORD, TIMEOUT, SynapseWorld, adapter, new_name

pytestmark = pytest.mark.synapse


def _levels(probe: Probe) -> list[Level]:
    return [finding.level for finding in probe.findings]


def _troubles(probe: Probe) -> list[tuple[str, str]]:
    return [(finding.sentence, finding.remedy) for finding in probe.findings if finding.level is not Level.OK]


def test_probe_with_both_credentials_finds_nothing_and_makes_nothing(synapse: RealSynapse, chaos: ChaosProxy) -> None:
    before = len(synapse.users())

    probe = adapter(synapse, "both", url=chaos.url).probe()

    assert probe.is_sound
    assert _troubles(probe) == []
    assert probe.version is not None
    assert probe.version.startswith("1.")
    assert len(synapse.users()) == before
    assert [finding.sentence for finding in probe.findings[1:3]] == [
        "The registration shared secret is right.",
        "The admin token is that of @foyer-admin:localhost, an admin.",
    ]


def test_probe_with_one_credential_says_what_the_other_would_give(synapse: RealSynapse) -> None:
    secret, token = (adapter(synapse, credentials).probe() for credentials in ("secret", "token"))

    assert secret.is_sound
    assert token.is_sound
    assert [remedy for _, remedy in _troubles(secret)] == [
        "Put the access token of an admin of the homeserver into homeserver.admin_token."
    ]
    assert _troubles(token) == []
    assert "homeserver.registration_shared_secret" in token.findings[2].sentence


def test_probe_without_credentials_is_a_fault(synapse: RealSynapse) -> None:
    probe = Synapse(Client(synapse.url, timeout=TIMEOUT), "localhost").probe()

    assert not probe.is_sound
    assert "homeserver.registration_shared_secret" in _troubles(probe)[0][1]


def test_probe_with_wrong_credentials_names_each(synapse: RealSynapse) -> None:
    probe = Synapse(Client(synapse.url, timeout=TIMEOUT), "localhost", "wrong", "wrong").probe()

    assert _levels(probe)[:3] == [Level.OK, Level.FAULT, Level.FAULT]
    (_, secret_remedy), (_, token_remedy) = _troubles(probe)
    assert secret_remedy.startswith("homeserver.registration_shared_secret is wrong.")
    assert "homeserver.admin_token" in token_remedy


def test_probe_with_a_token_of_no_admin_is_a_fault(synapse: RealSynapse) -> None:
    name = new_name()
    synapse.register(name, PASSWORD)
    token = synapse.login(name, PASSWORD)[1]["access_token"]

    probe = Synapse(Client(synapse.url, timeout=TIMEOUT), "localhost", None, token).probe()

    assert [remedy for _, remedy in _troubles(probe)] == [
        "The account of homeserver.admin_token is not an admin of the homeserver. Use an admin's access token."
    ]


def test_probe_with_another_server_name_says_the_right_one(synapse: RealSynapse) -> None:
    probe = Synapse(Client(synapse.url, timeout=TIMEOUT), "example.org", None, synapse.admin_token).probe()

    assert _troubles(probe) == [
        (
            "The homeserver calls itself localhost, and server_name is example.org.",
            "Set server_name: localhost.",
        )
    ]


def test_probe_of_a_server_that_is_down_is_one_fault_with_a_remedy(synapse: RealSynapse, chaos: ChaosProxy) -> None:
    chaos.refuse()

    probe = adapter(synapse, "both", url=chaos.url).probe(["#lobby:localhost"])

    assert probe.version is None
    ((sentence, remedy),) = _troubles(probe)
    assert sentence.startswith(f"The homeserver at {chaos.url} does not answer (")
    assert "homeserver.url" in remedy


def test_probe_of_something_else_is_one_fault(synapse: RealSynapse, chaos: ChaosProxy) -> None:
    chaos.add(Status(404, "<html>nginx</html>"))

    probe = adapter(synapse, "both", url=chaos.url).probe()

    ((sentence, _remedy),) = _troubles(probe)
    assert sentence == f"The homeserver at {chaos.url} cannot be used."


def test_probe_where_mas_makes_the_accounts_is_one_fault(synapse: RealSynapse, chaos: ChaosProxy) -> None:
    chaos.add(Status(200, '{"issuer": "https://auth.example.org/"}'), "GET", "/auth_metadata$")

    probe = adapter(synapse, "both", url=chaos.url).probe()

    ((_sentence, remedy),) = _troubles(probe)
    assert remedy.startswith("The Matrix Authentication Service makes the accounts")


def test_probe_where_nobody_signs_in_by_password_is_a_fault(synapse: RealSynapse, chaos: ChaosProxy) -> None:
    chaos.add(Status(200, '{"flows": [{"type": "m.login.sso"}]}'), "GET", "/login$")

    probe = adapter(synapse, "both", url=chaos.url).probe()

    ((sentence, remedy),) = _troubles(probe)
    assert sentence == "The homeserver lets nobody sign in with a password."
    assert "password_config.enabled" in remedy


def test_probe_when_busy_half_way_warns(synapse: RealSynapse, chaos: ChaosProxy) -> None:
    chaos.add(Status(429), "POST", "/v1/register$")
    chaos.add(Status(500), "GET", "/whoami$")

    probe = adapter(synapse, "both", url=chaos.url).probe()

    assert probe.is_sound
    assert _levels(probe)[1:3] == [Level.WARNING, Level.WARNING]


def test_probe_of_rooms_tells_which_cannot_be_joined(synapse: RealSynapse, chaos: ChaosProxy) -> None:
    world = SynapseWorld("both", synapse, chaos)
    names = [new_name("room") for _ in range(4)]
    public, private, closed, quiet = (f"#{name}:localhost" for name in names)
    world.make_room(names[0], public=True, admin_is_in=False)
    world.make_room(names[1], public=False)
    world.make_room(names[2], public=False, admin_is_in=False)
    quiet_id = world.make_room(names[3], public=False, admin_is_in=False)
    _let_in_without_power(synapse, quiet_id)

    probe = world.homeserver.probe([public, private, closed, quiet, "#missing:localhost"])

    assert _levels(probe)[-5:] == [Level.OK, Level.OK, Level.FAULT, Level.FAULT, Level.FAULT]
    assert "with the right to invite" in probe.findings[-2].remedy
    assert "There is no room #missing:localhost" in probe.findings[-1].remedy


def test_probe_of_the_double_is_sound() -> None:
    assert MemoryHomeserver().probe().is_sound


def _let_in_without_power(synapse: RealSynapse, room_id: str) -> None:
    """Make the admin a member of somebody else's room in which members may not invite."""
    state = synapse.admin("GET", f"/_synapse/admin/v1/rooms/{room_id}/state")[1]["state"]
    owner = next(event["sender"] for event in state if event["type"] == "m.room.create")
    name = owner[1:].partition(":")[0]
    token = synapse.login(name, PASSWORD)[1]["access_token"]
    levels = next(event["content"] for event in state if event["type"] == "m.room.power_levels")
    path = f"/_matrix/client/v3/rooms/{room_id}"
    for method, route, body in (
        ("PUT", "/state/m.room.power_levels", {**levels, "invite": 50}),
        ("POST", "/invite", {"user_id": "@foyer-admin:localhost"}),
    ):
        assert synapse.request(method, path + route, body, token=token)[0] == 200
    assert synapse.admin("POST", f"{path}/join", {})[0] == 200
