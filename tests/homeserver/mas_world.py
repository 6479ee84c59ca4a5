"""The double of a Matrix Authentication Service and its Synapse, each behind a chaos proxy, for the contract suite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from dev.proxy import ChaosProxy, Cut, Delay, Garbage, Lose, Status
from foyer.homeserver.http import Client
from foyer.homeserver.mas import Mas
from foyer.kit.clock import now
from tests.homeserver.mas_double import CLIENT_ID, CLIENT_SECRET, MasDouble
from tests.homeserver.synapse_beside_mas import ADMIN, ADMIN_TOKEN, Room, SynapseBesideMas
from tests.homeserver.worlds import LATE_SECONDS, PASSWORD, TIMEOUT, new_name

MAKING = ("POST", "/api/admin/v1/users$")
SECOND_STEP = ("POST", "/set-password$")


@dataclass
class MasWorld:
    """credentials: `client`, or `client+token` where there is an admin token of Synapse too."""

    credentials: str
    mas: MasDouble
    synapse: SynapseBesideMas
    chaos: ChaosProxy
    synapse_chaos: ChaosProxy
    tells_password_of_locked = False
    """The service says that an account is locked before it looks at the password."""

    def __post_init__(self) -> None:
        self.homeserver = self.adapter()

    def adapter(
        self,
        client_id: str = CLIENT_ID,
        client_secret: str = CLIENT_SECRET,
        token: str = ADMIN_TOKEN,
        timeout: timedelta = TIMEOUT,
    ) -> Mas:
        """Return an adapter of our own, which knows nothing yet."""
        return Mas(
            client=Client(self.synapse_chaos.url, timeout=timeout),
            mas_client=Client(self.chaos.url, timeout=timeout, key="homeserver.mas.url"),
            server_name="localhost",
            client_id=client_id,
            client_secret=client_secret,
            admin_token=token if "token" in self.credentials else None,
        )

    @property
    def wrongs(self) -> list[str]:
        """What was asked of either that nobody may ask."""
        return self.mas.wrongs + self.synapse.wrongs

    def sign_in(self, localpart: str, password: str) -> str:
        person = self.mas.person(localpart)
        if person is None or person.deactivated_at or person.password is None or person.password != password:
            return "wrong"
        return "locked" if person.locked_at else "ok"

    def use(self, localpart: str, password: str) -> None:
        self.mas.sign_in_at_browser(localpart)

    def devices(self, localpart: str) -> int:
        return len(self.mas.live_sessions(localpart))

    def emails(self, localpart: str) -> list[str]:
        person = self.mas.person(localpart)
        entries = [entry["attributes"] for entry in self.mas.emails]
        return [entry["email"] for entry in entries if person and entry["user_id"] == person.id]

    def rooms(self, localpart: str) -> list[str]:
        return [room.id for room in self.synapse.rooms.values() if f"@{localpart}:localhost" in room.members]

    def said(self, room_id: str) -> list[str]:
        return list(self.synapse.rooms[room_id].messages.values())

    def make_account(self, localpart: str, password: str) -> None:
        self.mas.register(localpart, password)
        self.mas.sessions.clear()
        self.synapse.provision(localpart)

    def deactivate(self, localpart: str, *, erase: bool = False) -> None:
        person = self.mas.person(localpart)
        assert person is not None
        person.deactivated_at = now()
        self.mas.emails = [entry for entry in self.mas.emails if entry["attributes"]["user_id"] != person.id]
        for session in self.mas.live_sessions(localpart):
            session.ended_at = now()

    def make_room(self, alias: str, *, public: bool, admin_is_in: bool = True) -> str:
        room_id = f"!{alias}:localhost"
        members = [ADMIN] if admin_is_in else ["@owner:localhost"]
        self.synapse.rooms[room_id] = Room(room_id, f"#{alias}:localhost", public, members[0], members)
        return room_id

    def register_natively(self, code: str, localpart: str, *, finish: bool = True) -> bool:
        return self.mas.register_with_token(code, localpart, PASSWORD, finish=finish)

    def lose_request(self) -> None:
        self.chaos.add(Cut(), *MAKING, times=1)

    def lose_answer(self) -> None:
        self.chaos.add(Lose(), *MAKING, times=1)

    def hang_before(self) -> None:
        self.chaos.add(Delay(LATE_SECONDS), *MAKING, times=1)

    def break_second_step(self) -> None:
        self.chaos.add(Cut(), *SECOND_STEP, times=1)

    def be_busy(self) -> None:
        self.chaos.add(Status(429, "{}", {"Retry-After": "7"}), *MAKING, times=1)

    def be_broken(self) -> None:
        self.chaos.add(Status(500, '{"errors": [{"title": "Internal error"}]}'), *MAKING, times=1)

    def be_garbage(self, *, as_http: bool) -> None:
        self.chaos.add(Garbage(as_http=as_http), *MAKING, times=1)

    def be_down(self) -> None:
        self.chaos.refuse()
        self.synapse_chaos.refuse()

    def come_back(self) -> None:
        self.chaos.clear()
        self.synapse_chaos.clear()


@contextmanager
def mas_world(credentials: str) -> Iterator[MasWorld]:
    """Run both doubles; afterwards fail for whatever nobody may ask."""
    synapse = SynapseBesideMas()
    mas = MasDouble(homeserver_has=synapse.has, provision=synapse.provision)
    with (
        mas.start() as mas_at,
        synapse.start() as synapse_at,
        ChaosProxy(mas_at.url) as chaos,
        ChaosProxy(synapse_at.url) as synapse_chaos,
    ):
        world = MasWorld(credentials, mas, synapse, chaos, synapse_chaos)
        yield world
    assert world.wrongs == []


def somebody(world: MasWorld, password: str = PASSWORD) -> str:
    """Return the name of somebody who registered there without us."""
    name = new_name()
    world.make_account(name, password)
    return name


def mas_keys(world: MasWorld, *, timeout: str) -> dict[str, Any]:
    """Return the keys of the configuration's `homeserver` for this world."""
    keys = {
        "kind": "mas",
        "url": world.synapse_chaos.url,
        "mas": {"url": world.chaos.url, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET},
        "timeout": timeout,
    }
    return keys | ({"admin_token": ADMIN_TOKEN} if "token" in world.credentials else {})
