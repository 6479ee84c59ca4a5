"""Which homeserver there is: the one place that knows the adapters."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _
from pydantic import SecretStr

from foyer import config as configuration
from foyer.config.schema import Config
from foyer.homeserver.errors import Misconfigured, filled
from foyer.homeserver.http import Client
from foyer.homeserver.port import Homeserver
from foyer.homeserver.synapse import Synapse

_current: Homeserver | None = None


def make(config: Config) -> Homeserver:
    """Return the homeserver of this configuration; asks it nothing.

    Raises:
        Misconfigured: no adapter for its kind.
    """
    block = config.homeserver
    match block.kind:
        case "synapse":
            return Synapse(
                client=Client(block.url, timeout=block.timeout, verify_tls=block.verify_tls),
                server_name=config.server_name,
                shared_secret=_plain(block.registration_shared_secret),
                admin_token=_plain(block.admin_token),
                consent_version=block.consent.version,
                form_secret=_plain(block.consent.form_secret),
            )
        case kind:
            remedy = _("homeserver.kind: %(kind)s is not supported by this version of Foyer; synapse is.")
            raise Misconfigured(remedy=filled(remedy, kind=kind), detail=f"kind {kind}")


def current() -> Homeserver:
    """Return this process's homeserver, made on the first call.

    Raises:
        Misconfigured: no adapter for its kind.
    """
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
