"""Whether this machine's clock agrees with the homeserver's: what happened when decides whose account one is."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

from foyer.cli.doctor import web
from foyer.cli.doctor.findings import Finding, ok, warning
from foyer.cli.local_time import shown
from foyer.config.schema import Config

APART_SECONDS = 3.0


def look(config: Config) -> Iterator[Finding]:
    """Yield what is found."""
    moment = datetime.now(UTC)
    yield ok(f"Here it is {shown(moment)}.")
    theirs = _homeservers_time(config)
    if theirs is None:
        return
    apart = abs((theirs - datetime.now(UTC)).total_seconds())
    if apart > APART_SECONDS:
        yield warning(
            f"The homeserver's clock is {apart:.0f} seconds apart from this one.",
            "Let both machines take their time from the network (systemd-timesyncd or chrony): an account whose making "
            "was interrupted is known by its time.",
        )
    else:
        yield ok("The homeserver's clock agrees.")


def _homeservers_time(config: Config) -> datetime | None:
    try:
        answer = web.get(f"{config.homeserver.url}/_matrix/client/versions", context=_context(config))
        return parsedate_to_datetime(answer.headers["Date"]).astimezone(UTC)
    except (web.NoAnswer, KeyError, ValueError, TypeError):
        return None


def _context(config: Config) -> ssl.SSLContext:
    verify = config.homeserver.verify_tls
    if isinstance(verify, Path):
        return ssl.create_default_context(cafile=str(verify))
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
