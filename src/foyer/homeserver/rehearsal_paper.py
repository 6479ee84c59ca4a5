"""What homeservers would answer about one account that is not there, so that a journey can be walked on paper.

The adapters are the real ones, and so are the reads that are not about this account. Only success is imagined.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from foyer.homeserver.http import Answer
from foyer.kit.clock import now

ULID = "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"
"""Later than every id that the Matrix Authentication Service has given."""
MAS = "/api/admin/v1"
SYNAPSE = "/_synapse/admin/v1"
REGISTER = "/_matrix/client/v3/register"
TOKEN = "m.login.registration_token"


@dataclass
class Imagination:
    """One account, from nothing on."""

    localpart: str
    mxid: str
    is_made: bool = field(default=False, init=False)
    is_locked: bool = field(default=False, init=False)

    def __call__(self, method: str, path: str, body: Any) -> Answer | None:
        """Return the answer that would come; None: really ask, or nobody knows."""
        found = self._answer(f"{method} {unquote(path)}", body if isinstance(body, dict) else {})
        if found is None:
            return None
        status, said = found
        return Answer(status, said, f"{method} on paper")

    def _answer(self, asked: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        user = f"/_synapse/admin/v2/users/{self.mxid}"
        if asked == f"POST {SYNAPSE}/register" or (asked == f"POST {REGISTER}" and "auth" in body):
            self.is_made = True
            return 200, {"user_id": self.mxid}
        if asked == f"POST {REGISTER}":
            return 401, {"session": "paper", "flows": [{"stages": [TOKEN]}]}
        if asked == f"PUT {user}":
            return self._put(body)
        if asked == f"GET {user}" and self.is_made:
            return 200, {"locked": self.is_locked, "threepids": [], "creation_ts": int(now().timestamp())}
        if asked == f"GET {user}/devices":
            return 200, {"devices": []}
        if re.match(rf"(POST {SYNAPSE}/(reset_password|join)/|PUT {SYNAPSE}/send_server_notice/)", asked):
            return 200, {}
        if asked == "POST /_matrix/consent":
            return 200, {}
        return self._mas(asked)

    def _put(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        status = 200 if self.is_made else 201
        self.is_made = True
        self.is_locked = body.get("locked", self.is_locked) is True
        return status, {}

    def _mas(self, asked: str) -> tuple[int, dict[str, Any]] | None:
        if asked == f"POST {MAS}/users":
            self.is_made = True
            return 201, self._person()
        if asked == f"GET {MAS}/users/by-username/{self.localpart}" and self.is_made:
            return 200, self._person()
        if deed := re.fullmatch(rf"POST {MAS}/users/{ULID}/(set-password|lock|unlock)", asked):
            self.is_locked = self.is_locked if deed[1] == "set-password" else deed[1] == "lock"
            return 200, {}
        if asked == f"POST {MAS}/user-emails":
            return 201, _resource("user-email", {"user_id": ULID})
        return None

    def _person(self) -> dict[str, Any]:
        moment = now().isoformat()
        locked_at = moment if self.is_locked else None
        attributes = {"username": self.localpart, "created_at": moment, "locked_at": locked_at, "deactivated_at": None}
        return _resource("user", {**attributes, "admin": False})


def _resource(kind: str, attributes: dict[str, Any]) -> dict[str, Any]:
    return {"data": {"type": kind, "id": ULID, "attributes": attributes}}
