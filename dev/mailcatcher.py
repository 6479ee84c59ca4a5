"""A mail server that delivers nothing: it shows every mail in the terminal and on a small page.

with MailCatcher.start() as mails:
    send_by(host="127.0.0.1", port=mails.port)
    assert mails.messages[0]["Subject"] == "Welcome"
"""

from __future__ import annotations

import contextlib
import email
import email.policy
import html
import re
import socketserver
import sys
import threading
import time
from collections.abc import Callable
from email.message import EmailMessage
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self, TextIO

from dev.processes import free_port

_MAX_LINE = 65_536
_STEPS = frozenset({"MAIL", "RCPT", "DATA"})
_LINK = re.compile(r"https?://[^\s<>\"]+")
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="5"><title>Mails</title>
<style>body{font:16px/1.5 system-ui;max-width:46rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}
article{border-top:1px solid #8886;padding:1rem 0}pre{white-space:pre-wrap;overflow-wrap:anywhere}</style></head>
<body><h1>Mails</h1>%s</body></html>"""


class MailCatcher:
    """Takes mail on one port of loopback and shows it on another, from the start until stop()."""

    def __init__(self, *, port: int = 0, web_port: int = 0, terminal: TextIO | None = None) -> None:
        self.messages: list[EmailMessage] = []
        self.before: Callable[[str], str | None] = lambda _step: None
        """Asked at each step (CONNECT, MAIL, RCPT, DATA) how to answer instead. None: as always; empty: hang up.

        And at TAKEN, once the mail is kept, where nothing but hanging up is honest.
        """
        self._terminal = terminal
        self._arrived = threading.Condition()
        self._port = port or free_port()  # It listens there again after a pause.
        self._smtp = _SmtpServer(("127.0.0.1", self._port), self)
        self._is_up = True
        self._web = _WebServer(("127.0.0.1", web_port), self)

    @classmethod
    def start(cls, *, port: int = 0, web_port: int = 0, terminal: TextIO | None = None) -> MailCatcher:
        """Listen on these ports (0: free ones); with a terminal, mails are printed there too."""
        made = cls(port=port, web_port=web_port, terminal=terminal)
        for server in (made._smtp, made._web):
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return made

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """Where it takes mail."""
        return self._port

    @property
    def url(self) -> str:
        """The page that shows the mails."""
        return f"http://localhost:{self._web.server_address[1]}/"

    def stop(self) -> None:
        """Let go of both ports; the messages stay readable."""
        self.go_down()
        self._web.shutdown()
        self._web.server_close()

    def go_down(self) -> None:
        """Take no connection from now on, as a mail server that is off. come_up() ends it."""
        if self._is_up:
            self._is_up = False
            self._smtp.shutdown()
            self._smtp.server_close()

    def come_up(self) -> None:
        """Listen (again), at the same port."""
        if not self._is_up:
            self._smtp = _SmtpServer(("127.0.0.1", self._port), self)
            threading.Thread(target=self._smtp.serve_forever, args=(0.05,), daemon=True).start()
            self._is_up = True

    def wait_for(self, number: int, *, seconds: float = 10) -> list[EmailMessage]:
        """The messages, once there are so many.

        Raises:
            TimeoutError: they did not come.
        """
        end = time.monotonic() + seconds
        with self._arrived:
            while len(self.messages) < number:
                if not self._arrived.wait(end - time.monotonic()):
                    raise TimeoutError(f"{len(self.messages)} of {number} mails came.")
            return list(self.messages)

    def take(self, sender: str, recipients: list[str], content: bytes) -> None:
        """Keep a mail; the envelope is added as X-Envelope-From and X-Envelope-To."""
        message = email.message_from_bytes(content, policy=email.policy.default)
        message["X-Envelope-From"] = sender
        message["X-Envelope-To"] = ", ".join(recipients)
        with self._arrived:
            self.messages.append(message)
            self._arrived.notify_all()
        if self._terminal is not None:
            lines = (f"    {line}" for line in _text(message).strip().splitlines())
            heading = f"Mail to {message['To']}: {message['Subject']}"
            print("", heading, *lines, "", sep="\n", file=self._terminal, flush=True)


def _text(message: EmailMessage) -> str:
    body = message.get_body(("plain", "html"))
    return str(body.get_content()) if body is not None else ""


class _SmtpServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], catcher: MailCatcher) -> None:
        self.catcher = catcher
        super().__init__(address, _SmtpHandler)


class _SmtpHandler(socketserver.StreamRequestHandler):
    """RFC 5321 as far as a submitting client goes: EHLO, MAIL, RCPT, DATA, RSET, NOOP, QUIT."""

    server: _SmtpServer

    def handle(self) -> None:
        self._sender = ""
        self._recipients: list[str] = []
        with contextlib.suppress(ConnectionError):  # A client may hang up, or be killed.
            self._talk()

    def _talk(self) -> None:
        if not self._goes_on("CONNECT", "220 localhost mail catcher"):
            return None
        while line := self.rfile.readline(_MAX_LINE):
            verb, _, rest = line.decode(errors="replace").strip().partition(" ")
            if verb.upper() == "QUIT":
                return self._say("221 Bye")
            instead = self.server.catcher.before(verb.upper()) if verb.upper() in _STEPS else None
            answer = self._treat(verb.upper(), rest) if instead is None else instead
            if not answer:
                return None
            self._say(answer)
        return None

    def _goes_on(self, step: str, usual: str) -> bool:
        instead = self.server.catcher.before(step)
        self._say(usual if instead is None else instead)
        return instead is None

    def _treat(self, verb: str, rest: str) -> str:
        match verb:
            case "EHLO":
                return "250-localhost\r\n250-8BITMIME\r\n250 SMTPUTF8"
            case "HELO" | "NOOP":
                return "250 OK"
            case "RSET":
                self._sender, self._recipients = "", []
                return "250 OK"
            case "MAIL":
                self._sender = _path(rest)
                return "250 OK"
            case "RCPT":
                self._recipients.append(_path(rest))
                return "250 OK"
            case "DATA" if self._recipients:
                return self._take()
            case "DATA":
                return "503 RCPT first"
            case _:
                return "502 Not implemented"

    def _take(self) -> str:
        self._say("354 End with a line that holds a dot")
        lines = []
        while (line := self.rfile.readline(_MAX_LINE)) not in (b".\r\n", b".\n"):
            if not line:
                return ""  # Its sender died in the middle: without the dot it is no mail.
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        self.server.catcher.take(self._sender, self._recipients, b"".join(lines).replace(b"\r\n", b"\n"))
        self._sender, self._recipients = "", []
        instead = self.server.catcher.before("TAKEN")
        return "250 Taken" if instead is None else instead

    def _say(self, line: str) -> None:
        if line:
            self.wfile.write(f"{line}\r\n".encode())


def _path(argument: str) -> str:
    """The mailbox in `FROM:<maria@example.org> SIZE=100`."""
    found = re.search(r"<(.*?)>", argument)
    return found.group(1) if found else argument.partition(":")[2].strip()


class _WebServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], catcher: MailCatcher) -> None:
        self.catcher = catcher
        super().__init__(address, _WebHandler)


class _WebHandler(BaseHTTPRequestHandler):
    server: _WebServer

    def log_message(self, *_: object) -> None:
        """Say nothing: the terminal shows the mails."""

    def do_GET(self) -> None:  # The name is the standard library's.
        if self.path != "/":
            return self.send_error(HTTPStatus.NOT_FOUND)
        articles = [_article(message) for message in reversed(self.server.catcher.messages)]
        page = (_PAGE % ("".join(articles) or "<p>No mail yet.</p>")).encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)


def _article(message: EmailMessage) -> str:
    subject, recipient = html.escape(str(message["Subject"])), html.escape(str(message["To"]))
    pieces = (_linked(piece) if _LINK.fullmatch(piece) else html.escape(piece) for piece in _pieces(_text(message)))
    return f"<article><h2>{subject}</h2><p>To {recipient}</p><pre>{''.join(pieces)}</pre></article>"


def _pieces(text: str) -> list[str]:
    return re.split(f"({_LINK.pattern})", text)


def _linked(address: str) -> str:
    return f'<a href="{html.escape(address)}">{html.escape(address)}</a>'


if __name__ == "__main__":
    with (
        contextlib.suppress(KeyboardInterrupt),
        MailCatcher.start(port=1025, web_port=1080, terminal=sys.stdout) as running,
    ):
        print(f"Mail is taken on port {running.port} and shown at {running.url}. Stop with Ctrl-C.")
        threading.Event().wait()
