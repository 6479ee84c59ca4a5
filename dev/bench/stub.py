"""A homeserver that answers at once: `python -m dev.bench.stub PORT`.

It knows what a registration by the shared secret asks of Synapse, remembers the accounts in memory, and hashes
nothing. So what is measured before it is Foyer.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import json
import sys
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

SHARED_SECRET = "the shared secret of the stub"
SERVER_NAME = "localhost"

Reply = tuple[int, dict[str, Any]]
_NO_SUCH = (404, {"errcode": "M_NOT_FOUND", "error": "User was not found"})

_ALWAYS: dict[tuple[str, str], Reply] = {
    ("POST", "/_matrix/client/v3/logout"): (200, {}),
    ("GET", "/_matrix/client/v3/password_policy"): (200, {}),
    ("GET", "/_matrix/client/versions"): (200, {"versions": ["v1.11"]}),
    ("GET", "/_matrix/client/r0/account/whoami"): (200, {"user_id": f"@admin:{SERVER_NAME}"}),
}


class Accounts:
    """Who is registered, and what is answered to which question."""

    def __init__(self) -> None:
        self._passwords: dict[str, str] = {}
        self._nonces: set[str] = set()
        self._numbers = itertools.count(1)

    def reply(self, method: str, target: str, body: bytes) -> Reply:
        """Answer one request."""
        path = urlsplit(target).path
        match method, path:
            case "GET", "/_synapse/admin/v1/register":
                return self._nonce()
            case "POST", "/_synapse/admin/v1/register":
                return self._register(json.loads(body))
            case "POST", "/_matrix/client/v3/login":
                return self._sign_in(json.loads(body))
            case "GET", "/stub/accounts":
                return 200, {"accounts": len(self._passwords)}
            case "GET", "/_synapse/admin/v1/username_available":
                return self._available(parse_qs(urlsplit(target).query)["username"][0])
            case "GET", _ if path.startswith("/_matrix/client/v3/profile/"):
                return (200, {}) if _localpart(unquote(path.rpartition("/")[2])) in self._passwords else _NO_SUCH
        return _ALWAYS.get((method, path), (404, {"errcode": "M_UNRECOGNIZED", "error": "Unrecognized request"}))

    def _nonce(self) -> Reply:
        nonce = f"nonce-{next(self._numbers)}"
        self._nonces.add(nonce)
        return 200, {"nonce": nonce}

    def _register(self, asked: dict[str, Any]) -> Reply:
        name, password, nonce = asked["username"], asked["password"], asked["nonce"]
        message = "\0".join((nonce, name, password, "notadmin")).encode()
        if nonce not in self._nonces:
            return 400, {"errcode": "M_UNKNOWN", "error": "unrecognised nonce"}
        self._nonces.discard(nonce)
        if not hmac.compare_digest(asked["mac"], hmac.new(SHARED_SECRET.encode(), message, hashlib.sha1).hexdigest()):
            return 403, {"errcode": "M_UNKNOWN", "error": "HMAC incorrect"}
        if name in self._passwords:
            return 400, {"errcode": "M_USER_IN_USE", "error": "User ID already taken."}
        self._passwords[name] = password
        return 200, {"user_id": f"@{name}:{SERVER_NAME}", "home_server": SERVER_NAME, **self._device()}

    def _sign_in(self, asked: dict[str, Any]) -> Reply:
        name = _localpart(asked["identifier"]["user"])
        if self._passwords.get(name) != asked["password"]:
            return 403, {"errcode": "M_FORBIDDEN", "error": "Invalid username or password"}
        return 200, {"user_id": f"@{name}:{SERVER_NAME}", **self._device()}

    def _device(self) -> dict[str, str]:
        number = next(self._numbers)
        return {"access_token": f"stub-token-{number}", "device_id": f"STUB{number}"}

    def _available(self, name: str) -> Reply:
        if name in self._passwords:
            return 400, {"errcode": "M_USER_IN_USE", "error": "User ID already taken."}
        return 200, {"available": True}


def _localpart(user: str) -> str:
    return user.removeprefix("@").partition(":")[0]


class Talk(asyncio.Protocol):
    """One connection, kept open."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what asyncio promises of a stream
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        self._buffer += data
        while (head_end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:head_end].decode("latin-1")
            body_end = head_end + 4 + _length(head)
            if len(self._buffer) < body_end:
                return
            body, self._buffer = self._buffer[head_end + 4 : body_end], self._buffer[body_end:]
            method, target, _ = head.split(" ", 2)
            self._answer(*self._accounts.reply(method, target, body))

    def _answer(self, status: int, answer: dict[str, Any]) -> None:
        text = json.dumps(answer).encode()
        head = f"HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n"
        if self._transport is not None:
            self._transport.write(head.encode() + text)


def _length(head: str) -> int:
    for line in head.split("\r\n")[1:]:
        name, _, value = line.partition(":")
        if name.lower() == "content-length":
            return int(value)
    return 0


async def serve(port: int) -> None:
    """Answer on loopback for ever."""
    accounts = Accounts()
    server = await asyncio.get_running_loop().create_server(lambda: Talk(accounts), "127.0.0.1", port, backlog=256)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
