"""Tuwunel, as its source shows it: the shared secret, and as much of Synapse's Admin API as Foyer asks for."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from tests.homeserver.client_double import ClientDouble, Named, Person, Route, error
from tests.support.listening import Asked, Reply

ADMIN = "foyer-admin"
USER = "/_synapse/admin/v2/users/(?P<mxid>[^/]+)"
SECRET = "/_synapse/admin/v1/register"
TOKENS = "/_synapse/admin/v1/registration_tokens"
ROOM = "/_matrix/client/v3/rooms/(?P<room>[^/]+)"


@dataclass
class Room:
    """One room."""

    id: str
    alias: str
    public: bool
    members: set[str]
    said: list[str] = field(default_factory=list)
    transactions: set[str] = field(default_factory=set)


@dataclass
class Token:
    """One registration token in its database."""

    token: str
    uses_allowed: int | None
    expiry_time: int | None
    completed: int = 0

    def shown(self) -> dict[str, Any]:
        return {**vars(self), "pending": 0}


@dataclass
class TuwunelDouble(ClientDouble):
    """A nonce is used once, PUT answers 200 whether it made or changed, and no account has a time of creation."""

    software: tuple[str, str] = ("Tuwunel", "1.4.6")
    shared_secret: str = "tuwunel-secret-of-ours"
    rooms: dict[str, Room] = field(default_factory=dict, init=False)
    tokens: dict[str, Token] = field(default_factory=dict, init=False)
    admin_token: str = field(default="", init=False, repr=False)
    _nonces: set[str] = field(default_factory=set, init=False, repr=False)
    _notices: set[str] = field(default_factory=set, init=False, repr=False)

    def __post_init__(self) -> None:
        self.admin_token = self.add_device(self.add(ADMIN, None), "ADMIN")["access_token"]

    def is_admin(self, person: Person) -> bool:
        """One is."""
        return person.localpart == ADMIN

    def routes(self) -> list[Route]:
        """What Foyer may ask; most of it as an administrator."""
        secret = {"nonce": str, "username": str, "password": str, "mac": str, "inhibit_login": bool}
        changes = {"locked?": bool, "threepids?": list, "deactivated?": bool}
        reset = {"new_password": str, "logout_devices": bool}
        token = {"uses_allowed": (int, type(None)), "expiry_time": (int, type(None))}
        message = {"msgtype": str, "body": str}
        v1 = "/_synapse/admin/v1"
        return [
            *super().routes(),
            Route("GET", f"{v1}/server_version", lambda *_: Reply(200, {"server_version": self.software[1]})),
            Route("GET", SECRET, self._nonce),
            Route("POST", SECRET, self._register, body=secret),
            Route("GET", f"{v1}/username_available", self._available, query=("username",), needs="admin"),
            Route("GET", USER, self._user, needs="admin"),
            Route("GET", f"{USER}/devices", self._devices, needs="admin"),
            Route("PUT", USER, self._change, body=changes, needs="admin"),
            Route("POST", f"{v1}/reset_password/(?P<mxid>[^/]+)", self._reset, body=reset, needs="admin"),
            Route("GET", f"{v1}/users/(?P<mxid>[^/]+)/admin", self._is_admin, needs="admin"),
            Route("GET", f"{v1}/users/(?P<mxid>[^/]+)/joined_rooms", self._joined, needs="admin"),
            Route("GET", f"{v1}/threepid/email/users/(?P<email>[^/]+)", self._email, needs="admin"),
            Route("POST", f"{v1}/join/(?P<room>[^/]+)", self._join, body={"user_id": str}, needs="admin"),
            Route(
                "PUT",
                f"{v1}/send_server_notice/(?P<transaction>[^/]+)",
                self._notice,
                body={"user_id": str, "content": message},
                needs="admin",
            ),
            Route("GET", f"{TOKENS}/(?P<token>[^/]+)", self._token, needs="admin"),
            Route("PUT", f"{TOKENS}/(?P<token>[^/]+)", self._change_token, body=token, needs="admin"),
            Route("DELETE", f"{TOKENS}/(?P<token>[^/]+)", self._drop_token, needs="admin"),
            Route("POST", f"{TOKENS}/new", self._new_token, body={"token": str, **token}, needs="admin"),
            Route("GET", f"{v1}/rooms/(?P<room>[^/]+)", self._room, needs="admin"),
            Route("GET", "/_matrix/client/v3/account/whoami", self._whoami, needs="user"),
            Route("GET", "/_matrix/client/v3/directory/room/(?P<room>[^/]+)", self._alias, needs="user"),
            Route("POST", "/_matrix/client/v3/join/(?P<room>[^/]+)", self._enter, body={}, needs="user"),
            Route("PUT", f"{ROOM}/send/m.room.message/(?P<transaction>[^/]+)", self._send, body=message, needs="user"),
        ]

    def make_room(self, alias: str, *, public: bool, admin_is_in: bool = True) -> str:
        """Make a room of the admin's, or of somebody else's."""
        room_id = f"!{secrets.token_hex(5)}:{self.server_name}"
        members = {self.mxid(ADMIN if admin_is_in else "owner")}
        self.rooms[room_id] = Room(room_id, f"#{alias}:{self.server_name}", public, members)
        return room_id

    def _nonce(self, _asked: Asked, _named: Named) -> Reply:
        nonce = secrets.token_hex(8)
        self._nonces.add(nonce)
        return Reply(200, {"nonce": nonce})

    def _register(self, asked: Asked, _named: Named) -> Reply:
        body = asked.body
        if body["nonce"] not in self._nonces:
            return error(400, "M_INVALID_PARAM", "Unrecognised or expired nonce")
        self._nonces.remove(body["nonce"])
        message = "\0".join((body["nonce"], body["username"], body["password"], "notadmin"))
        mac = hmac.new(self.shared_secret.encode(), message.encode(), hashlib.sha1).hexdigest()
        if not hmac.compare_digest(mac, body["mac"]):
            return error(403, "M_FORBIDDEN", "HMAC check failed")
        localpart = body["username"].lower()
        if " " in localpart:
            return error(400, "M_INVALID_PARAM", "Invalid user id")
        if refusal := self.refuse_name(localpart):
            return refusal
        person = self.add(localpart, body["password"])
        made = {"user_id": self.mxid(localpart), "home_server": self.server_name}
        return Reply(200, made if body["inhibit_login"] else {**made, **self.add_device(person, None)})

    def _shown(self, person: Person) -> Reply:
        return Reply(
            200,
            {
                "name": self.mxid(person.localpart),
                "threepids": [{"medium": "email", "address": email} for email in person.emails],
                "locked": person.locked,
                "deactivated": person.deactivated,
                "last_seen_ts": 1 if person.seen else None,
                "creation_ts": 0,
            },
        )

    def _user(self, _asked: Asked, named: Named) -> Reply:
        person = self.find(named["mxid"])
        return self._shown(person) if person else error(404, "M_NOT_FOUND", "User not found")

    def _devices(self, _asked: Asked, named: Named) -> Reply:
        person = self.find(named["mxid"])
        if person is None:
            return error(404, "M_NOT_FOUND", "User not found")
        devices = [{"device_id": device, "last_seen_ts": None} for device in person.devices.values()]
        return Reply(200, {"devices": devices, "total": len(devices)})

    def _change(self, asked: Asked, named: Named) -> Reply:
        body, person = asked.body, self.find(named["mxid"])
        if person is None:
            self.wrongs.append("PUT would have made an account")
            return error(404, "M_NOT_FOUND", "User not found")
        if "locked" in body or "deactivated" in body:
            self.wrongs.append("nothing is held here")
        if "threepids" in body:
            person.emails = [threepid["address"] for threepid in body["threepids"]]
        return self._shown(person)

    def _reset(self, asked: Asked, named: Named) -> Reply:
        person = self.find(named["mxid"])
        if person is None:
            return error(404, "M_NOT_FOUND", "User not found")
        person.password = asked.body["new_password"]
        if asked.body["logout_devices"]:
            person.devices.clear()
        return Reply(200, {})

    def _is_admin(self, _asked: Asked, named: Named) -> Reply:
        person = self.find(named["mxid"])
        return Reply(200, {"admin": person is not None and self.is_admin(person)})

    def _joined(self, _asked: Asked, named: Named) -> Reply:
        rooms = [room.id for room in self.rooms.values() if named["mxid"] in room.members]
        return Reply(200, {"joined_rooms": rooms, "total": len(rooms)})

    def _email(self, _asked: Asked, named: Named) -> Reply:
        email = named["email"].lower()
        holder = next((person for person in self.people.values() if email in person.emails), None)
        if holder is None:
            return error(404, "M_NOT_FOUND", "User not found")
        return Reply(200, {"user_id": self.mxid(holder.localpart)})

    def _find_room(self, name: str) -> Room | None:
        return next((room for room in self.rooms.values() if name in (room.id, room.alias)), None)

    def _room(self, _asked: Asked, named: Named) -> Reply:
        room = self._find_room(named["room"])
        if room is None:
            return error(404, "M_NOT_FOUND", "Room not found")
        return Reply(200, {"room_id": room.id, "join_rules": "public" if room.public else "invite", "creator": ""})

    def _join(self, asked: Asked, named: Named) -> Reply:
        if not re.fullmatch(r"[!#][^:]+:.+", named["room"]):
            return error(400, "M_INVALID_PARAM", "Invalid room id or alias")
        if self.find(asked.body["user_id"]) is None:
            return error(404, "M_NOT_FOUND", "Unknown user")
        room = self._find_room(named["room"])
        if room is None:
            return error(404, "M_NOT_FOUND", "Room not found")
        if not room.public and self.mxid(ADMIN) not in room.members:
            return error(403, "M_FORBIDDEN", "You are not in this room")
        room.members.add(asked.body["user_id"])
        return Reply(200, {"room_id": room.id})

    def _notice(self, asked: Asked, named: Named) -> Reply:
        person = self.find(asked.body["user_id"])
        if person is None:
            return error(404, "M_NOT_FOUND", "User not found")
        if named["transaction"] not in self._notices:
            self._notices.add(named["transaction"])
            person.notices.append(asked.body["content"]["body"])
        return Reply(200, {"event_id": f"${named['transaction']}"})

    def _whoami(self, asked: Asked, _named: Named) -> Reply:
        person = self.holder(asked)
        assert person is not None
        return Reply(200, {"user_id": self.mxid(person.localpart)})

    def _alias(self, _asked: Asked, named: Named) -> Reply:
        room = self._find_room(named["room"])
        return Reply(200, {"room_id": room.id}) if room else error(404, "M_NOT_FOUND", "Room not found")

    def _enter(self, asked: Asked, named: Named) -> Reply:
        room, person = self._find_room(named["room"]), self.holder(asked)
        assert person is not None
        if room is None:
            return error(404, "M_NOT_FOUND", "Room not found")
        if not room.public:
            return error(403, "M_FORBIDDEN", "You are not invited")
        room.members.add(self.mxid(person.localpart))
        return Reply(200, {"room_id": room.id})

    def _send(self, asked: Asked, named: Named) -> Reply:
        room, person = self._find_room(named["room"]), self.holder(asked)
        assert person is not None
        if room is None or self.mxid(person.localpart) not in room.members:
            return error(403, "M_FORBIDDEN", "You are not in this room")
        if named["transaction"] not in room.transactions:
            room.transactions.add(named["transaction"])
            room.said.append(asked.body["body"])
        return Reply(200, {"event_id": f"${named['transaction']}"})

    def _token(self, _asked: Asked, named: Named) -> Reply:
        token = self.tokens.get(named["token"])
        return Reply(200, token.shown()) if token else error(404, "M_NOT_FOUND", "Token not found")

    def _new_token(self, asked: Asked, _named: Named) -> Reply:
        body = asked.body
        if body["token"] in self.tokens:
            return error(400, "M_INVALID_PARAM", "Token already exists")
        token = self.tokens[body["token"]] = Token(**body)
        return Reply(200, token.shown())

    def _change_token(self, asked: Asked, named: Named) -> Reply:
        token = self.tokens.get(named["token"])
        if token is None:
            return error(404, "M_NOT_FOUND", "Token not found")
        token.uses_allowed, token.expiry_time = asked.body["uses_allowed"], asked.body["expiry_time"]
        return Reply(200, token.shown())

    def _drop_token(self, _asked: Asked, named: Named) -> Reply:
        token = self.tokens.pop(named["token"], None)
        return Reply(200, {}) if token else error(404, "M_NOT_FOUND", "Token not found")

    def register_by(self, code: str, localpart: str, password: str) -> bool:
        """Let a client register with this token; a use is consumed in one step."""
        with self._lock:
            token = self.tokens.get(code)
            if token is None or (token.uses_allowed is not None and token.completed >= token.uses_allowed):
                return False
            if token.expiry_time is not None and token.expiry_time < time.time() * 1000:
                return False
            token.completed += 1
            self.add(localpart, password)
            return True
