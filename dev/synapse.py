"""A real Synapse on loopback, ready in about three seconds: the homeserver of the demo and of the tests.

with Synapse.start(Path("/tmp/somewhere")) as synapse:
    status, answer = synapse.login("maria", "a password")
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
import signal
import subprocess
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from dev import environments, processes

REQUIREMENTS = Path(__file__).with_name("synapse_requirements.txt")
ADMIN = "foyer-admin"
SERVER_NOTICES: dict[str, Any] = {
    "server_notices": {"system_mxid_localpart": "notices", "system_mxid_display_name": "Server", "room_name": "Notices"}
}
"""Pass as extra_config to switch server notices on."""

_SECONDS_TO_START = 120.0
_SECONDS_TO_ANSWER = 60.0


def install() -> Path:
    """Put Synapse into an environment of its own under .cache/; returns that environment's Python.

    Raises:
        SetupError: it could not be installed.
    """
    return environments.ensure_environment("synapse", REQUIREMENTS)


@dataclass
class Synapse:
    """One running homeserver. Everything it writes is in `directory`; its log is `synapse.log` there."""

    directory: Path
    port: int
    server_name: str
    shared_secret: str
    """The registration shared secret. Synapse does not know it when it was started without one."""
    admin_password: str = field(repr=False)
    admin_token: str = field(default="", repr=False)
    config: dict[str, Any] = field(default_factory=dict, repr=False)
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @classmethod
    def start(
        cls,
        directory: Path,
        *,
        port: int = 0,
        server_name: str = "localhost",
        registration_shared_secret: bool = True,
        bcrypt_rounds: int = 4,
        extra_config: dict[str, Any] | None = None,
    ) -> Synapse:
        """Start a Synapse with an administrator of its own, installing it first where needed.

        Args:
            directory: where it keeps its database and its log; a used one starts with what it holds.
            port: on 127.0.0.1; 0 takes a free one. restart() keeps it.
            registration_shared_secret: False leaves the secret out of its configuration, once the administrator exists.
            extra_config: keys of homeserver.yaml, laid over ours.

        Raises:
            SetupError: Synapse could not be installed.
            NotReady: it did not start; the text has the end of its log.
        """
        directory.mkdir(parents=True, exist_ok=True)
        made = cls(
            directory=directory.resolve(),
            port=port or processes.free_port(),
            server_name=server_name,
            shared_secret=_kept(directory / "shared-secret"),
            admin_password=_kept(directory / "admin-password"),
        )
        made.config = _configuration(made, bcrypt_rounds) | (extra_config or {})
        made.config["registration_shared_secret"] = made.shared_secret
        made._launch()
        made.admin_token = made._sign_in_administrator()
        if not registration_shared_secret:
            del made.config["registration_shared_secret"]
            made.restart()
        return made

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The address of its client and admin API."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """Everything it printed since it was first started."""
        return self.directory / "synapse.log"

    def stop(self) -> None:
        """End it in order; what it holds stays in the directory."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop it where it runs, and start it again: same port, same people, configuration from `config`."""
        self.stop()
        self._launch()

    def pause(self) -> None:
        """Freeze it: connections are taken and nothing is answered, until resume()."""
        if self.process is not None:
            self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after pause()."""
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)

    def request(
        self, method: str, path: str, body: object = None, *, token: str | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Ask its API and return the status and the answer; an error status is an answer too.

        Raises:
            OSError: nobody answers.
        """
        request = urllib.request.Request(self.url + path, method=method)
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with processes.open_directly(request, seconds=_SECONDS_TO_ANSWER) as answer:
                return answer.status, _object(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, _object(error.read())

    def admin(self, method: str, path: str, body: object = None) -> tuple[int, dict[str, Any]]:
        """Ask its API as the administrator."""
        return self.request(method, path, body, token=self.admin_token)

    def login(self, user: str, password: str) -> tuple[int, dict[str, Any]]:
        """Sign in with a password, as a client does; the answer's `access_token` is a new device's."""
        identifier = {"type": "m.id.user", "user": user}
        body = {"type": "m.login.password", "identifier": identifier, "password": password}
        return self.request("POST", "/_matrix/client/v3/login", body)

    def register(self, user: str, password: str, *, admin: bool = False) -> tuple[int, dict[str, Any]]:
        """Make an account by the shared secret, without a device."""
        nonce = self.request("GET", "/_synapse/admin/v1/register")[1].get("nonce", "")
        parts = (nonce, user, password, "admin" if admin else "notadmin")
        mac = hmac.new(self.shared_secret.encode(), "\0".join(parts).encode(), hashlib.sha1).hexdigest()
        body = {"nonce": nonce, "username": user, "password": password, "admin": admin, "mac": mac}
        return self.request("POST", "/_synapse/admin/v1/register", body | {"inhibit_login": True})

    def user(self, localpart: str) -> dict[str, Any] | None:
        """One account as the Admin API shows it, or None."""
        mxid = quote(f"@{localpart}:{self.server_name}", safe="")
        status, answer = self.admin("GET", f"/_synapse/admin/v2/users/{mxid}")
        return answer if status == 200 else None

    def users(self) -> list[dict[str, Any]]:
        """Every account as the Admin API lists it, locked and deactivated ones too, without the administrator."""
        found: list[dict[str, Any]] = []
        start: str | int | None = 0
        while start is not None:
            query = f"from={start}&limit=1000&guests=false&deactivated=true&locked=true"
            page = self.admin("GET", f"/_synapse/admin/v2/users?{query}")[1]
            found += page["users"]
            start = page.get("next_token")
        return [user for user in found if user["name"] != f"@{ADMIN}:{self.server_name}"]

    def _launch(self) -> None:
        python = install()
        path = self.directory / "homeserver.yaml"
        path.write_text(json.dumps(self.config, indent=1))  # JSON is YAML.
        path.chmod(0o600)
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COVERAGE"))}
        self.process = processes.spawn(
            [python, "-m", "synapse.app.homeserver", "-c", path], log=self.log, cwd=self.directory, env=environment
        )
        processes.wait_until(self._answers, self.process, log=self.log, seconds=_SECONDS_TO_START)

    def _answers(self) -> bool:
        try:
            return self.request("GET", "/_matrix/client/versions")[0] == 200
        except OSError:
            return False

    def _end(self, number: signal.Signals) -> None:
        if self.process is not None:
            processes.stop(self.process, number=number)
            self.process = None

    def _sign_in_administrator(self) -> str:
        status, answer = self.register(ADMIN, self.admin_password, admin=True)
        if status != 200 and answer.get("errcode") != "M_USER_IN_USE":
            raise processes.NotReady(f"Synapse did not make its administrator: {status} {answer}")
        status, answer = self.login(ADMIN, self.admin_password)
        if status != 200:
            raise processes.NotReady(f"Synapse did not sign its administrator in: {status} {answer}")
        return str(answer["access_token"])


def _object(body: bytes) -> dict[str, Any]:
    answer = json.loads(body or b"{}")
    return answer if isinstance(answer, dict) else {"answer": answer}


def _kept(path: Path) -> str:
    """The secret in this file; a new one the first time."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(24))
    return path.read_text()


def _signing_key(directory: Path) -> Path:
    path = directory / "signing.key"
    if not path.exists():
        seed = base64.b64encode(secrets.token_bytes(32)).decode().rstrip("=")
        path.touch(mode=0o600)
        path.write_text(f"ed25519 a_foyer {seed}\n")
    return path


def _configuration(synapse: Synapse, bcrypt_rounds: int) -> dict[str, Any]:
    """Everything local, nothing asked of other servers, and no rate limit that a test could meet."""
    directory = synapse.directory
    often = {"per_second": 10_000, "burst_count": 10_000}
    listener = {
        "port": synapse.port,
        "type": "http",
        "bind_addresses": ["127.0.0.1"],
        "resources": [{"names": ["client"]}],
    }
    return {
        "server_name": synapse.server_name,
        "public_baseurl": f"http://localhost:{synapse.port}/",
        "listeners": [listener],
        "database": {"name": "sqlite3", "args": {"database": str(directory / "homeserver.db")}},
        "media_store_path": str(directory / "media"),
        "signing_key_path": str(_signing_key(directory)),
        "macaroon_secret_key": _kept(directory / "macaroon-secret"),
        "form_secret": _kept(directory / "form-secret"),
        "report_stats": False,
        "trusted_key_servers": [],
        "federation_domain_whitelist": [],
        "enable_registration": False,
        "bcrypt_rounds": bcrypt_rounds,
        "presence": {"enabled": False},
        # A new database makes its last indexes after the start; with the usual pauses in between that takes a minute.
        "background_updates": {"sleep_enabled": False},
        "rc_login": {"address": often, "account": often, "failed_attempts": often},
        "rc_registration": often,
        "rc_registration_token_validity": often,
        "rc_message": often,
        "rc_joins": {"local": often, "remote": often},
        "rc_joins_per_room": often,
        "rc_invites": {"per_room": often, "per_user": often, "per_issuer": often},
        "rc_room_creation": often,
        "rc_3pid_validation": often,
    }
