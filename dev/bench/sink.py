"""A mail server that keeps what it takes, and a service that renders MJML.

`python -m dev.bench.sink SMTP_PORT HTTP_PORT`

Both answer at once, so that what is measured before them is whoever sends. `GET /mail/EMAIL` gives the last mail to an
email, as it was sent, or 404; `POST /render` gives back something that looks like a rendered mail.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from urllib.parse import unquote

_MAILBOX = re.compile(r"<(.*?)>")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_RENDERED = json.dumps({"html": "<html><body>A mail</body></html>", "errors": [], "mjml": "", "mjml_version": "4"})


class Box:
    """The last mail to each email, and how many came in all."""

    def __init__(self) -> None:
        self.mails: dict[str, bytes] = {}
        self.count = 0

    def take(self, recipients: list[str], content: bytes) -> None:
        """Keep a mail."""
        self.count += 1
        for recipient in recipients:
            self.mails[recipient] = content

    def reply(self, method: str, path: str) -> tuple[int, bytes]:
        """Answer one HTTP request."""
        if (method, path) == ("POST", "/render"):
            return 200, _RENDERED.encode()
        if path == "/count":
            return 200, str(self.count).encode()
        found = self.mails.get(unquote(path.removeprefix("/mail/")))
        return (404, b"") if found is None else (200, found)


async def _smtp(box: Box, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """RFC 5321 as far as a submitting client goes."""
    recipients: list[str] = []
    writer.write(b"220 localhost sink\r\n")
    while line := await reader.readline():
        verb = line[:4].upper()
        if verb == b"RCPT" and (found := _MAILBOX.search(line.decode())):
            recipients.append(found[1])
        elif verb in {b"RSET", b"MAIL"}:
            recipients = []
        elif verb == b"DATA":
            writer.write(b"354 Go on\r\n")
            box.take(recipients, (await reader.readuntil(b"\r\n.\r\n"))[:-5])
        writer.write(b"221 Bye\r\n" if verb == b"QUIT" else b"250 OK\r\n")
        if verb == b"QUIT":
            break
    writer.close()


async def _http(box: Box, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            break
        if length := _LENGTH.search(head):
            await reader.readexactly(int(length[1]))
        method, path, _ = head.decode("latin-1").split(" ", 2)
        status, body = box.reply(method, path)
        kind = "application/json" if method == "POST" else "text/plain"
        said = f"HTTP/1.1 {status} Said\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(said.encode() + body)
    writer.close()


async def serve(smtp_port: int, http_port: int) -> None:
    """Take mails and answer on loopback for ever."""
    box = Box()
    smtp = await asyncio.start_server(lambda r, w: _smtp(box, r, w), "127.0.0.1", smtp_port, backlog=256)
    http = await asyncio.start_server(lambda r, w: _http(box, r, w), "127.0.0.1", http_port, backlog=256)
    async with smtp, http:
        await asyncio.gather(smtp.serve_forever(), http.serve_forever())


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2])))
