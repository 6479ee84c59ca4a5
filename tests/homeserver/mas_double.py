"""A Matrix Authentication Service as its published API and its manual describe it, over HTTP on loopback.

It checks every request, and every answer of its own, against mas_schema.py. What nobody may ask, it notes in `wrongs`;
the fixture fails the test that made it do so. Nobody has compared it with a running service.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

from foyer.kit.clock import now
from tests.homeserver.mas_records import (
    Person,
    RegistrationToken,
    Session,
    complaints,
    matches,
    matrix_refusal,
    misanswered,
    moment_of,
    refusal,
    resource,
    score_of,
    shown_session,
    shown_token,
    single,
    spelled,
)
from tests.homeserver.mas_schema import API, SESSIONS, Operation, find
from tests.support.listening import Asked, Listener, Reply

CLIENT_ID = "01J44QC8BCY7FCFM7WGHQGKMTJ"
CLIENT_SECRET = "eequie6Oth4Ip2 In:ahT5/zQu8"
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
SITE: dict[str, Any] = {
    "server_name": "localhost",
    "password_login_enabled": True,
    "password_registration_enabled": False,
    "password_registration_email_required": True,
    "password_registration_token_required": False,
    "registration_token_required": False,
    "email_change_allowed": True,
    "displayname_change_allowed": True,
    "password_change_allowed": True,
    "account_recovery_allowed": False,
    "account_deactivation_allowed": True,
    "captcha_enabled": False,
    "minimum_password_complexity": 1,
}


@dataclass
class MasDouble:
    """The service. homeserver_has: asked before a name is given; provision, make_device: told of what is new.

    token_lifetime: of the client's access tokens, in seconds. page_limit: how many a page of a list has at most.
    takes_an_email_twice: as where two requests look for it before either writes.
    secret: what Synapse says when it asks whose an access token is. admins: tokens for Synapse's admin API → names.
    """

    homeserver_has: Callable[[str], bool] = lambda _name: False
    make_device: Callable[[str, str], None] = lambda _name, _device: None
    provision: Callable[[str], None] = lambda _name: None
    site: dict[str, Any] = field(default_factory=lambda: dict(SITE))
    clients: dict[str, str] = field(default_factory=lambda: {CLIENT_ID: CLIENT_SECRET})
    admin_clients: set[str] = field(default_factory=lambda: {CLIENT_ID})
    has_admin_api: bool = True
    has_compat: bool = True
    has_personal_sessions: bool = True
    takes_an_email_twice: bool = False
    token_lifetime: float = 300.0
    admin_device: str | None = "ADMINDEVICE"
    secret: str = "secret-of-the-two-servers"
    page_limit: int = 100
    people: dict[str, Person] = field(default_factory=dict, init=False)
    emails: list[dict[str, Any]] = field(default_factory=list, init=False)
    sessions: list[Session] = field(default_factory=list, init=False)
    tokens: list[RegistrationToken] = field(default_factory=list, init=False)
    wrongs: list[str] = field(default_factory=list, init=False)
    exchanges: list[dict[str, Any]] = field(default_factory=list, init=False, repr=False)
    tokens_given: int = field(default=0, init=False)
    admins: dict[str, str] = field(default_factory=dict, init=False)
    _access: dict[str, float] = field(default_factory=dict, init=False, repr=False)
    _compat: dict[str, Session] = field(default_factory=dict, init=False, repr=False)
    _last_id: int = field(default=0, init=False, repr=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, init=False, repr=False)

    def start(self) -> Listener:
        """Listen; the caller stops it."""
        return Listener(self.answer)

    def person(self, username: str) -> Person | None:
        """Whoever has this name."""
        return next((person for person in self.people.values() if person.username == username), None)

    def register(self, username: str, password: str) -> Person:
        """Let a person register at the service itself."""
        with self._lock:
            person = self._add_person(username)
            person.password = password
            self._add_session("user-sessions", person.id)
            return person

    def register_with_token(self, code: str, username: str, password: str, *, finish: bool) -> bool:
        """Let a person register with a registration token, as far as it lets them. It is used up at the end."""
        token = next((token for token in self.tokens if token.token == code), None)
        if token is None or not token.is_valid:
            return False
        if finish:
            token.times_used += 1
            self.register(username, password)
        return True

    def live_sessions(self, username: str) -> list[Session]:
        """Sessions of any kind that have not ended."""
        person = self.person(username)
        return [it for it in self.sessions if person and it.user_id == person.id and it.ended_at is None]

    def sign_in_at_browser(self, username: str) -> None:
        """Let a person sign in at the service's own pages, with an app behind it."""
        person = self.person(username)
        assert person is not None
        for kind in ("user-sessions", "oauth2-sessions", "personal-sessions"):
            self._add_session(kind, person.id)

    def forget_access(self) -> None:
        """Take back every access token that was given, as a restart with a new database would."""
        self._access.clear()

    def answer(self, asked: Asked) -> Reply:
        """Answer one request, with everything locked."""
        with self._lock:
            reply = self._answer(asked)
            self.exchanges.append({"asked": asked, "reply": reply})
            return reply

    def _answer(self, asked: Asked) -> Reply:
        if asked.path == "/oauth2/token":
            return self._give_token(asked)
        if asked.path == "/oauth2/introspect":
            return self._tell_whose(asked)
        if asked.path == "/.well-known/openid-configuration":
            issuer = "https://auth.example.org/"
            return Reply(200, {"issuer": issuer, "account_management_uri": f"{issuer}account"})
        if re.fullmatch(r"/_matrix/client/v3/(login|logout)", asked.path):
            return self._compatibility(asked)
        if not asked.path.startswith(API) or not self.has_admin_api:
            if not asked.path.startswith(API):
                self.wrongs.append(f"{asked.method} {asked.path} is not the service's")
            return Reply(404, None, content_type="text/html", text="<html>Not found</html>")
        found = find(asked.method, asked.path)
        if found is None:
            self.wrongs.append(f"{asked.method} {asked.path} is not known")
            return refusal(404, "Not found")
        if "personal-sessions" in asked.path and not self.has_personal_sessions:
            return Reply(404, None, content_type="text/html", text="<html>Not found</html>")
        operation, named = found
        self.wrongs += [f"{operation.name}: {complaint}" for complaint in complaints(asked, operation)]
        if reply := self._refuse_access(asked):
            return reply
        reply = self._do(operation, named, asked)
        self.wrongs += [f"answer of {operation.name}: {complaint}" for complaint in misanswered(operation, reply)]
        return reply

    def _do(self, operation: Operation, named: dict[str, str], asked: Asked) -> Reply:
        match operation.name.split():
            case ["version"]:
                return Reply(200, {"version": "v1.22.0"})
            case ["site-config"]:
                return Reply(200, self.site)
            case ["list", "emails" | "tokens"] | ["list", _] as words:
                return self._list(words[1], asked)
            case ["end", kind]:
                return self._end(kind, named["id"])
            case [_, "email"]:
                return self._email(asked, named)
            case [deed, "token"]:
                return self._token(deed, asked, named)
            case _:
                return self._user(operation.name, asked, named)

    def _user(self, deed: str, asked: Asked, named: dict[str, str]) -> Reply:
        if deed == "add user":
            return self._add(asked)
        if deed == "by-username":
            person = self.person(unquote(named["name"]))
            if person is None:
                return refusal(404, f'User with username "{unquote(named["name"])}" not found')
            return Reply(200, self._shown(person, asked.path))
        if deed == "set-password" and not self.site["password_login_enabled"]:
            return refusal(403, "Password auth is disabled")
        person = self.people.get(named["id"])
        if person is None:
            return refusal(404, f"User ID {named['id']} not found")
        if deed == "set-password":
            return self._set_password(person, asked.body)
        if deed == "lock":
            person.locked_at = person.locked_at or now()
        elif deed == "unlock":
            person.locked_at = None
        else:
            person.deactivated_at = None
        return Reply(200, self._shown(person, asked.path))

    def _add(self, asked: Asked) -> Reply:
        name = asked.body.get("username", "")
        if self.person(name):
            return refusal(409, "User already exists")
        if not re.fullmatch(r"[a-z0-9=./+-][a-z0-9=_./+-]{0,254}", name):
            return refusal(400, "Username is not valid")
        if self.homeserver_has(name):
            return refusal(409, "Username is reserved by the homeserver")
        person = self._add_person(name)
        self.provision(name)
        return Reply(201, self._shown(person))

    def _set_password(self, person: Person, body: dict[str, Any]) -> Reply:
        password = body.get("password", "")
        if not body.get("skip_password_check") and score_of(password) < self.site["minimum_password_complexity"]:
            return refusal(400, "Password is too weak")
        person.password = password
        return Reply(204)

    def _email(self, asked: Asked, named: dict[str, str]) -> Reply:
        if asked.method == "DELETE":
            entry = next((entry for entry in self.emails if entry["id"] == named["id"]), None)
            if entry is None:
                return refusal(404, f"User email ID {named['id']} not found")
            self.emails.remove(entry)
            return Reply(204)
        address = asked.body.get("email", "")
        if asked.body.get("user_id") not in self.people:
            return refusal(404, f"User ID {asked.body.get('user_id')} not found")
        if not re.fullmatch(r"[^@\s]+@[^@\s]+", address):
            return refusal(400, f'Email "{address}" is not valid', "Missing domain or user")
        is_known = any(entry["attributes"]["email"] == address for entry in self.emails)
        if is_known and not self.takes_an_email_twice:
            return refusal(409, f'User email "{address}" already in use')
        return Reply(201, single(self.add_email(asked.body["user_id"], address)))

    def add_email(self, user_id: str, address: str) -> dict[str, Any]:
        """Add an email, whoever has it, as another request at the same moment can."""
        attributes = {"created_at": spelled(now()), "user_id": user_id, "email": address}
        entry = resource("user-email", "user-emails", self._new_id(), attributes)
        self.emails.append(entry)
        return entry

    def _token(self, deed: str, asked: Asked, named: dict[str, str]) -> Reply:
        if deed == "add":
            if any(token.token == asked.body["token"] for token in self.tokens):
                return refusal(409, "A registration token with the same token already exists")
            ends = asked.body.get("expires_at")
            token = RegistrationToken(
                self._new_id(), asked.body["token"], asked.body.get("usage_limit"), moment_of(ends), created_at=now()
            )
            self.tokens.append(token)
            return Reply(201, single(shown_token(token)))
        found = next((token for token in self.tokens if token.id == named["id"]), None)
        if found is None:
            return refusal(404, f"Registration token with ID {named['id']} not found")
        if deed in ("revoke", "unrevoke") and (deed == "revoke") == (found.revoked_at is not None):
            said = "is already" if deed == "revoke" else "is not"
            return refusal(400, f"Registration token with ID {found.id} {said} revoked")
        if deed in ("revoke", "unrevoke"):
            found.revoked_at = now() if deed == "revoke" else None
        if "usage_limit" in asked.body:
            found.usage_limit = asked.body["usage_limit"]
        if "expires_at" in asked.body:
            found.expires_at = moment_of(asked.body["expires_at"])
        return Reply(200, single(shown_token(found), asked.path))

    def _list(self, kind: str, asked: Asked) -> Reply:
        query = {key: values[0] for key, values in asked.query.items()}
        if kind == "tokens":
            entries = [shown_token(token) for token in self.tokens]
        elif kind == "emails":
            entries = [entry for entry in self.emails if matches(entry, query)]
        else:
            whose = query.get("filter[actor_user]" if kind == "personal-sessions" else "filter[user]")
            if whose is not None and whose not in self.people:
                return refusal(404, f"User ID {whose} not found")
            found = [it for it in self.sessions if it.kind == kind and whose in (None, it.user_id)]
            if status := query.get("filter[status]"):
                found = [it for it in found if (it.ended_at is None) == (status == "active")]
            entries = [shown_session(it) for it in found]
        size = min(int(query.get("page[first]", "10")), self.page_limit)
        rest = [entry for entry in entries if entry["id"] > query.get("page[after]", "")]
        page = [{**entry, "meta": {"page": {"cursor": entry["id"]}}} for entry in rest[:size]]
        links = {"self": f"{asked.path}?page[first]={size}", "first": f"{asked.path}?page[first]={size}"}
        if len(rest) > size:
            links["next"] = f"{asked.path}?page[after]={page[-1]['id']}&page[first]={size}"
        return Reply(200, {"meta": {"count": len(entries)}, "data": page, "links": links})

    def _end(self, kind: str, identifier: str) -> Reply:
        session = next((it for it in self.sessions if it.kind == kind and it.id == identifier), None)
        if session is None:
            return refusal(404, f"Session with ID {identifier} not found")
        if session.ended_at is not None:
            return refusal(409 if kind == "personal-sessions" else 400, f"Session with ID {identifier} has ended")
        session.ended_at = now()
        return Reply(200, single(shown_session(session)))

    def _give_token(self, asked: Asked) -> Reply:
        form = {key: values[0] for key, values in parse_qs(asked.text).items()}
        if asked.method != "POST" or asked.content_type != "application/x-www-form-urlencoded":
            self.wrongs.append(f"{asked.method} /oauth2/token with {asked.content_type}")
        if form != {"grant_type": "client_credentials", "scope": "urn:mas:admin"}:
            self.wrongs.append(f"/oauth2/token is asked {sorted(form)}")
        scheme, _, encoded = asked.headers.get("authorization", "").partition(" ")
        name, _, secret = base64.b64decode(encoded).decode().partition(":")
        if scheme != "Basic" or self.clients.get(name) != secret:
            return Reply(401, {"error": "invalid_client", "error_description": "Client authentication failed"})
        if name not in self.admin_clients:
            return Reply(403, {"error": "invalid_scope", "error_description": "urn:mas:admin is not allowed"})
        text = f"mat_{secrets.token_hex(15)}"
        self._access[text] = time.monotonic() + self.token_lifetime
        self.tokens_given += 1
        answer = {"access_token": text, "token_type": "Bearer", "expires_in": int(self.token_lifetime)}
        return Reply(200, {**answer, "scope": "urn:mas:admin"})

    def _tell_whose(self, asked: Asked) -> Reply:
        """Answer Synapse, which has been given an access token."""
        if asked.headers.get("authorization") != f"Bearer {self.secret}":
            return Reply(401, {"error": "invalid_client"})
        token = parse_qs(asked.text)["token"][0]
        if token in self._access:
            return Reply(200, {"active": True, "scope": "urn:mas:admin", "expires_in": 300})
        name, scope = self.admins.get(token), "urn:matrix:client:api:* urn:synapse:admin:*"
        device = self.admin_device
        if name is None and token in self._compat:
            session, scope = self._compat[token], "urn:matrix:client:api:*"
            name, device = self.people[session.user_id].username, session.device
        if name is None:
            return Reply(200, {"active": False})
        return Reply(200, {"active": True, "scope": scope, "username": name, "sub": name, "device_id": device})

    def _refuse_access(self, asked: Asked) -> Reply | None:
        scheme, _, token = asked.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not token:
            self.wrongs.append(f"{asked.method} {asked.path} without an access token")
            return refusal(400, "Missing authorization header")
        if token not in self._access:
            return refusal(401, "Unknown access token")
        return refusal(401, "Access token expired") if self._access[token] <= time.monotonic() else None

    def _compatibility(self, asked: Asked) -> Reply:
        if not self.has_compat:
            return Reply(404, None, content_type="text/html", text="<html>Not found</html>")
        if asked.path.endswith("logout"):
            session = self._compat.pop(asked.headers.get("authorization", "").removeprefix("Bearer "), None)
            if session is None or session.ended_at is not None:
                return matrix_refusal(401, "M_UNKNOWN_TOKEN", "Invalid access token")
            session.ended_at = now()
            return Reply(200, {})
        flows = [{"type": "m.login.password"}] if self.site["password_login_enabled"] else []
        if asked.method == "GET":
            return Reply(200, {"flows": [*flows, {"type": "m.login.sso"}, {"type": "m.login.token"}]})
        if not flows:
            return matrix_refusal(400, "M_UNRECOGNIZED", "Invalid login type")
        return self._log_in(asked.body)

    def _log_in(self, body: dict[str, Any]) -> Reply:
        name = body["identifier"]["user"].removeprefix("@").partition(":")[0]
        person = self.person(name)
        if person is None or person.deactivated_at:
            return matrix_refusal(403, "M_FORBIDDEN", "Invalid username/password")
        if person.locked_at:  # before the password is looked at
            return matrix_refusal(401, "M_USER_LOCKED", "User account has been locked")
        if person.password is None or person.password != body["password"]:
            return matrix_refusal(403, "M_FORBIDDEN", "Invalid username/password")
        session = self._add_session("compat-sessions", person.id)
        session.device = body.get("device_id") or secrets.token_hex(5).upper()
        self.make_device(name, session.device)
        text = f"mct_{secrets.token_hex(15)}"
        self._compat[text] = session
        mxid = f"@{name}:{self.site['server_name']}"
        return Reply(200, {"access_token": text, "device_id": session.device, "user_id": mxid})

    def _add_person(self, username: str) -> Person:
        person = Person(self._new_id(), username, created_at=now())
        self.people[person.id] = person
        return person

    def _add_session(self, kind: str, user_id: str) -> Session:
        assert kind in SESSIONS
        session = Session(self._new_id(), kind, user_id, created_at=now())
        self.sessions.append(session)
        return session

    def _new_id(self) -> str:
        """Return a ULID, later than all before."""
        self._last_id = max(self._last_id + 1, int(time.time() * 1000) << 80)
        return "".join(CROCKFORD[(self._last_id >> shift) & 31] for shift in range(125, -1, -5))

    def _shown(self, person: Person, path: str = "") -> dict[str, Any]:
        attributes = {
            "username": person.username,
            "created_at": spelled(person.created_at),
            "locked_at": spelled(person.locked_at),
            "deactivated_at": spelled(person.deactivated_at),
            "admin": False,
            "legacy_guest": False,
        }
        return single(resource("user", "users", person.id, attributes), path)


def dump(exchanges: list[dict[str, Any]]) -> Iterator[str]:
    """Yield every exchange with the admin API as a line of JSON, to be compared with the published API."""
    for exchange in exchanges:
        asked, reply = exchange["asked"], exchange["reply"]
        if asked.path.startswith(API):
            body = json.loads(asked.text) if asked.text else None
            said = {"method": asked.method, "path": asked.path, "query": asked.query, "body": body}
            yield json.dumps({**said, "status": reply.status, "answer": reply.body})
