"""The homeservers that the contract suite runs on: the double and a real Synapse, with each kind of credentials.

A world can be told to misbehave, and can be looked at past the adapter.
"""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
from urllib.parse import quote

from dev.proxy import ChaosProxy, Cut, Delay, Garbage, Lose, Status
from dev.synapse import Synapse as RealSynapse
from foyer.homeserver.http import Client
from foyer.homeserver.memory import Fault, MemoryAccount, MemoryHomeserver
from foyer.homeserver.port import Homeserver
from foyer.homeserver.synapse import Synapse
from foyer.kit.clock import now
from tests.support.native import register_natively

TIMEOUT = timedelta(seconds=15)
"""Long: a machine that has much to do shall not look like a homeserver that is down."""
LATE_SECONDS = 3.0
"""When an answer comes after hang_before(): later than a test waits by `within(SOON_SECONDS)`."""
SOON_SECONDS = 2.0
PASSWORD = "correct horse 1"
MAKING = {"secret": ("POST", "/v1/register$"), "both": ("POST", "/v1/register$"), "token": ("PUT", "/v2/users/")}
"""The request that makes the account, by credentials."""
SECOND_STEP = ("POST", "/v1/reset_password/")

_numbers = itertools.count(1)


def new_name(start: str = "maria") -> str:
    """Return a name that no other test uses."""
    return f"{start}-{next(_numbers)}"


class World(Protocol):
    """One homeserver with the credentials that Foyer holds."""

    credentials: str
    tells_password_of_locked: bool

    @property
    def homeserver(self) -> Homeserver: ...
    def sign_in(self, localpart: str, password: str) -> str: ...
    def use(self, localpart: str, password: str) -> None: ...
    def devices(self, localpart: str) -> int: ...
    def emails(self, localpart: str) -> list[str]: ...
    def rooms(self, localpart: str) -> list[str]: ...
    def said(self, room_id: str) -> list[str]: ...
    def make_account(self, localpart: str, password: str) -> None: ...
    def deactivate(self, localpart: str, *, erase: bool = False) -> None: ...
    def make_room(self, alias: str, *, public: bool, admin_is_in: bool = True) -> str: ...
    def register_natively(self, code: str, localpart: str, *, finish: bool = True) -> bool: ...
    def lose_request(self) -> None: ...
    def lose_answer(self) -> None: ...
    def hang_before(self) -> None: ...
    def break_second_step(self) -> None: ...
    def be_busy(self) -> None: ...
    def be_broken(self) -> None: ...
    def be_down(self) -> None: ...
    def come_back(self) -> None: ...


@dataclass
class MemoryWorld:
    """The double."""

    credentials: str
    tells_password_of_locked = True

    def __post_init__(self) -> None:
        self.homeserver = MemoryHomeserver(
            has_secret=self.credentials != "token", has_token=self.credentials != "secret"
        )

    def sign_in(self, localpart: str, password: str) -> str:
        account = self.homeserver.accounts.get(localpart)
        if account is None or account.deactivated or account.password != password:
            return "wrong"
        return "locked" if account.locked else "ok"

    def use(self, localpart: str, password: str) -> None:
        self.homeserver.accounts[localpart].seen = True

    def devices(self, localpart: str) -> int:
        return len(self.homeserver.accounts[localpart].devices)

    def emails(self, localpart: str) -> list[str]:
        return self.homeserver.accounts[localpart].emails

    def rooms(self, localpart: str) -> list[str]:
        return self.homeserver.accounts[localpart].rooms

    def said(self, room_id: str) -> list[str]:
        return list(self.homeserver.said.get(room_id, {}).values())

    def make_account(self, localpart: str, password: str) -> None:
        self.homeserver.accounts[localpart] = MemoryAccount(localpart, created_at=now(), password=password)

    def deactivate(self, localpart: str, *, erase: bool = False) -> None:
        account = self.homeserver.accounts[localpart]
        account.deactivated, account.password = True, None
        account.emails.clear()

    def make_room(self, alias: str, *, public: bool, admin_is_in: bool = True) -> str:
        room_id = f"!{alias}:localhost"
        self.homeserver.rooms |= {room_id: room_id, f"#{alias}:localhost": room_id}
        if not public and not admin_is_in:
            self.homeserver.closed_rooms.add(room_id)
        return room_id

    def register_natively(self, code: str, localpart: str, *, finish: bool = True) -> bool:
        return self.homeserver.register_natively(code, localpart, PASSWORD, finish=finish)

    def lose_request(self) -> None:
        self.homeserver.fail(Fault.LOST_REQUEST, "create")

    hang_before = lose_request

    def lose_answer(self) -> None:
        self.homeserver.fail(Fault.LOST_ANSWER, "create")

    def break_second_step(self) -> None:
        self.homeserver.fail(Fault.HALF_DONE, "*")

    def be_busy(self) -> None:
        self.homeserver.fail(Fault.BUSY, "create")

    def be_broken(self) -> None:
        self.homeserver.fail(Fault.BROKEN, "create")

    def be_down(self) -> None:
        self.homeserver.fail(Fault.DOWN, "*", times=100)

    def come_back(self) -> None:
        self.homeserver.heal()


@dataclass
class SynapseWorld:
    """A real Synapse behind the chaos proxy."""

    credentials: str
    real: RealSynapse
    chaos: ChaosProxy
    tells_password_of_locked = True

    def __post_init__(self) -> None:
        self.homeserver = adapter(self.real, self.credentials, url=self.chaos.url)
        self._making = MAKING[self.credentials]

    def sign_in(self, localpart: str, password: str) -> str:
        status, answer = self.real.login(f"@{localpart}:localhost", password)
        if status == 200:
            self.real.request("POST", "/_matrix/client/v3/logout", {}, token=answer["access_token"])
            return "ok"
        return {"M_USER_LOCKED": "locked"}.get(answer["errcode"], "wrong")

    def use(self, localpart: str, password: str) -> None:
        assert self.sign_in(localpart, password) == "ok"

    def devices(self, localpart: str) -> int:
        return int(self.real.admin("GET", f"/_synapse/admin/v2/users/{self._id(localpart)}/devices")[1]["total"])

    def emails(self, localpart: str) -> list[str]:
        user = self.real.user(localpart)
        assert user is not None
        return [threepid["address"] for threepid in user["threepids"]]

    def rooms(self, localpart: str) -> list[str]:
        path = f"/_synapse/admin/v1/users/{self._id(localpart)}/joined_rooms"
        return list(self.real.admin("GET", path)[1]["joined_rooms"])

    def said(self, room_id: str) -> list[str]:
        path = f"/_matrix/client/v3/rooms/{quote(room_id)}/messages?dir=b&limit=50"
        events = self.real.admin("GET", path)[1]["chunk"]
        return [event["content"]["body"] for event in reversed(events) if event["type"] == "m.room.message"]

    def make_account(self, localpart: str, password: str) -> None:
        assert self.real.register(localpart, password)[0] == 200

    def deactivate(self, localpart: str, *, erase: bool = False) -> None:
        path = f"/_synapse/admin/v1/deactivate/{self._id(localpart)}"
        assert self.real.admin("POST", path, {"erase": erase})[0] == 200
        # On a database that is some seconds old Synapse 1.163 cannot revive an account: an index is not there yet.
        while self.real.admin("GET", "/_synapse/admin/v1/background_updates/status")[1]["current_updates"]:
            time.sleep(0.1)

    def make_room(self, alias: str, *, public: bool, admin_is_in: bool = True) -> str:
        owner = self.real.admin_token
        if not admin_is_in:
            name = new_name("owner")
            self.make_account(name, PASSWORD)
            owner = self.real.login(name, PASSWORD)[1]["access_token"]
        body = {"room_alias_name": alias, "preset": "public_chat" if public else "private_chat"}
        status, answer = self.real.request("POST", "/_matrix/client/v3/createRoom", body, token=owner)
        assert status == 200, answer
        return str(answer["room_id"])

    def register_natively(self, code: str, localpart: str, *, finish: bool = True) -> bool:
        return register_natively(self.real, code, localpart, PASSWORD, finish=finish)

    def lose_request(self) -> None:
        self.chaos.add(Cut(), *self._making, times=1)

    def lose_answer(self) -> None:
        self.chaos.add(Lose(), *self._making, times=1)

    def hang_before(self) -> None:
        self.chaos.add(Delay(LATE_SECONDS), *self._making, times=1)

    def break_second_step(self) -> None:
        self.chaos.add(Cut(), *SECOND_STEP, times=1)

    def be_busy(self) -> None:
        body = '{"errcode": "M_LIMIT_EXCEEDED", "error": "Too Many Requests", "retry_after_ms": 7000}'
        self.chaos.add(Status(429, body), *self._making, times=1)

    def be_broken(self) -> None:
        self.chaos.add(
            Status(500, '{"errcode": "M_UNKNOWN", "error": "Internal server error"}'), *self._making, times=1
        )

    def be_garbage(self, *, as_http: bool) -> None:
        self.chaos.add(Garbage(as_http=as_http), *self._making, times=1)

    def be_down(self) -> None:
        self.chaos.refuse()

    def come_back(self) -> None:
        self.chaos.clear()

    @staticmethod
    def _id(localpart: str) -> str:
        return quote(f"@{localpart}:localhost", safe="")


def adapter(real: RealSynapse, credentials: str, *, url: str | None = None, timeout: timedelta = TIMEOUT) -> Synapse:
    """Return our adapter with these credentials of this server."""
    return Synapse(
        client=Client(url or real.url, timeout=timeout),
        server_name=real.server_name,
        shared_secret=real.shared_secret if credentials != "token" else None,
        admin_token=real.admin_token if credentials != "secret" else None,
    )
