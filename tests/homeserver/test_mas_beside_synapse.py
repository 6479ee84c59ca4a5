"""A real Synapse that leaves its accounts to the double of the service: what it switches off, what it still does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

import pytest

from dev import processes
from dev.proxy import ChaosProxy, Status
from dev.synapse import ADMIN, SERVER_NOTICES, Synapse
from foyer.homeserver.errors import (
    Busy,
    Misconfigured,
    NameRefused,
    NameTaken,
    RoomRefused,
    Unreachable,
)
from foyer.homeserver.http import Client
from foyer.homeserver.mas import Mas
from foyer.homeserver.port import Level
from foyer.homeserver.synapse import Synapse as OrdinarySynapse
from tests.homeserver.mas_double import CLIENT_ID, CLIENT_SECRET, MasDouble
from tests.homeserver.worlds import PASSWORD, new_name
from tests.support.need import need

pytestmark = [pytest.mark.synapse]
ADMIN_TOKEN = "mct_admin"
TIMEOUT = timedelta(seconds=20)


@dataclass
class Pair:
    """Both servers, and a proxy before Synapse that remembers what it was asked."""

    mas: MasDouble
    mas_url: str
    synapse: Synapse
    seen: ChaosProxy

    def adapter(self, token: str | None = ADMIN_TOKEN) -> Mas:
        return Mas(
            client=Client(self.seen.url, timeout=TIMEOUT),
            mas_client=Client(self.mas_url, timeout=TIMEOUT, key="homeserver.mas.url"),
            server_name="localhost",
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            admin_token=token,
        )

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, str]:
        status, answer = self.synapse.request(method, path, body, token=ADMIN_TOKEN)
        return status, str(answer.get("errcode", ""))

    def has(self, localpart: str) -> bool:
        path = f"/_synapse/mas/is_localpart_available?localpart={quote(localpart)}"
        return self.synapse.request("GET", path, token=self.mas.secret)[0] != 200

    def provision(self, localpart: str) -> None:
        status, answer = self.synapse.request(
            "POST", "/_synapse/mas/provision_user", {"localpart": localpart}, token=self.mas.secret
        )
        assert status in (200, 201), answer

    def make_device(self, localpart: str, device: str) -> None:
        body = {"localpart": localpart, "device_id": device}
        status, answer = self.synapse.request("POST", "/_synapse/mas/upsert_device", body, token=self.mas.secret)
        assert status in (200, 201), answer


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Start a Synapse, make its admin, then hand its accounts over to the double."""
    need("synapse")
    mas = MasDouble()
    with (
        mas.start() as listener,
        Synapse.start(tmp_path_factory.mktemp("synapse"), extra_config=SERVER_NOTICES) as synapse,
        ChaosProxy(synapse.url) as seen,
    ):
        synapse.config |= {
            "matrix_authentication_service": {"enabled": True, "endpoint": listener.url, "secret": mas.secret},
            "enable_registration": False,
            "password_config": {"enabled": False},
        }
        synapse.restart()
        pair = Pair(mas, listener.url, synapse, seen)
        mas.homeserver_has, mas.provision, mas.make_device = pair.has, pair.provision, pair.make_device
        pair.make_device(ADMIN, "ADMINDEVICE")
        mas.admins[ADMIN_TOKEN] = ADMIN
        yield pair
    assert mas.wrongs == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/_synapse/admin/v1/register"),
        ("GET", "/_matrix/client/v3/login"),
        ("GET", "/_matrix/client/v3/register/available?username=maria"),
        ("GET", "/_synapse/admin/v1/registration_tokens"),
        ("GET", f"/_synapse/admin/v1/users/@{ADMIN}:localhost/admin"),
        ("POST", f"/_synapse/admin/v1/reset_password/@{ADMIN}:localhost"),
    ],
)
def test_synapse_has_switched_off_what_the_service_does(both: Pair, method: str, path: str) -> None:
    status, _errcode = both.ask(method, path, {} if method == "POST" else None)

    assert status == 404


def test_synapse_lets_nobody_make_an_account_past_the_service(both: Pair) -> None:
    body = {"password": PASSWORD}

    assert both.ask("PUT", f"/_synapse/admin/v2/users/@{new_name()}:localhost", body)[0] == 403


def test_synapse_does_not_take_the_clients_own_access_token(both: Pair) -> None:
    homeserver = both.adapter()
    homeserver.look_up("nobody")
    token = next(iter(both.mas._access))

    status, _answer = both.synapse.request("GET", "/_matrix/client/v3/account/whoami", token=token)

    assert status in (401, 500)
    assert both.synapse.request("GET", "/_synapse/admin/v1/username_available?username=x", token=token)[0] in (401, 500)


def test_accounts_names_rooms_and_messages_work_with_both(both: Pair) -> None:
    homeserver, name = both.adapter(), new_name()
    homeserver.check_name(name)
    homeserver.create(name, PASSWORD)
    _status, room = both.synapse.request(
        "POST", "/_matrix/client/v3/createRoom", {"preset": "private_chat", "room_alias_name": name}, token=ADMIN_TOKEN
    )

    for _ in range(2):
        homeserver.join(name, f"#{name}:localhost")
    homeserver.say(name, "Welcome!")
    homeserver.say_in_room(room["room_id"], "Somebody is here.", key="1")

    joined = both.synapse.request("GET", f"/_synapse/admin/v1/users/@{name}:localhost/joined_rooms", token=ADMIN_TOKEN)[
        1
    ]["joined_rooms"]
    assert room["room_id"] in joined
    with pytest.raises(NameTaken):
        homeserver.check_name(name)
    assert both.adapter(token=None).exists(name)
    with pytest.raises(RoomRefused):
        homeserver.join(name, "#no-such-room:localhost")


def test_say_without_server_notices_is_a_direct_message(both: Pair) -> None:
    homeserver, name = both.adapter(), new_name()
    homeserver.create(name, PASSWORD)
    answer = '{"errcode": "M_UNKNOWN", "error": "Server notices are not enabled on this server"}'
    both.seen.add(Status(400, answer), "PUT", "/send_server_notice/")
    homeserver.say(name, "Welcome!")
    both.seen.clear()

    rooms = both.synapse.request(
        "GET", f"/_matrix/client/v3/user/@{ADMIN}:localhost/account_data/m.direct", token=ADMIN_TOKEN
    )[1]
    assert len(rooms[f"@{name}:localhost"]) == 1


def test_name_that_only_synapse_has_is_taken_for_everybody(both: Pair) -> None:
    with pytest.raises(NameTaken):
        both.adapter().check_name(ADMIN)
    with pytest.raises(NameTaken):
        both.adapter(token=None).check_name(ADMIN)
    with pytest.raises(NameRefused):
        both.adapter().create(ADMIN, PASSWORD)


def test_deeds_wait_until_synapse_is_told(both: Pair) -> None:
    homeserver, name = both.adapter(), new_name()
    provision, both.mas.provision = both.mas.provision, lambda _name: None
    homeserver.create(name, PASSWORD)
    both.mas.provision = provision

    with pytest.raises(Busy):
        homeserver.say(name, "Welcome!")

    both.provision(name)
    homeserver.say(name, "Welcome!")


def test_synapse_does_not_start_with_consent_beside_the_service(both: Pair) -> None:
    both.synapse.config["user_consent"] = {"version": "1.0", "template_dir": str(both.synapse.directory)}

    with pytest.raises(processes.NotReady) as error:
        both.synapse.restart()

    assert "User consent cannot be enabled when OAuth delegation is enabled" in str(error.value)
    del both.synapse.config["user_consent"]
    both.synapse.restart()


def test_sign_in_gives_a_token_that_synapse_takes(both: Pair) -> None:
    name = new_name()

    token = both.adapter().create(name, PASSWORD, sign_in=True).access_token

    status, me = both.synapse.request("GET", "/_matrix/client/v3/account/whoami", token=token)
    assert (status, me["user_id"]) == (200, f"@{name}:localhost")


def test_probe_finds_nothing_and_asks_for_nothing_that_is_switched_off(both: Pair) -> None:
    both.seen.clear()

    probe = both.adapter().probe()

    assert [finding for finding in probe.findings if finding.level is not Level.OK] == []
    assert sorted({(seen.method, seen.path.partition("?")[0]) for seen in both.seen.seen}) == [
        ("GET", "/_matrix/client/v1/auth_metadata"),
        ("GET", "/_matrix/client/v3/account/whoami"),
        ("GET", "/_matrix/client/versions"),
        ("GET", "/_synapse/admin/v1/username_available"),
    ]


def test_probe_with_a_token_of_no_admin_is_a_fault(both: Pair) -> None:
    name = new_name()
    token = both.adapter().create(name, PASSWORD, sign_in=True).access_token

    faults = [finding.remedy for finding in both.adapter(token).probe().findings if finding.level is Level.FAULT]

    assert len(faults) == 1
    assert "mas-cli manage issue-compatibility-token" in faults[0]


def test_probe_with_a_token_without_a_device_warns_that_nothing_can_be_said(both: Pair) -> None:
    homeserver, name = both.adapter("mct_without_device"), new_name()
    both.mas.admins["mct_without_device"], both.mas.admin_device = ADMIN, None
    homeserver.create(name, PASSWORD)

    (fault,) = [finding for finding in homeserver.probe().findings if finding.level is not Level.OK]
    with pytest.raises(Unreachable):
        homeserver.say(name, "Welcome!")  # Synapse answers 500

    both.mas.admin_device = "ADMINDEVICE"
    assert fault.sentence == "The admin token belongs to no device. Synapse sends no messages for it."


def test_kind_synapse_at_such_a_server_is_told_which_kind_it_is(both: Pair) -> None:
    homeserver = OrdinarySynapse(Client(both.synapse.url, timeout=TIMEOUT), "localhost", "secret", ADMIN_TOKEN)

    (fault,) = [finding for finding in homeserver.probe().findings if finding.level is Level.FAULT]
    with pytest.raises(Misconfigured) as error:
        homeserver.create(new_name(), PASSWORD)

    assert "Set homeserver.kind: mas" in fault.remedy
    assert "Set homeserver.kind: mas" in error.value.remedy
