"""Asking over HTTP: a little of everything, and never following where a redirect leads."""

from __future__ import annotations

import ssl
from collections.abc import Mapping

import urllib3

SECONDS = 5.0
LARGEST_BYTES = 1024 * 1024


class Answer:
    """What came back."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body


class NoAnswer(Exception):
    """Nothing usable came back. The text says why; `kind` is dns, refused, time-out, tls or other."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind


def get(url: str, headers: Mapping[str, str] | None = None, *, context: ssl.SSLContext | None = None) -> Answer:
    """Ask for a URL once.

    Raises:
        NoAnswer
    """
    with urllib3.PoolManager(ssl_context=context or ssl.create_default_context(), retries=False) as pool:
        try:
            found = pool.request(
                "GET", url, headers=dict(headers or {}), timeout=SECONDS, redirect=False, preload_content=False
            )
            body = found.read(LARGEST_BYTES, decode_content=True)
            return Answer(found.status, found.headers, body)
        except urllib3.exceptions.HTTPError as error:
            raise NoAnswer(*_why(error)) from None


def _why(error: urllib3.exceptions.HTTPError) -> tuple[str, str]:
    exceptions = urllib3.exceptions
    if isinstance(error, exceptions.NameResolutionError):
        return "dns", "its name is not known here"
    if isinstance(error, exceptions.SSLError):
        return "tls", f"the certificate is not accepted: {error}"
    if isinstance(error, exceptions.NewConnectionError):
        return "refused", "nothing listens there"  # before the time-outs: it is one of them by descent
    if isinstance(error, exceptions.TimeoutError):
        return "time-out", f"no answer within {SECONDS:g} seconds"
    return "other", str(error)
