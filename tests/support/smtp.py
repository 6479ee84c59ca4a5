"""A mail server that takes mails, and can be told to misbehave: RFC 5321 with STARTTLS, TLS and AUTH PLAIN.

Not aiosmtpd: after a handshake that fails it leaves sockets to the garbage collector, and warnings are errors here.
"""

from __future__ import annotations

import base64
import contextlib
import email
import email.policy
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path

import pytest

from dev.processes import free_port

CERTIFICATES = Path(__file__).parent / "certificates"
AUTHORITY = CERTIFICATES / "ca.pem"
PASSWORD = "correct horse"


@dataclass(frozen=True)
class Taken:
    """One mail, with its envelope."""

    sender: str
    recipients: list[str]
    message: EmailMessage


@dataclass
class Sink:
    """A server on a port of loopback.

    `answers` replaces what it says to MAIL, RCPT, NOOP, the mail itself (DATA) or QUIT. `at_taken` is called when it
    has a mail, before it says so.
    """

    port: int = field(default_factory=free_port)
    taken: list[Taken] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    slow_seconds: float = 0
    reading: int = 0
    at_taken: Callable[[], None] | None = None
    connections: int = 0
    offers_starttls: bool = False
    wants_sign_in: bool = False
    _server: _Server | None = None

    def start(self, *, starttls: bool = False, tls: bool = False, sign_in: bool = False) -> None:
        """Listen, from now until stop()."""
        self.offers_starttls, self.wants_sign_in = starttls, sign_in
        self._server = _Server(self, tls=tls)
        threading.Thread(target=self._server.serve_forever, args=(0.02,)).start()

    def stop(self) -> None:
        """Let go of the port, once all that are connected have gone."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True

    def __init__(self, sink: Sink, *, tls: bool) -> None:
        self.sink = sink
        self.tls = tls
        super().__init__(("127.0.0.1", sink.port), _Session)


class _Session(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        # A client may hang up, in the middle of a handshake too.
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            self._stack = stack
            self._sink = self.server.sink
            self._sink.connections += 1
            self._may_encrypt = self._sink.offers_starttls
            if self.server.tls:
                self._encrypt()
            self._file = stack.enter_context(self.request.makefile("rb"))
            self._sender, self._recipients, self._is_in = "", list[str](), not self._sink.wants_sign_in
            self._say("220 sink.test")
            while line := self._file.readline():
                verb, _, rest = line.decode(errors="replace").strip().partition(" ")
                if not self._treat(verb.upper(), rest):
                    return

    def _encrypt(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATES / "localhost.pem")
        self.request = self._stack.enter_context(context.wrap_socket(self.request, server_side=True))

    def _treat(self, verb: str, rest: str) -> bool:
        """Answer a command; false: it was the last one."""
        sink = self._sink
        match verb:
            case "EHLO":
                offers = ["250-sink.test", "250-8BITMIME"]
                offers += ["250-STARTTLS"] if self._may_encrypt else []
                offers += ["250-AUTH PLAIN"] if sink.wants_sign_in else []
                self._say("\r\n".join([*offers, "250 SIZE"]))
            case "STARTTLS" if self._may_encrypt:
                self._say("220 Go on")
                self._encrypt()
                self._file = self._stack.enter_context(self.request.makefile("rb"))
                self._may_encrypt = False
            case "AUTH":
                self._is_in = base64.b64decode(rest.removeprefix("PLAIN ")).endswith(f"\0{PASSWORD}".encode())
                self._say("235 2.7.0 Welcome" if self._is_in else "535 5.7.8 Not with this password")
            case "MAIL":
                self._sender, self._recipients = _path(rest), []
                self._say(sink.answers.get("MAIL", "250 OK") if self._is_in else "530 5.7.0 Sign in first")
            case "RCPT":
                self._recipients.append(_path(rest))
                self._say(sink.answers.get("RCPT", "250 OK"))
            case "DATA":
                self._take()
            case "RSET" | "NOOP":
                self._say(sink.answers.get(verb, "250 OK"))
            case "QUIT":
                self._say(sink.answers.get("QUIT", "221 Bye"))
                return False
            case _:
                self._say("502 Not implemented")
        return True

    def _take(self) -> None:
        self._say("354 Go on")
        lines = []
        while (line := self._file.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b"."))
        self._sink.reading += 1
        time.sleep(self._sink.slow_seconds)
        answer = self._sink.answers.get("DATA", "250 Taken")
        if answer.startswith("2"):
            message = email.message_from_bytes(b"".join(lines).replace(b"\r\n", b"\n"), policy=email.policy.default)
            self._sink.taken.append(Taken(self._sender, self._recipients, message))
            if self._sink.at_taken is not None:
                self._sink.at_taken()
        self._say(answer)

    def _say(self, line: str) -> None:
        self.request.sendall(f"{line}\r\n".encode())


def _path(argument: str) -> str:
    return argument.partition("<")[2].partition(">")[0]


@pytest.fixture
def sink() -> Iterator[Sink]:
    """A mail server that is not started yet."""
    made = Sink()
    yield made
    made.stop()
