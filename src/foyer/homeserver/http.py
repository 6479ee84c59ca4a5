"""One pool of connections to the homeserver, and what each way of failing means for what was asked.

The question is always: may it have been done? Until a connection stands, nothing was. Once a request is on its way,
only an answer tells. An error status below 500 is an answer.
"""

from __future__ import annotations

import base64
import contextlib
import email.utils
import http.client
import json
import math
import re
import ssl
import threading
import time
import urllib.parse
import weakref
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import urllib3
from django.utils.translation import gettext_lazy as _
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.ssl_match_hostname import CertificateError

from foyer.homeserver import wire
from foyer.homeserver.errors import Busy, HomeserverError, Misconfigured, Unreachable, filled
from foyer.kit.clock import now

CONNECTIONS = 32
LONGEST_CONNECT_SECONDS = 5.0
LONGEST_IDLE_SECONDS = 60.0
"""Something in between may forget a connection that is quiet for minutes, and say so to nobody."""
USER_AGENT = "Foyer"
DEFAULT_RETRY_SECONDS = 10.0
LONGEST_RETRY_SECONDS = 3600.0

_NAMES = re.compile(r"[^/]*%[^/]*")

Query = Mapping[str, str]
Body = Mapping[str, Any]


@dataclass(frozen=True)
class Answer:
    """An answer that can be understood: 2xx with a JSON object, or an error below 500 other than 429.

    is_matrix: an error that a Matrix server wrote (it has an errcode); otherwise something in between answered.
    """

    status: int
    body: dict[str, Any] = field(repr=False)
    asked: str
    page: str = field(default="", repr=False)
    """What came instead of JSON, where a page was asked for."""

    @property
    def ok(self) -> bool:
        """It was done."""
        return 200 <= self.status < 300

    @property
    def errcode(self) -> str:
        """`M_…`, or empty."""
        return self.text("errcode")

    @property
    def error(self) -> str:
        """The homeserver's own sentence, or empty."""
        return self.text("error")

    @property
    def is_matrix(self) -> bool:
        """A Matrix server wrote this, not something in between."""
        return self.ok or bool(self.errcode)

    @property
    def said(self) -> dict[str, Any]:
        """The homeserver's words as arguments of a HomeserverError."""
        detail = f"{self.asked}: {self.status} {self.errcode} {self.error}".rstrip()
        return {"detail": detail, "errcode": self.errcode, "error": self.error, "http_status": self.status}

    def text(self, key: str) -> str:
        """This key's string, or empty."""
        value = self.body.get(key)
        return value if isinstance(value, str) else ""


class _NeverSent(urllib3.exceptions.HTTPError):
    """No connection came about, so that no request can have arrived. The reason is its cause."""


class _PlainConnection(HTTPConnection):
    idle_since = 0.0

    def connect(self) -> None:
        try:
            super().connect()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise _NeverSent(str(error)) from error


class _TLSConnection(HTTPSConnection):
    idle_since = 0.0

    def connect(self) -> None:
        try:
            super().connect()
        except (urllib3.exceptions.HTTPError, OSError, CertificateError) as error:
            raise _NeverSent(str(error)) from error


class Client:
    """Speaks to one base URL. Safe for many threads; make it after forking."""

    def __init__(
        self, url: str, *, timeout: timedelta, verify_tls: bool | str | Path = True, key: str = "homeserver.url"
    ) -> None:
        """Speak to this URL, which stands in the configuration under this key."""
        self._key = key
        self._url = urllib.parse.urlsplit(url.rstrip("/"))
        self._seconds = timeout.total_seconds()
        self._verify_tls = verify_tls
        host = self._url.netloc.rpartition("@")[2]
        self._host = host if host.isascii() else host.encode("idna").decode()
        self._path = urllib.parse.quote(self._url.path, safe="/%:@!$&'()*+,;=~")
        self._idle: deque[_PlainConnection | _TLSConnection] = deque(maxlen=CONNECTIONS)
        self._context: ssl.SSLContext | None = None
        weakref.finalize(self, _close_all, self._idle)
        self._budget = threading.local()

    def within(self, timeouts: float) -> contextlib.AbstractContextManager[None]:
        """Let all calls of this thread inside together take no longer than so many time-outs."""
        return self.within_seconds(timeouts * self._seconds)

    @contextlib.contextmanager
    def within_seconds(self, seconds: float) -> Iterator[None]:
        """Let all calls of this thread inside together take no longer than this."""
        before = getattr(self._budget, "until", math.inf)
        self._budget.until = min(before, time.monotonic() + seconds)
        try:
            yield
        finally:
            self._budget.until = before

    @property
    def url(self) -> str:
        """The base URL without user or password."""
        return f"{self._url.scheme}://{self._url.netloc.rpartition('@')[2]}{self._url.path}"

    @property
    def patience(self) -> float:
        """How many seconds a call that begins now may take."""
        return max(0.0, min(self._seconds, getattr(self._budget, "until", math.inf) - time.monotonic()))

    def get(self, path: str, *, query: Query | None = None, token: str | None = None) -> Answer:
        """Ask without changing anything. Raises as call(), Unreachable always with maybe_done=False."""
        return self.call("GET", path, query=query, token=token, writes=False)

    def get_page(self, path: str, *, query: Query | None = None) -> Answer:
        """Ask for a page, which Answer.page holds. Raises as get()."""
        return self.call("GET", path, query=query, form={}, writes=False)

    def call(
        self,
        method: str,
        path: str,
        body: Body | None = None,
        *,
        query: Query | None = None,
        token: str | None = None,
        form: Query | None = None,
        basic: tuple[str, str] | None = None,
        writes: bool = True,
    ) -> Answer:
        """Ask once: no retry, no redirect. The path is encoded already: see segment().

        form: sent as a browser sends one, in place of a body; the answer is a page then, unless `basic` is given: the
        name and the password of one who is no browser.

        Raises:
            Busy: 429.
            Misconfigured: the certificate, the scheme or a redirect.
            Unreachable: maybe_done only if the request can have arrived and `writes`.
        """
        # Secrets are in bodies and headers, people's names in encoded segments. The log gets neither.
        asked = f"{method} {_NAMES.sub('*', path) if '%' in path else path}"
        headers = {
            "Host": self._host,
            "Accept-Encoding": "identity",
            "Accept": "application/json",
            "User-Agent": USER_AGENT,
        }
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        if basic is not None:
            headers["Authorization"] = f"Basic {base64.b64encode(':'.join(basic).encode()).decode()}"
        wants_page = form is not None and basic is None
        if wants_page:
            headers["Accept"] = "text/html"
        if form:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        sent = json.dumps(body) if body is not None else urllib.parse.urlencode(form) if form else None
        target = self._path + path + ("?" + urllib.parse.urlencode(query) if query else "")
        seconds = self.patience
        if seconds <= 0:
            raise Unreachable(maybe_done=False, detail=f"{asked}: not sent, the time was over")
        try:
            status, answer_headers, text = self._exchange(method, target, headers, sent, seconds)
        except _NeverSent as error:
            raise self._no_connection(error, asked) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            detail = f"{asked}: {type(error).__name__}"
            raise Unreachable(maybe_done=writes, detail=detail) from error
        page = text.decode(errors="replace") if wants_page else None
        return self._understand(status, answer_headers, text, asked=asked, writes=writes, page=page)

    def _exchange(
        self, method: str, target: str, headers: Mapping[str, str], body: str | None, seconds: float
    ) -> tuple[int, Mapping[str, str], bytes]:
        until = time.monotonic() + seconds
        message = wire.request(method, target, headers, None if body is None else body.encode())
        connection = self._connection(seconds)
        try:
            connection.sock.settimeout(max(0.001, until - time.monotonic()))
            connection.sock.sendall(message)
            received = wire.receive(connection.sock, until)
        except BaseException:
            connection.close()
            raise
        if received.keeps_open and len(self._idle) < CONNECTIONS:
            connection.idle_since = time.monotonic()
            self._idle.append(connection)
        else:
            connection.close()
        return received.status, received.headers, received.body

    def _connection(self, seconds: float) -> _PlainConnection | _TLSConnection:
        """Return a connection that stands: one that is free, or a new one."""
        # How many may wait for a homeserver at all is limited at the door.
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread was quicker
                break
            if connection.is_connected and time.monotonic() - connection.idle_since < LONGEST_IDLE_SECONDS:
                return connection
            connection.close()
        connection = self._new_connection(min(seconds, LONGEST_CONNECT_SECONDS))
        connection.connect()
        return connection

    def _new_connection(self, seconds: float) -> _PlainConnection | _TLSConnection:
        host, port = self._url.hostname or "", self._url.port
        if self._url.scheme != "https":
            return _PlainConnection(host, port, timeout=seconds)
        if self._context is None:
            self._context = self._tls()  # Two threads may both make one; the second wins and nothing is lost.
        return _TLSConnection(
            host, port, timeout=seconds, ssl_context=self._context, cert_reqs=self._context.verify_mode
        )

    def _tls(self) -> ssl.SSLContext:
        if self._verify_tls is False:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            return context
        if self._verify_tls is True:
            return ssl.create_default_context()
        try:
            return ssl.create_default_context(cafile=str(self._verify_tls))
        except OSError as error:
            remedy = _("homeserver.verify_tls: %(path)s cannot be read as a file of CA certificates in PEM form.")
            raise Misconfigured(remedy=filled(remedy, path=self._verify_tls), detail=str(error)) from error

    def _no_connection(self, error: _NeverSent, asked: str) -> HomeserverError:
        reason = error.__cause__
        while isinstance(reason, urllib3.exceptions.HTTPError) and reason.__cause__ is not None:
            reason = reason.__cause__
        detail = f"{asked}: {reason}"
        if isinstance(reason, ssl.SSLCertVerificationError | CertificateError):
            return Misconfigured(
                detail=detail,
                remedy=filled(
                    _(
                        "The certificate of %(url)s is not trusted: %(why)s. Put the path of the CA certificate that "
                        "signed it into homeserver.verify_tls, or use the name in %(key)s that it was made for."
                    ),
                    url=self.url,
                    key=self._key,
                    why=getattr(reason, "verify_message", "") or reason,
                ),
            )
        if isinstance(reason, ssl.SSLError) and reason.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST"):
            remedy = _("%(key)s begins with https, but %(url)s does not speak TLS. Write http there.")
            return Misconfigured(detail=detail, remedy=filled(remedy, key=self._key, url=self.url))
        return Unreachable(maybe_done=False, detail=detail)

    def _understand(
        self, status: int, headers: Mapping[str, str], text: bytes, *, asked: str, writes: bool, page: str | None
    ) -> Answer:
        is_silent = status == http.client.NO_CONTENT or (page is not None and status < 400)
        body = {} if is_silent else _json_object(text)
        answer = Answer(status, body or {}, asked, page=page or "")
        if 300 <= status < 400:
            where = re.split(r"[?#]", headers.get("location", ""))[0]  # What follows may hold anything.
            remedy = _("%(url)s sends us elsewhere (%(where)s). Put the server's own address into %(key)s.")
            filled_in = filled(remedy, url=self.url, where=where or status, key=self._key)
            raise Misconfigured(remedy=filled_in, **answer.said)
        if status == 429:
            raise Busy(retry_after=_retry_after(headers, answer.body), **answer.said)
        if status < 200 or status == 408 or status >= 500 or (answer.ok and body is None):
            raise Unreachable(maybe_done=writes, **answer.said)
        return answer


def _close_all(connections: deque[_PlainConnection | _TLSConnection]) -> None:
    while connections:
        connections.pop().close()


def segment(text: str) -> str:
    """Encode an id for a path: `@a/b:example.org` is a legal user id."""
    return urllib.parse.quote(text, safe="")


def _json_object(text: bytes) -> dict[str, Any] | None:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _retry_after(headers: Mapping[str, str], body: Mapping[str, Any]) -> float:
    milliseconds = body.get("retry_after_ms")
    header = headers.get("retry-after", "")
    if isinstance(milliseconds, int | float) and not isinstance(milliseconds, bool):
        seconds = min(milliseconds, 1e9) / 1000
    elif header.strip().isascii() and header.strip().isdigit():
        seconds = float(header)
    else:
        seconds = _seconds_until(header)
    return min(max(seconds, 1.0), LONGEST_RETRY_SECONDS) if math.isfinite(seconds) else DEFAULT_RETRY_SECONDS


def _seconds_until(date: str) -> float:
    try:
        moment: datetime = email.utils.parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        return DEFAULT_RETRY_SECONDS
    return (moment - now()).total_seconds() if moment.tzinfo else DEFAULT_RETRY_SECONDS
