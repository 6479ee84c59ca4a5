"""What `foyer doctor` is told of a Matrix Authentication Service: each fault in one sentence, with its remedy."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dev.proxy import Status
from foyer.homeserver.http import Client
from foyer.homeserver.port import Level, Probe
from foyer.homeserver.synapse import Synapse
from tests.homeserver.mas_world import MasWorld
from tests.homeserver.synapse_beside_mas import NOBODYS_TOKEN
from tests.homeserver.worlds import TIMEOUT, new_name


@pytest.fixture
def mas(mas_worlds: Callable[[str], MasWorld]) -> MasWorld:
    """The service and its Synapse, with an admin token."""
    return mas_worlds("token")


def _troubles(probe: Probe) -> list[tuple[Level, str]]:
    return [(finding.level, finding.remedy) for finding in probe.findings if finding.level is not Level.OK]


def test_probe_with_everything_finds_nothing_and_changes_nothing(mas: MasWorld) -> None:
    probe = mas.homeserver.probe()

    assert _troubles(probe) == []
    assert probe.version == "v1.22.0"
    assert [finding.sentence for finding in probe.findings] == [
        f"{mas.chaos.url} answers: Matrix Authentication Service v1.22.0. Foyer's client may administer it.",
        "Passwords must be hard to guess there (passwords.minimum_complexity: 1). Foyer asks the same of newcomers.",
        (
            "Nobody registers at the service itself. Mirrored invitations (invitations.mirror) would need "
            "account.password_registration_enabled and the required registration token in its config.yaml."
        ),
        f"The homeserver at {mas.synapse_chaos.url} leaves its accounts to the service.",
        "The admin token is that of @foyer-admin:localhost, an admin.",
    ]
    assert [it["asked"].method for it in mas.mas.exchanges if it["asked"].path != "/oauth2/token"] == ["GET"] * 3


def test_probe_without_an_admin_token_says_what_it_would_give(mas_worlds: Callable[[str], MasWorld]) -> None:
    probe = mas_worlds("client").homeserver.probe()

    assert probe.is_sound
    ((level, remedy),) = _troubles(probe)
    assert level is Level.WARNING
    assert "mas-cli manage issue-compatibility-token" in remedy


@pytest.mark.parametrize(
    ("fault", "remedy"),
    [
        (lambda mas: mas.mas.clients.clear(), "homeserver.mas.client_id and homeserver.mas.client_secret"),
        (lambda mas: mas.mas.admin_clients.clear(), "policy.data.admin_clients"),
        (lambda mas: setattr(mas.mas, "has_admin_api", False), "- name: adminapi"),
        (lambda mas: mas.mas.site.update(password_login_enabled=False), "passwords.enabled: true"),
        (lambda mas: mas.mas.site.update(server_name="example.org"), "server_name: example.org"),
        (lambda mas: mas.chaos.refuse(), "homeserver.mas.url"),
        (lambda mas: mas.chaos.add(Status(404, "<html>nginx</html>")), "homeserver.mas.url"),
        (lambda mas: mas.chaos.add(Status(302, "", {"Location": "https://x.test/"})), "homeserver.mas.url"),
        (lambda mas: mas.synapse_chaos.refuse(), "homeserver.url"),
        (lambda mas: setattr(mas.synapse, "uses_mas", False), "matrix_authentication_service.enabled: true"),
    ],
    ids=["client", "scope", "no-admin-api", "passwords", "name", "down", "other", "redirect", "synapse", "no-mas"],
)
def test_probe_of_each_fault_names_what_to_do(mas: MasWorld, fault: Callable[[MasWorld], object], remedy: str) -> None:
    fault(mas)

    probe = mas.homeserver.probe()

    assert not probe.is_sound
    told = [text for level, text in _troubles(probe) if level is Level.FAULT and remedy in text]
    assert len(told) == 1
    mas.chaos.accept()
    mas.synapse_chaos.accept()


@pytest.mark.parametrize("token", [NOBODYS_TOKEN, "mct_dead"])
def test_probe_with_a_token_of_no_admin_says_how_to_get_one(mas: MasWorld, token: str) -> None:
    probe = mas.adapter(token=token).probe()

    ((level, remedy),) = _troubles(probe)
    assert level is Level.FAULT
    assert "mas-cli manage issue-compatibility-token" in remedy


def test_probe_without_the_compatibility_layer_warns(mas: MasWorld) -> None:
    mas.mas.has_compat = False

    ((level, remedy),) = _troubles(mas.homeserver.probe())

    assert level is Level.WARNING
    assert "- name: compat" in remedy


@pytest.mark.parametrize("wants_token", [False, True])
def test_probe_where_people_register_without_us_warns_unless_a_token_is_wanted(
    mas: MasWorld, *, wants_token: bool
) -> None:
    mas.mas.site |= {"password_registration_enabled": True, "password_registration_token_required": wants_token}

    troubles = _troubles(mas.homeserver.probe())

    assert [level for level, _remedy in troubles] == ([] if wants_token else [Level.WARNING])


def test_probe_when_busy_warns(mas: MasWorld) -> None:
    mas.chaos.add(Status(429), "POST", "/oauth2/token$")

    probe = mas.homeserver.probe()

    assert probe.is_sound
    assert [level for level, _remedy in _troubles(probe)] == [Level.WARNING]


def test_probe_of_rooms_tells_which_cannot_be_joined(mas: MasWorld) -> None:
    names = [new_name("room") for _ in range(3)]
    mas.make_room(names[0], public=True, admin_is_in=False)
    mas.make_room(names[1], public=False)
    mas.make_room(names[2], public=False, admin_is_in=False)

    probe = mas.homeserver.probe([*(f"#{name}:localhost" for name in names), "#missing:localhost"])

    assert [finding.level for finding in probe.findings[-4:]] == [Level.OK, Level.OK, Level.FAULT, Level.FAULT]


def test_probe_as_an_ordinary_synapse_says_which_kind_it_is(mas: MasWorld) -> None:
    probe = Synapse(Client(mas.synapse_chaos.url, timeout=TIMEOUT), "localhost", "secret").probe()

    assert [remedy for _level, remedy in _troubles(probe)] == [
        (
            "The Matrix Authentication Service makes the accounts of this homeserver. Set homeserver.kind: mas, and "
            "tell Foyer of the service in homeserver.mas."
        )
    ]
    assert mas.synapse.asked == [
        "GET /_synapse/admin/v1/server_version",
        "GET /_matrix/client/v1/auth_metadata",
    ]
