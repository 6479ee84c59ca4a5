"""Dendrite, as its source shows it: the shared secret's endpoint, and what a client may ask."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field

from tests.homeserver.client_double import ClientDouble, Named, Route, error
from tests.support.listening import Asked, Reply

ENDPOINT = "/_synapse/admin/v1/register"
SHORTEST, LONGEST = 8, 512


@dataclass
class DendriteDouble(ClientDouble):
    """A nonce stays good for minutes and may be used again; every account begins with a device."""

    software: tuple[str, str] = ("Dendrite", "0.14")
    shared_secret: str = "dendrite-secret-of-ours"
    _nonces: set[str] = field(default_factory=set, init=False, repr=False)

    def routes(self) -> list[Route]:
        """The endpoint is there only while there is a secret."""
        body = {"nonce": str, "username": str, "password": str, "mac": str, "admin?": bool, "inhibit_login?": bool}
        own = [
            Route("GET", ENDPOINT, self._nonce),
            Route("POST", ENDPOINT, self._register, body=body),
        ]
        return super().routes() + (own if self.shared_secret else [])

    def unknown(self, asked: Asked) -> Reply:
        """Without a secret the endpoint is missing, which may be found out."""
        if asked.path == ENDPOINT and asked.method == "GET":
            return error(404, "M_UNRECOGNIZED", "Unrecognized request")
        return super().unknown(asked)

    def refuse_name(self, localpart: str) -> Reply | None:
        """Refuse a leading underscore and, at the client's endpoint, a number."""
        if localpart.startswith("_"):
            return error(400, "M_INVALID_USERNAME", "Username cannot start with a '_'")
        return super().refuse_name(localpart)

    def _nonce(self, _asked: Asked, _named: Named) -> Reply:
        nonce = secrets.token_hex(8)
        self._nonces.add(nonce)
        return Reply(200, {"nonce": nonce})

    def _register(self, asked: Asked, _named: Named) -> Reply:
        body = asked.body
        if body["nonce"] not in self._nonces:
            return Reply(500, {"message": f"incorrect or expired nonce: {body['nonce']}"})
        message = "\0".join((body["nonce"], body["username"], body["password"], "notadmin"))
        mac = hmac.new(self.shared_secret.encode(), message.encode(), hashlib.sha1).hexdigest()
        if body.get("admin"):
            self.wrongs.append("an administrator was asked for")
        if not re.fullmatch(r"[0-9a-f]{40}", body["mac"]) or not hmac.compare_digest(mac, body["mac"]):
            return error(403, "M_FORBIDDEN", "bad mac")
        if refusal := self.refuse_name(body["username"].lower()):
            return refusal
        if not SHORTEST <= len(body["password"]) <= LONGEST:
            return error(400, "M_WEAK_PASSWORD", f"password too weak: must be at least {SHORTEST} characters")
        person = self.add(body["username"].lower(), body["password"])
        made = {"user_id": self.mxid(person.localpart)}
        return Reply(200, {**made, **self.add_device(person, "shared_secret_registration")})
