"""Connections that only read: what would be sent is noted, and not sent.

The guarantee of a rehearsal is here, below the adapters: whatever they do, nothing but reads reaches the homeserver.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from foyer.homeserver.errors import HomeserverError
from foyer.homeserver.http import Answer, Client

ACCESS = "/oauth2/token"
"""Where the Matrix Authentication Service gives access to its admin API, even for reading."""

log = logging.getLogger(__name__)


class NotSent(HomeserverError):
    """This is a rehearsal: the request would have changed something, and stayed here."""

    code = "not-sent"


@dataclass(frozen=True)
class Request:
    """One that was made or would be. path: without names and secrets."""

    method: str
    path: str
    is_sent: bool

    def __str__(self) -> str:
        """Return it for the owner."""
        unsent = " (on paper)" if self.method == "GET" else " (not sent)"
        return f"{self.method} {self.path}{'' if self.is_sent else unsent}"


class ReadingClient(Client):
    """Sends what only reads, and refuses the rest."""

    def call(self, method: str, path: str, *args: Any, **named: Any) -> Answer:
        """As Client.call().

        Raises:
            NotSent: it would have changed something.
        """
        if is_read(method, path):
            return super().call(method, path, *args, **named)
        request = Request(method, shown(path), is_sent=False)
        log.info("rehearsal: %s", request)
        raise NotSent(detail=f"rehearsal: {request}")


class PaperClient(Client):
    """Sends what only reads, notes everything, and answers the rest as `imagine` says."""

    def __init__(
        self, *args: Any, notes: list[Request], imagine: Callable[[str, str, Any], Answer | None], **named: Any
    ) -> None:
        """Note each request in `notes`. imagine(method, path, body) → the answer that would come, if it knows one."""
        super().__init__(*args, **named)
        self._notes = notes
        self._imagine = imagine

    def call(self, method: str, path: str, body: Any = None, **named: Any) -> Answer:
        """As Client.call().

        Raises:
            NotSent: it would have changed something, and nobody knows the answer.
        """
        imagined = self._imagine(method, path, body)
        may_be_sent = imagined is None and is_read(method, path)
        request = Request(method, shown(path), is_sent=may_be_sent)
        self._notes.append(request)
        if imagined is not None:
            return imagined
        if not may_be_sent:
            raise NotSent(detail=f"rehearsal: {request}")
        return super().call(method, path, body, **named)


def is_read(method: str, path: str) -> bool:
    """Say whether a request changes nothing there."""
    return method == "GET" or (method == "POST" and path == ACCESS)


def shown(path: str) -> str:
    """Return a path without the names in it."""
    return re.sub(r"[^/]*%[^/]*|foyer-[0-9a-f]{32}", "*", path)
