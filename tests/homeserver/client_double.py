"""A homeserver over HTTP on loopback, as its source shows it, with the differences that the adapters must know.

It checks every request: what such a server does not have, and keys that it would not read, are noted in `wrongs`, and
the fixture fails the test that made it do so. Nobody has compared it with a running server of that kind.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from tests.support.listening import Asked, Listener, Reply

TOKEN = "m.login.registration_token"
DUMMY = "m.login.dummy"
TAKEN = "Desired user ID is already taken."
IDENTIFIER = {"type": str, "user": str}
SPELLED = re.compile(r"[0-9a-z_\-=./+]+")

Named = Mapping[str, str]
Handler = Callable[[Asked, Named], Reply]


@dataclass(frozen=True)
class Route:
    """One thing that can be asked. body: key → type or shape, `?` for one that may be missing; None: no body at all."""

    method: str
    path: str
    handler: Handler
    body: Mapping[str, Any] | None = None
    query: tuple[str, ...] = ()
    needs: str = ""
    """Whose access token: "", "user" or "admin"."""


@dataclass
class Person:
    """One account there, open to the eyes of tests."""

    localpart: str
    password: str | None = field(default=None, repr=False)
    devices: dict[str, str] = field(default_factory=dict, repr=False)
    """Access token → device id."""
    seen: bool = False
    locked: bool = False
    deactivated: bool = False
    emails: list[str] = field(default_factory=list)
    rooms: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


@dataclass
class ClientDouble:
    """What a client may ask of every homeserver."""

    server_name: str = "localhost"
    software: tuple[str, str] = ("Conduit", "0.10")
    people: dict[str, Person] = field(default_factory=dict, init=False)
    wrongs: list[str] = field(default_factory=list, init=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, init=False, repr=False)

    def start(self) -> Listener:
        """Listen; the caller stops it."""
        return Listener(self.answer)

    def answer(self, asked: Asked) -> Reply:
        """Answer one request, with everything locked."""
        with self._lock:
            for route in self.routes():
                match = re.fullmatch(route.path, asked.path)
                if match and route.method == asked.method:
                    self.wrongs += [f"{route.method} {route.path}: {it}" for it in _complaints(asked, route)]
                    named = {name: unquote(text) for name, text in match.groupdict().items()}
                    return self._refuse_access(asked, route) or route.handler(asked, named)
            return self.unknown(asked)

    def routes(self) -> list[Route]:
        """What there is."""
        login = {"type": str, "identifier": IDENTIFIER, "password": str}
        devices = {"device_id?": str, "initial_device_display_name?": str}
        client = "/_matrix/client/v3"
        return [
            Route("GET", "/_matrix/client/versions", lambda *_: Reply(200, {"versions": ["v1.11"]})),
            Route("GET", "/_matrix/federation/v1/version", self._version),
            Route("GET", "/_matrix/client/v1/auth_metadata", lambda *_: error(404, "M_UNRECOGNIZED", "No")),
            Route("GET", f"{client}/password_policy", lambda *_: error(404, "M_UNRECOGNIZED", "No")),
            Route("GET", f"{client}/login", lambda *_: Reply(200, {"flows": [{"type": "m.login.password"}]})),
            Route("POST", f"{client}/login", self._login, body={**login, **devices}),
            Route("POST", f"{client}/logout", self._logout, body={}, needs="user"),
            Route("GET", f"{client}/profile/(?P<mxid>[^/]+)", self._profile),
            Route("GET", f"{client}/register/available", self._available, query=("username",)),
        ]

    def unknown(self, asked: Asked) -> Reply:
        """Answer what there is not."""
        self.wrongs.append(f"{asked.method} {asked.path} is not known")
        return error(404, "M_UNRECOGNIZED", "Unrecognized request")

    def add(self, localpart: str, password: str | None) -> Person:
        """Make an account without asking."""
        person = self.people[localpart] = Person(localpart, password)
        return person

    def refuse_name(self, localpart: str) -> Reply | None:
        """Say why no account of this name can be made; None: it can."""
        if len(f"@{localpart}:{self.server_name}") > 255 or not SPELLED.fullmatch(localpart):
            return error(400, "M_INVALID_USERNAME", "Username is invalid.")
        if localpart in self.people:
            return error(400, "M_USER_IN_USE", TAKEN)
        return None

    def add_device(self, person: Person, device_id: str | None) -> dict[str, str]:
        """Sign somebody in; the same device id again replaces that device."""
        device = device_id or secrets.token_hex(5).upper()
        person.devices = {token: it for token, it in person.devices.items() if it != device}
        token = secrets.token_urlsafe(16)
        person.devices[token] = device
        return {"access_token": token, "device_id": device}

    def mxid(self, localpart: str) -> str:
        """Return the whole id."""
        return f"@{localpart}:{self.server_name}"

    def find(self, mxid: str) -> Person | None:
        """Return whoever has this id."""
        localpart, _, server = mxid.removeprefix("@").partition(":")
        return self.people.get(localpart) if server == self.server_name else None

    def holder(self, asked: Asked) -> Person | None:
        """Return whose access token this is."""
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        return next((person for person in self.people.values() if token in person.devices), None)

    def is_admin(self, person: Person) -> bool:
        """Nobody here is."""
        return False

    def _refuse_access(self, asked: Asked, route: Route) -> Reply | None:
        if not route.needs:
            if "authorization" in asked.headers:
                self.wrongs.append(f"{route.method} {route.path} carries an access token")
            return None
        person = self.holder(asked)
        if person is None:
            return error(401, "M_UNKNOWN_TOKEN", "Unknown access token.")
        if route.needs == "admin" and not self.is_admin(person):
            return error(403, "M_FORBIDDEN", "Only server administrators can use this endpoint")
        return None

    def _version(self, _asked: Asked, _named: Named) -> Reply:
        name, version = self.software
        return Reply(200, {"server": {"name": name, "version": version}})

    def _login(self, asked: Asked, _named: Named) -> Reply:
        body = asked.body
        person = self.find(body["identifier"]["user"])
        if person is not None and person.deactivated:
            return error(403, "M_USER_DEACTIVATED", "The user has been deactivated")
        if person is None or person.password is None or person.password != body["password"]:
            return error(403, "M_FORBIDDEN", "Wrong username or password.")
        if person.locked:
            return error(401, "M_USER_LOCKED", "This account has been locked")
        person.seen = True
        return Reply(200, {"user_id": self.mxid(person.localpart), **self.add_device(person, body.get("device_id"))})

    def _logout(self, asked: Asked, _named: Named) -> Reply:
        person = self.holder(asked)
        assert person is not None
        del person.devices[asked.headers["authorization"].removeprefix("Bearer ")]
        return Reply(200, {})

    def _profile(self, _asked: Asked, named: Named) -> Reply:
        person = self.find(named["mxid"])
        if person is None or person.deactivated:
            return error(404, "M_NOT_FOUND", "Profile was not found.")
        return Reply(200, {"displayname": person.localpart})

    def _available(self, asked: Asked, _named: Named) -> Reply:
        return self.refuse_name(asked.query["username"][0].lower()) or Reply(200, {"available": True})


@dataclass
class UiaDouble(ClientDouble):
    """Conduit and its kin: a registration token and the stages of a flow.

    ignores_inhibit_login: gives a device all the same. lists_completed: says which stages are done.
    """

    registration_token: str = "conduit-token-of-ours"
    flows: list[list[str]] = field(default_factory=lambda: [[TOKEN]])
    allows_registration: bool = True
    ignores_inhibit_login: bool = False
    lists_completed: bool = True
    has_validity: bool = True
    forbidden: str = "forbidden-.*"
    _sessions: dict[str, set[str]] = field(default_factory=dict, init=False, repr=False)

    def routes(self) -> list[Route]:
        """The same, and a way to register."""
        account = {"username?": str, "password?": str, "inhibit_login?": bool, "device_id?": str}
        auth = {"type": str, "session": str, "token?": str}
        body = {**account, "initial_device_display_name?": str, "auth?": auth}
        validity = Route(
            "GET", f"/_matrix/client/v1/register/{re.escape(TOKEN)}/validity", self._validity, query=("token",)
        )
        register = Route("POST", "/_matrix/client/v3/register", self._register, body=body)
        return [*super().routes(), register, validity]

    def refuse_name(self, localpart: str) -> Reply | None:
        """Refuse what the owner forbids, too."""
        if re.fullmatch(self.forbidden, localpart):
            return error(400, "M_UNKNOWN", "Username is forbidden.")
        return super().refuse_name(localpart)

    def _validity(self, asked: Asked, _named: Named) -> Reply:
        if not self.has_validity:
            return error(404, "M_UNRECOGNIZED", "Unrecognized request")
        return Reply(200, {"valid": asked.query["token"] == [self.registration_token]})

    def _register(self, asked: Asked, _named: Named) -> Reply:
        body = asked.body
        if not self.allows_registration:
            return error(403, "M_FORBIDDEN", "Registration has been disabled.")
        localpart = body.get("username", secrets.token_hex(5)).lower()
        if refusal := self.refuse_name(localpart):
            return refusal
        session = body.get("auth", {}).get("session") or secrets.token_hex(8)
        if "auth" not in body:
            self._sessions[session] = set()
            return self._ask_more(session)
        if session not in self._sessions:
            return error(403, "M_FORBIDDEN", "UIAA session does not exist.")
        if refusal := self._do_stage(body["auth"], session):
            return refusal
        done = self._sessions[session]
        if not any(done.issuperset(flow) for flow in self.flows):
            return self._ask_more(session)
        del self._sessions[session]
        return self._make(localpart, body)

    def _do_stage(self, auth: Mapping[str, str], session: str) -> Reply | None:
        """Judge one stage; None: it is done."""
        if auth["type"] == TOKEN and auth.get("token") != self.registration_token:
            return self._ask_more(session, errcode="M_FORBIDDEN", error="Invalid registration token.")
        if "token" in auth and auth["type"] != TOKEN:
            self.wrongs.append(f"the token was sent in {auth['type']}")
        if auth["type"] not in (TOKEN, DUMMY) or not any(auth["type"] in flow for flow in self.flows):
            self.wrongs.append(f"{auth['type']} is not in the flows")
            return self._ask_more(session, errcode="M_UNRECOGNIZED", error="Unknown stage")
        self._sessions[session].add(auth["type"])
        return None

    def _ask_more(self, session: str, **more: str) -> Reply:
        flows = [{"stages": flow} for flow in self.flows]
        completed = {"completed": sorted(self._sessions[session])} if self.lists_completed else {}
        return Reply(401, {"flows": flows, "params": {}, "session": session, **completed, **more})

    def _make(self, localpart: str, body: Mapping[str, Any]) -> Reply:
        if "password" not in body:
            return error(400, "M_MISSING_PARAM", "Missing password")
        person = self.add(localpart, body["password"])
        made = {"user_id": self.mxid(localpart)}
        if body.get("inhibit_login") and not self.ignores_inhibit_login:
            return Reply(200, made)
        return Reply(200, {**made, **self.add_device(person, body.get("device_id"))})


def error(status: int, errcode: str, text: str) -> Reply:
    """Return a Matrix error."""
    return Reply(status, {"errcode": errcode, "error": text})


def _complaints(asked: Asked, route: Route) -> list[str]:
    """Return what is wrong with a request, as far as its form goes."""
    found = []
    if set(asked.query) != set(route.query):
        found.append(f"the query is {sorted(asked.query)}")
    if asked.headers.get("accept") != "application/json":
        found.append("it does not accept JSON")
    if route.body is None:
        return [*found, "it has a body"] if asked.text else found
    if asked.content_type != "application/json":
        found.append(f"it is {asked.content_type or 'of no type'}")
    return found + _misfits(asked.body, route.body)


def _misfits(body: Mapping[str, Any], shape: Mapping[str, Any], where: str = "") -> list[str]:
    known = {name.removesuffix("?"): kind for name, kind in shape.items()}
    found = [f"{where}{name} is unknown" for name in body if name not in known]
    found += [f"{where}{name} is missing" for name in shape if not name.endswith("?") and name not in body]
    for name, kind in known.items():
        if name not in body:
            continue
        if isinstance(kind, dict):
            inner = body[name] if isinstance(body[name], dict) else {}
            found += _misfits(inner, kind, where=f"{where}{name}.")
        elif not isinstance(body[name], kind):
            found.append(f"{where}{name} is no {kind}")
    return found
