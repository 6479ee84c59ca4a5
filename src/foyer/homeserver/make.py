"""Which homeserver there is: the one place that knows the adapters."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator

from pydantic import SecretStr

from foyer import config as configuration
from foyer.config.schema import Config
from foyer.homeserver.dendrite import Dendrite
from foyer.homeserver.http import Client
from foyer.homeserver.mas import Mas
from foyer.homeserver.port import Homeserver
from foyer.homeserver.rehearsal import Rehearsal
from foyer.homeserver.rehearsal_client import ReadingClient
from foyer.homeserver.synapse import Synapse
from foyer.homeserver.tuwunel import TUWUNEL
from foyer.homeserver.uia import RegistrationServer

_current: Homeserver | None = None


def make(config: Config, connect: Callable[..., Client] = Client) -> Homeserver:
    """Return the homeserver of this configuration; asks it nothing. connect: makes the connections."""
    block = config.homeserver
    client = connect(block.url, timeout=block.timeout, verify_tls=block.verify_tls)
    name = config.server_name
    secret, token = _plain(block.registration_shared_secret), _plain(block.admin_token)
    match block.kind:
        case "synapse":
            consent = (block.consent.version, _plain(block.consent.form_secret))
            return Synapse(client, name, secret, token, *consent)
        case "mas":
            return _mas(config, client, connect)
        case "tuwunel":
            return Synapse(client, name, secret, token, dialect=TUWUNEL)
        case "dendrite":
            return Dendrite(client, name, secret or "")
        case "uia":
            return RegistrationServer(client, name, _plain(block.registration_token) or "")


def make_rehearsal(config: Config) -> Rehearsal:
    """Return it for a rehearsal: it is asked, and never told anything."""
    return Rehearsal(make(config, ReadingClient), config.server_name)


def _mas(config: Config, client: Client, connect: Callable[..., Client]) -> Mas:
    """The credentials are there: config.rules has looked."""
    block = config.homeserver
    return Mas(
        client=client,
        mas_client=connect(
            block.mas.url or "", timeout=block.timeout, verify_tls=block.verify_tls, key="homeserver.mas.url"
        ),
        server_name=config.server_name,
        client_id=block.mas.client_id or "",
        client_secret=_plain(block.mas.client_secret) or "",
        admin_token=_plain(block.admin_token),
    )


def current() -> Homeserver:
    """Return this process's homeserver, made on the first call."""
    global _current
    if _current is None:
        _current = make(configuration.current())
    return _current


@contextlib.contextmanager
def using(homeserver: Homeserver) -> Iterator[Homeserver]:
    """Let current() be this one for a while. For tests and `foyer demo`."""
    global _current
    before, _current = _current, homeserver
    try:
        yield homeserver
    finally:
        _current = before


@configuration.on_change
def forget() -> None:
    """Make it anew on the next call."""
    global _current
    _current = None


# Two processes must not talk over one connection.
os.register_at_fork(after_in_child=forget)


def _plain(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value().strip() if secret is not None else None
