"""What binds several keys together. The rules look at what was written, so that they are told beside all else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from foyer.config.errors import Problem

CREDENTIALS: dict[str, tuple[tuple[str, ...], str]] = {
    "synapse": (
        ("registration_shared_secret", "admin_token"),
        (
            "Foyer has no credentials for the homeserver. Copy the key of this name from homeserver.yaml, or give "
            "homeserver.admin_token."
        ),
    ),
    "dendrite": (("registration_shared_secret",), "Copy client_api.registration_shared_secret from dendrite.yaml."),
    "tuwunel": (("registration_shared_secret",), "Copy registration_shared_secret from tuwunel.toml."),
    "uia": (("registration_token",), "Give the registration token of the homeserver."),
}
"""Kind of homeserver → the keys of which it needs one, and what to do where there is none."""

Tree = Mapping[str, Any]


def given(tree: Tree, dotted: str) -> Any:
    """Return what was written for a key; None where nothing was."""
    value: Any = tree
    for part in dotted.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def homeserver_has_credentials(tree: Tree) -> Iterator[Problem]:
    """Whatever a kind needs for making accounts."""
    kind = str(given(tree, "homeserver.kind") or "synapse")
    if kind == "mas":
        for name in ("url", "client_id", "client_secret"):
            if given(tree, f"homeserver.mas.{name}") is None:
                sentence = "homeserver.kind: mas needs the service's address, and the id and the secret of a client."
                yield Problem(f"homeserver.mas.{name}", "", sentence)
    names, sentence = CREDENTIALS.get(kind, ((), ""))
    if names and all(given(tree, f"homeserver.{name}") is None for name in names):
        yield Problem(f"homeserver.{names[0]}", "", sentence)


def admin_token_fits_into_a_header(tree: Tree) -> Iterator[Problem]:
    """A blank or a letter beyond ASCII comes from copying; no access token has one."""
    token = given(tree, "homeserver.admin_token")
    if isinstance(token, str) and not re.fullmatch(r"[!-~]+", token.strip()):
        sentence = "It has a blank or a character in it that no access token has. Copy it again."
        yield Problem("homeserver.admin_token", "", sentence)


def consent_is_whole(tree: Tree) -> Iterator[Problem]:
    """Consent needs both of its keys, and a Synapse."""
    names = ("homeserver.consent.version", "homeserver.consent.form_secret")
    lacking = [name for name in names if given(tree, name) is None]
    if len(lacking) == 1:
        yield Problem(lacking[0], "", "version and form_secret belong together. Give both, or neither.")
    kind = str(given(tree, "homeserver.kind") or "synapse")
    if kind in {"mas", "dendrite", "tuwunel", "uia"} and len(lacking) < len(names):
        yield Problem("homeserver.consent", "", f"Only Synapse alone records consent. Leave it out with kind: {kind}.")


def mail_is_whole(tree: Tree) -> Iterator[Problem]:
    """Mail needs a server and a sender."""
    email = given(tree, "email")
    if not isinstance(email, Mapping) or not {"host", "username", "password", "from"} & email.keys():
        return
    if given(tree, "email.host") is None:
        yield Problem("email.host", "", "Mail is set up in part. Name the server that takes mails, or remove the rest.")
    elif given(tree, "email.from") is None and "@" not in str(given(tree, "email.username") or ""):
        yield Problem("email.from", "", "Say whom mails come from: email.username is not an email address.")
    if given(tree, "email.password") is not None and given(tree, "email.username") is None:
        yield Problem("email.username", "", "There is a password for the mail server, but no user name.")


def postgresql_has_a_key(tree: Tree) -> Iterator[Problem]:
    """With PostgreSQL there is no one place to keep a key that Foyer makes itself."""
    database = str(given(tree, "database") or "").strip().lower()
    if database.startswith("postgres") and given(tree, "secret_key") is None:
        yield Problem(
            "secret_key",
            "",
            "PostgreSQL needs a secret key that all machines share. `openssl rand -base64 48` prints one.",
        )


RULES: tuple[Callable[[Tree], Iterator[Problem]], ...] = (
    homeserver_has_credentials,
    admin_token_fits_into_a_header,
    consent_is_whole,
    mail_is_whole,
    postgresql_has_a_key,
)
