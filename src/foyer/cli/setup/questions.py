"""What `foyer setup` asks, and what it says before each question."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path
from typing import Any

from foyer.cli.setup.asking import ask, explain, yes
from foyer.cli.setup.looking import accounts_are_elsewhere, software
from foyer.config import places, values
from foyer.config.database import parse_database

LOCAL = ("localhost", "127.0.0.1", "[::1]")
SECRET_BYTES = 32
KINDS = {"synapse": "synapse", "dendrite": "dendrite", "tuwunel": "tuwunel"}
"""What a homeserver calls itself → homeserver.kind; all others register people as a client."""


def server_name() -> dict[str, Any]:
    """Ask what the server is called."""
    explain(
        "Your server's name is what follows the colon in its Matrix addresses: `server_name` in homeserver.yaml, "
        "Synapse's configuration."
    )
    return {"server_name": ask("Server name", places.server_name)}


def homeserver() -> dict[str, Any]:
    """Ask where Synapse is, and for what it lets us in."""
    explain("Where Synapse's client API answers: the port under `listeners` in homeserver.yaml, best on this machine.")
    url = ask("Synapse's URL", places.homeserver_url, default="http://127.0.0.1:8008")
    if accounts_are_elsewhere(url):
        return {"homeserver": {"kind": "mas", "url": url, **_authentication_service()}}
    kind = KINDS.get(name := software(url), "uia" if name else "synapse")
    if kind != "synapse":
        explain(f"{name.capitalize()} answers there: docs/homeservers/{kind}.md says what Foyer can do with it.")
        return {"homeserver": {"kind": kind, "url": url, **_other_credentials(kind)}}
    while True:
        explain(
            "With the shared secret Foyer makes accounts. It stands in homeserver.yaml as "
            "`registration_shared_secret`; if there is none, add one and restart Synapse. What you type is not shown."
        )
        secret = ask("registration_shared_secret (Enter: none)", _optional_secret, hidden=True)
        explain(
            "With an admin's access token Foyer also puts newcomers into rooms, welcomes them, and finds out what "
            "became of an account when Synapse breaks off in the middle. Sign in with an admin account; in Element the "
            "token stands under All settings, Help & About, Advanced. What you type is not shown."
        )
        token = ask("admin_token (Enter: none)", _optional_secret, hidden=True)
        if secret or token:
            break
        ask("One of the two is needed. Press Enter to try again", _must_be_a_person)
    return {"homeserver": {"url": url, "registration_shared_secret": secret, "admin_token": token}}


def _other_credentials(kind: str) -> dict[str, Any]:
    """Ask what servers other than Synapse let us in for."""
    if kind == "uia":
        explain(
            "Foyer registers people there by a registration token of the server's own, which people never see. Switch "
            "registration on there with a token that has no limit. What you type is not shown."
        )
        return {"registration_token": ask("registration_token", _some_word, hidden=True)}
    explain(
        "Foyer makes accounts there by the shared secret, `registration_shared_secret` in the server's configuration. "
        "What you type is not shown."
    )
    keys = {"registration_shared_secret": ask("registration_shared_secret", _some_word, hidden=True)}
    if kind == "tuwunel":
        explain("With an admin's access token Foyer also puts newcomers into rooms and welcomes them.")
        token = ask("admin_token (Enter: none)", _optional_secret, hidden=True)
        return {**keys, "admin_token": token}
    return keys


def _authentication_service() -> dict[str, Any]:
    """Ask where the accounts are, and for what that lets us in."""
    explain(
        "The Matrix Authentication Service makes the accounts of this homeserver. Where does it answer? The listener "
        "needs `oauth` and `adminapi` among its resources; docs/homeservers/mas.md has every step."
    )
    url = ask("URL of the service", places.base_url("http://127.0.0.1:8080"), default="http://127.0.0.1:8080")
    explain(
        "Foyer is a client of the service: one under `clients` in its config.yaml that stands under "
        "policy.data.admin_clients, too. What you type of the secret is not shown."
    )
    client_id = ask("client_id", _some_word)
    client_secret = ask("client_secret", _some_word, hidden=True)
    explain(
        "With an access token for Synapse's admin API Foyer also puts newcomers into rooms and welcomes them. `mas-cli "
        "manage issue-compatibility-token NAME --yes-i-want-to-grant-synapse-admin-privileges` prints one."
    )
    token = ask("admin_token (Enter: none)", _optional_secret, hidden=True)
    return {"mas": {"url": url, "client_id": client_id, "client_secret": client_secret}, "admin_token": token}


def door(name: str) -> dict[str, Any]:
    """Ask where people reach Foyer."""
    explain("Where people will reach Foyer. It may have a path, as in https://example.org/join.")
    default = "http://localhost:5000" if name.partition(":")[0] in LOCAL else f"https://join.{name.partition(':')[0]}"
    public_url = ask("Public URL", places.base_url("https://join.example.org"), default=default)
    explain("Where Foyer listens. A proxy such as nginx or Caddy passes the public URL on to it.")
    listen = ask("Listen on", places.listen, default="127.0.0.1:5000")
    chosen: dict[str, Any] = {"public_url": public_url, "listen": str(listen)}
    explain(
        "If a proxy on this machine passes requests on, Foyer must believe what it says of whom they come from. Say no "
        "if people reach Foyer directly."
    )
    if yes("Is there a proxy on this machine", default=public_url.startswith("https:")):
        chosen["trusted_proxies"] = ["127.0.0.1", "::1"]
    return chosen


def database(folder: Path) -> dict[str, Any]:
    """Ask where the tables are kept."""
    explain(
        "Where Foyer keeps invitations and the rest. A file does for most; for several machines name a PostgreSQL "
        "database, as in postgresql://user:password@host/foyer."
    )
    url = ask("Database", _database_url, default=f"sqlite:///{folder / 'foyer.sqlite3'}")
    if url.startswith("sqlite:"):
        return {"database": url}
    return {"database": url, "secret_key": secrets.token_urlsafe(48)}


def legacy() -> dict[str, Any]:
    """Make the secret of matrix-registration's API; nobody needs to be asked."""
    return {"api": {"legacy_shared_secret": secrets.token_urlsafe(SECRET_BYTES)}}


def _some_word(answer: str) -> str:
    if not answer:
        raise ValueError("It cannot be empty.")
    return answer


def _optional_secret(answer: str) -> str | None:
    return values.secret(answer).get_secret_value() if answer else None


def _must_be_a_person(answer: str) -> str:
    if not sys.stdin.isatty():
        raise ValueError("Give registration_shared_secret, admin_token, or both.")
    return answer


def _database_url(answer: str) -> str:
    if "://" not in answer and answer:
        answer = f"sqlite:///{Path(answer).expanduser().absolute()}"
    return parse_database(answer).url
