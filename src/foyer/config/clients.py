"""The Matrix clients that a newcomer may be pointed to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from foyer.config.places import link
from foyer.config.values import text

CLIENTS = ("element-x", "element", "cinny", "fluffychat", "nheko", "schildichat")


@dataclass(frozen=True, slots=True)
class OwnClient:
    """A client that the owner runs or likes, beside those that Foyer knows."""

    name: str
    url: str


def client(value: Any) -> str | OwnClient:
    """Return the id of a client that Foyer knows, or one with the owner's name and URL."""
    if isinstance(value, OwnClient):
        return value
    if isinstance(value, Mapping):
        if set(value) != {"name", "url"}:
            raise ValueError("A client of your own has two keys, name and url.")
        return OwnClient(text(value["name"]), link(value["url"]))
    name = text(value)
    if name not in CLIENTS:
        raise ValueError(f"Choose of {', '.join(CLIENTS)}, or give name and url of another.")
    return name
