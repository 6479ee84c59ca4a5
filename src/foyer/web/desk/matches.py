"""Whom a rule would have matched lately: the newest requests and accounts, looked through as the rule would."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from foyer.accounts.models import Account
from foyer.applications.models import Application
from foyer.config import current
from foyer.kit.client_ip import ClientAddress
from foyer.kit.matrix import mxid
from foyer.screening import patterns

LOOKED_THROUGH = 500
MOST_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Match:
    """Somebody who came, or asked to."""

    address: str
    at: datetime
    request_id: int | None


def lately(about: str, pattern: str) -> list[Match]:
    """Return those of the newest requests, and of the newest accounts without one, that the pattern matches."""
    server = current().server_name
    requests = [
        Match(mxid(row.localpart, server), row.created_at, row.pk)
        for row in Application.objects.order_by("-id").defer("answers", "legal")[:LOOKED_THROUGH]
        if patterns.matches(about, pattern, name=row.localpart, email=row.email, client=_client(row.ip))
    ]
    asked = {match.address for match in requests}
    joined = [
        Match(address, row.begun_at, None)
        for row in Account.objects.order_by("-id")[:LOOKED_THROUGH]
        if (address := mxid(row.localpart, server)) not in asked
        and patterns.matches(about, pattern, name=row.localpart, email=row.email, client=_client(row.ip))
    ]
    return sorted([*requests, *joined], key=lambda match: match.at, reverse=True)[:MOST_SHOWN]


def _client(ip: str | None) -> ClientAddress | None:
    return ClientAddress(ip, is_known=True) if ip else None
