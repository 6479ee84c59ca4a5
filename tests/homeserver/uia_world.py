"""The homeservers at which Foyer is no administrator of Synapse's kind: doubles, and a real Synapse where a client may
register by a token."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from dev.proxy import ChaosProxy, Cut, Delay, Garbage, Lose, Mode, Pass, Status
from dev.synapse import Synapse as RealSynapse
from foyer.homeserver.dendrite import Dendrite
from foyer.homeserver.http import Client
from foyer.homeserver.port import Homeserver
from foyer.homeserver.synapse import Synapse
from foyer.homeserver.tuwunel import TUWUNEL
from foyer.homeserver.uia import RegistrationServer
from tests.homeserver.client_double import DUMMY, TOKEN, ClientDouble, UiaDouble
from tests.homeserver.dendrite_double import DendriteDouble
from tests.homeserver.tuwunel_double import TuwunelDouble
from tests.homeserver.worlds import LATE_SECONDS, PASSWORD, TIMEOUT

OUR_TOKEN = "a-token-of-the-homeserver"
BUSY = '{"errcode": "M_LIMIT_EXCEEDED", "error": "Too Many Requests", "retry_after_ms": 7000}'
BROKEN = '{"errcode": "M_UNKNOWN", "error": "Internal server error"}'
REGISTER = ("POST", "/_matrix/client/v3/register$")
BY_SECRET = ("POST", "/_synapse/admin/v1/register$")


@dataclass
class Behind:
    """Something behind the chaos proxy. The request that makes an account comes after `before` others like it."""

    chaos: ChaosProxy
    making: tuple[str, str]
    before: int = 0

    tells_password_of_locked = True

    def _spoil(self, mode: Mode) -> None:
        self.chaos.add(mode, *self.making, times=1)
        if self.before:
            self.chaos.add(Pass(), *self.making, times=self.before)

    def lose_request(self) -> None:
        self._spoil(Cut())

    def lose_answer(self) -> None:
        self._spoil(Lose())

    def hang_before(self) -> None:
        self._spoil(Delay(LATE_SECONDS))

    def be_busy(self) -> None:
        self._spoil(Status(429, BUSY))

    def be_broken(self) -> None:
        self._spoil(Status(500, BROKEN))

    def be_garbage(self, *, as_http: bool) -> None:
        self._spoil(Garbage(as_http=as_http))

    def use(self, localpart: str, password: str) -> None:
        raise AssertionError("Nobody looks.")

    def break_second_step(self) -> None:
        raise AssertionError("There is one step.")

    def be_down(self) -> None:
        self.chaos.refuse()

    def come_back(self) -> None:
        self.chaos.clear()


@dataclass
class DoubleWorld(Behind):
    """A double behind the proxy."""

    double: ClientDouble = field(kw_only=True)
    homeserver: Homeserver = field(kw_only=True)
    credentials: str = "secret"
    devices_left: int = 0

    def sign_in(self, localpart: str, password: str) -> str:
        person = self.double.people.get(localpart)
        if person is None or person.deactivated or person.password != password:
            return "wrong"
        return "locked" if person.locked else "ok"

    def devices(self, localpart: str) -> int:
        return len(self.double.people[localpart].devices)

    def emails(self, localpart: str) -> list[str]:
        return self.double.people[localpart].emails

    def rooms(self, localpart: str) -> list[str]:
        rooms = self._tuwunel().rooms.values()
        return [room.id for room in rooms if self.double.mxid(localpart) in room.members]

    def said(self, room_id: str) -> list[str]:
        return self._tuwunel().rooms[room_id].said

    def make_account(self, localpart: str, password: str) -> None:
        self.double.add(localpart, password)

    def deactivate(self, localpart: str, *, erase: bool = False) -> None:
        person = self.double.people[localpart]
        person.deactivated, person.password = True, None

    def make_room(self, alias: str, *, public: bool, admin_is_in: bool = True) -> str:
        return self._tuwunel().make_room(alias, public=public, admin_is_in=admin_is_in)

    def register_natively(self, code: str, localpart: str, *, finish: bool = True) -> bool:
        return self._tuwunel().register_by(code, localpart, PASSWORD)

    def _tuwunel(self) -> TuwunelDouble:
        assert isinstance(self.double, TuwunelDouble)
        return self.double


@dataclass
class UiaSynapseWorld(Behind):
    """A real Synapse that lets clients register by a token, which is all that Foyer holds."""

    real: RealSynapse = field(kw_only=True)
    making: tuple[str, str] = REGISTER
    before: int = 2  # one opens the conversation, one shows the token
    credentials: str = "registration token"
    devices_left: int = 0

    def __post_init__(self) -> None:
        path = "/_synapse/admin/v1/registration_tokens/new"
        status, answer = self.real.admin("POST", path, {"token": OUR_TOKEN})
        assert status == 200 or "already exists" in answer["error"], answer
        self.homeserver: Homeserver = registering(self.chaos.url, OUR_TOKEN)

    def sign_in(self, localpart: str, password: str) -> str:
        status, answer = self.real.login(f"@{localpart}:localhost", password)
        if status == 200:
            self.real.request("POST", "/_matrix/client/v3/logout", {}, token=answer["access_token"])
            return "ok"
        return {"M_USER_LOCKED": "locked"}.get(answer["errcode"], "wrong")

    def devices(self, localpart: str) -> int:
        path = f"/_synapse/admin/v2/users/{quote(f'@{localpart}:localhost', safe='')}/devices"
        return int(self.real.admin("GET", path)[1]["total"])

    def emails(self, localpart: str) -> list[str]:
        return []

    def rooms(self, localpart: str) -> list[str]:
        return []

    def said(self, room_id: str) -> list[str]:
        return []

    def make_account(self, localpart: str, password: str) -> None:
        assert self.real.register(localpart, password)[0] == 200

    def deactivate(self, localpart: str, *, erase: bool = False) -> None:
        path = f"/_synapse/admin/v1/deactivate/{quote(f'@{localpart}:localhost', safe='')}"
        assert self.real.admin("POST", path, {"erase": erase})[0] == 200

    def make_room(self, alias: str, *, public: bool, admin_is_in: bool = True) -> str:
        raise AssertionError("Nobody is put into rooms.")

    def register_natively(self, code: str, localpart: str, *, finish: bool = True) -> bool:
        raise AssertionError("The server's tokens are not ours to make.")


def registering(url: str, token: str) -> RegistrationServer:
    """Return our adapter for a server at which we register as a client."""
    return RegistrationServer(Client(url, timeout=TIMEOUT), "localhost", token)


DOUBLES: dict[str, dict[str, Any]] = {
    "uia-conduit": {},
    "uia-continuwuity": {"software": ("continuwuity", "0.5"), "flows": [[TOKEN, DUMMY]]},
    "uia-devices": {"software": ("another", "1"), "ignores_inhibit_login": True, "lists_completed": False},
}
"""Servers at which one registers as a client, and what is peculiar to each."""


def plain_world(name: str) -> AbstractContextManager[DoubleWorld]:
    """Return one of the doubles here."""
    match name:
        case "dendrite":
            return dendrite_world()
        case "tuwunel-alone":
            return tuwunel_world("secret")
        case "tuwunel-admin":
            return tuwunel_world("both")
        case _:
            return uia_world(**DOUBLES[name])


@contextmanager
def uia_world(**facts: Any) -> Iterator[DoubleWorld]:
    """Conduit, Continuwuity, or one with its own ideas."""
    double = UiaDouble(**facts)
    with _behind_the_proxy(double) as chaos:
        yield DoubleWorld(
            chaos,
            REGISTER,
            before=max(len(flow) for flow in double.flows),
            double=double,
            homeserver=registering(chaos.url, double.registration_token),
            credentials="registration token",
            devices_left=int(double.ignores_inhibit_login),
        )


@contextmanager
def dendrite_world() -> Iterator[DoubleWorld]:
    """Dendrite, whose every account begins with a device."""
    double = DendriteDouble()
    with _behind_the_proxy(double) as chaos:
        homeserver = Dendrite(Client(chaos.url, timeout=TIMEOUT), "localhost", double.shared_secret)
        yield DoubleWorld(chaos, BY_SECRET, double=double, homeserver=homeserver, devices_left=1)


@contextmanager
def tuwunel_world(credentials: str) -> Iterator[DoubleWorld]:
    """Tuwunel, with the secret alone or with an admin's token as well."""
    double = TuwunelDouble()
    token = double.admin_token if credentials == "both" else None
    with _behind_the_proxy(double) as chaos:
        client = Client(chaos.url, timeout=TIMEOUT)
        homeserver = Synapse(client, "localhost", double.shared_secret, token, dialect=TUWUNEL)
        yield DoubleWorld(chaos, BY_SECRET, double=double, homeserver=homeserver, credentials=credentials)


@contextmanager
def _behind_the_proxy(double: ClientDouble) -> Iterator[ChaosProxy]:
    """Start it; fail at the end for whatever nobody may ask there."""
    with double.start() as listener, ChaosProxy(listener.url) as chaos:
        yield chaos
    assert double.wrongs == []
