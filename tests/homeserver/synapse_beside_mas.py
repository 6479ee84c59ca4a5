"""The Synapse beside a Matrix Authentication Service, as far as Foyer asks it, over HTTP on loopback.

What Synapse switches off there fails the test that asked for it. So does whatever else is not known here.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from tests.support.listening import Asked, Listener, Reply

ADMIN = "@foyer-admin:localhost"
ADMIN_TOKEN = "mct_admin_0123456789"
NOBODYS_TOKEN = "mct_of_no_admin"
SWITCHED_OFF = (
    ("GET|POST", "/_synapse/admin/v1/register"),
    ("GET|POST", "/_matrix/client/(r0|v3)/login.*"),
    ("POST", "/_matrix/client/(r0|v3)/logout.*"),
    ("POST", "/_matrix/client/(r0|v3)/register"),
    ("GET", "/_matrix/client/(r0|v3)/register/available"),
    ("GET", "/_matrix/client/v1/register/.*"),
    ("GET", "/_matrix/client/(r0|v3)/password_policy"),
    ("POST", "/_matrix/client/(r0|v3)/account/(password|deactivate).*"),
    (".*", "/_synapse/admin/v1/registration_tokens.*"),
    (".*", "/_synapse/admin/v1/users/[^/]+/(admin|login)"),
    (".*", "/_synapse/admin/v1/(reset_password|deactivate)/.*"),
    ("PUT", "/_synapse/admin/v2/users/.*"),
)
"""404 or 403 there; the password policy is answered, and means nothing."""


@dataclass
class Room:
    """One room. creator: only who is in it may invite."""

    id: str
    alias: str
    is_public: bool
    creator: str
    members: list[str]
    messages: dict[str, str] = field(default_factory=dict)


@dataclass
class SynapseBesideMas:
    """people: MXIDs that it knows. has_notices: server notices are set up. notices: MXID → texts.

    shows_profiles: to strangers. uses_mas: off, it is an ordinary Synapse that shares nothing with the service.
    """

    server_name: str = "localhost"
    people: set[str] = field(default_factory=lambda: {ADMIN})
    reserved: str = "appservice_.*"
    shows_profiles: bool = True
    uses_mas: bool = True
    has_notices: bool = True
    notices: dict[str, list[str]] = field(default_factory=dict)
    rooms: dict[str, Room] = field(default_factory=dict)
    wrongs: list[str] = field(default_factory=list, init=False)
    asked: list[str] = field(default_factory=list, init=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, init=False, repr=False)

    def start(self) -> Listener:
        """Listen; the caller stops it."""
        return Listener(self.answer)

    def has(self, localpart: str) -> bool:
        """Somebody here has this name, or a service keeps it for itself."""
        mxid = f"@{localpart}:{self.server_name}"
        return mxid in self.people or re.fullmatch(self.reserved, localpart) is not None

    def provision(self, localpart: str) -> None:
        """Be told of an account."""
        self.people.add(f"@{localpart}:{self.server_name}")

    def answer(self, asked: Asked) -> Reply:
        """Answer one request, with everything locked."""
        with self._lock:
            self.asked.append(f"{asked.method} {asked.path}")
            if any(re.fullmatch(how, asked.method) and re.fullmatch(what, asked.path) for how, what in SWITCHED_OFF):
                self.wrongs.append(f"{asked.method} {asked.path} is switched off beside the service")
                return _no(404, "M_UNRECOGNIZED", "Unrecognized request")
            for method, path, name in ROUTES:
                match = re.fullmatch(path, asked.path)
                if match and method == asked.method:
                    reply: Reply = getattr(self, name)(asked, *map(unquote, match.groups()))
                    return reply
            self.wrongs.append(f"{asked.method} {asked.path} is not known")
            return _no(404, "M_UNRECOGNIZED", "Unrecognized request")

    def refusal(self, asked: Asked, *, is_admins: bool = True) -> Reply | None:
        """Refuse who has no token, or is no admin."""
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if not token:
            return _no(401, "M_MISSING_TOKEN", "Missing access token")
        if token == NOBODYS_TOKEN and is_admins:
            return _no(403, "M_FORBIDDEN", "You are not a server admin")
        is_known = token in (ADMIN_TOKEN, NOBODYS_TOKEN)
        return None if is_known else _no(401, "M_UNKNOWN_TOKEN", "Token is not active")

    def version(self, _asked: Asked) -> Reply:
        return Reply(200, {"server_version": "1.163.2"})

    def versions(self, _asked: Asked) -> Reply:
        return Reply(200, {"versions": ["v1.11"]})

    def metadata(self, _asked: Asked) -> Reply:
        if not self.uses_mas:
            return _no(404, "M_UNRECOGNIZED", "Unrecognized request")
        return Reply(200, {"issuer": "https://auth.example.org/"})

    def profile(self, _asked: Asked, mxid: str) -> Reply:
        if not self.shows_profiles:
            return _no(401, "M_MISSING_TOKEN", "Missing access token")
        return Reply(200, {}) if mxid in self.people else _no(404, "M_NOT_FOUND", "Profile was not found")

    def available(self, asked: Asked) -> Reply:
        if refusal := self.refusal(asked):
            return refusal
        name = asked.query["username"][0]
        if re.fullmatch(self.reserved, name):
            return _no(400, "M_EXCLUSIVE", "This user ID is reserved by an application service.")
        return (
            _no(400, "M_USER_IN_USE", "User ID already taken.") if self.has(name) else Reply(200, {"available": True})
        )

    def whoami(self, asked: Asked) -> Reply:
        return self.refusal(asked, is_admins=False) or Reply(200, {"user_id": ADMIN, "device_id": "ADMINDEVICE"})

    def account(self, asked: Asked, mxid: str) -> Reply:
        if refusal := self.refusal(asked):
            return refusal
        return Reply(200, {"name": mxid}) if mxid in self.people else _no(404, "M_NOT_FOUND", "User not found")

    def joined_rooms(self, asked: Asked, mxid: str) -> Reply:
        joined = [room.id for room in self.rooms.values() if mxid in room.members]
        return self.refusal(asked) or Reply(200, {"joined_rooms": joined})

    def join(self, asked: Asked, name: str) -> Reply:
        if refusal := self.refusal(asked):
            return refusal
        mxid, room = asked.body["user_id"], self.room(name)
        if mxid not in self.people:
            return _no(404, "M_NOT_FOUND", "User not found")
        if room is None:
            return _no(404 if name[:1] in "#!" else 400, "M_UNKNOWN", f"{name} was not legal room ID or room alias")
        if not room.is_public and (ADMIN not in room.members or mxid in room.members):
            return _no(403, "M_FORBIDDEN", "You are not invited to this room.")
        room.members += [mxid] if mxid not in room.members else []
        return Reply(200, {"room_id": room.id})

    def enter(self, asked: Asked, name: str) -> Reply:
        if refusal := self.refusal(asked, is_admins=False):
            return refusal
        room = self.room(name)
        if room is None:
            return _no(404, "M_NOT_FOUND", "No known servers")
        if not room.is_public and ADMIN not in room.members:
            return _no(403, "M_FORBIDDEN", "You are not invited to this room.")
        room.members += [ADMIN] if ADMIN not in room.members else []
        return Reply(200, {"room_id": room.id})

    def alias(self, asked: Asked, alias: str) -> Reply:
        room = self.room(alias)
        found = Reply(200, {"room_id": room.id}) if room else _no(404, "M_NOT_FOUND", "Room alias not found")
        return self.refusal(asked, is_admins=False) or found

    def details(self, asked: Asked, room_id: str) -> Reply:
        room = self.rooms.get(room_id)
        if room is None:
            return self.refusal(asked) or _no(404, "M_NOT_FOUND", "Room not found")
        rules = "public" if room.is_public else "invite"
        return self.refusal(asked) or Reply(200, {"join_rules": rules, "creator": room.creator})

    def levels(self, asked: Asked, _room_id: str) -> Reply:
        return self.refusal(asked, is_admins=False) or Reply(200, {"users": {ADMIN: 100}})

    def notice(self, asked: Asked, _transaction: str) -> Reply:
        if refusal := self.refusal(asked):
            return refusal
        if not self.has_notices:
            return _no(400, "M_UNKNOWN", "Server notices are not enabled on this server")
        mxid = asked.body["user_id"]
        if mxid not in self.people:
            return _no(404, "M_NOT_FOUND", "User not found")
        self.notices.setdefault(mxid, []).append(asked.body["content"]["body"])
        return Reply(200, {"event_id": "$1"})

    def send(self, asked: Asked, room_id: str, transaction: str) -> Reply:
        if refusal := self.refusal(asked, is_admins=False):
            return refusal
        room = self.rooms.get(room_id)
        if room is None or ADMIN not in room.members:
            return _no(403, "M_FORBIDDEN", "User is not in the room")
        room.messages.setdefault(transaction, asked.body["body"])
        return Reply(200, {"event_id": "$1"})

    def room(self, name: str) -> Room | None:
        """Return the room of this id or alias."""
        return next((room for room in self.rooms.values() if name in (room.id, room.alias)), None)


ROUTES = (
    ("GET", "/_synapse/admin/v1/server_version", "version"),
    ("GET", "/_matrix/client/versions", "versions"),
    ("GET", "/_matrix/client/v1/auth_metadata", "metadata"),
    ("GET", "/_matrix/client/v3/profile/([^/]+)", "profile"),
    ("GET", "/_synapse/admin/v1/username_available", "available"),
    ("GET", "/_matrix/client/v3/account/whoami", "whoami"),
    ("GET", "/_synapse/admin/v2/users/([^/]+)", "account"),
    ("GET", "/_synapse/admin/v1/users/([^/]+)/joined_rooms", "joined_rooms"),
    ("POST", "/_synapse/admin/v1/join/([^/]+)", "join"),
    ("POST", "/_matrix/client/v3/join/([^/]+)", "enter"),
    ("GET", "/_matrix/client/v3/directory/room/([^/]+)", "alias"),
    ("GET", "/_synapse/admin/v1/rooms/([^/]+)", "details"),
    ("GET", "/_matrix/client/v3/rooms/([^/]+)/state/m.room.power_levels", "levels"),
    ("PUT", "/_synapse/admin/v1/send_server_notice/([^/]+)", "notice"),
    ("PUT", "/_matrix/client/v3/rooms/([^/]+)/send/m.room.message/([^/]+)", "send"),
)


def _no(status: int, errcode: str, error: str) -> Reply:
    body: dict[str, Any] = {"errcode": errcode, "error": error}
    return Reply(status, body)
