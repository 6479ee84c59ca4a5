"""A small HTTP server on loopback whose answers are a function of the requests: the ground for doubles."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from dev.processes import free_port


@dataclass(frozen=True)
class Asked:
    """One request. path: as it came, encoded; headers: by lower-case name."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str] = field(repr=False)
    text: str = field(repr=False)

    @property
    def content_type(self) -> str:
        """Without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip()

    @property
    def body(self) -> dict[str, Any]:
        """The JSON object that was sent, or an empty one."""
        try:
            body = json.loads(self.text or "{}")
        except ValueError:
            return {}
        return body if isinstance(body, dict) else {}


@dataclass(frozen=True)
class Reply:
    """One answer. body: as JSON; without one `text` is sent."""

    status: int
    body: Any = None
    content_type: str = "application/json"
    text: str = ""


class Listener:
    """Listens from the start until stop()."""

    def __init__(self, answer: Callable[[Asked], Reply]) -> None:
        """Give every request to this function, in a thread of its own."""
        self._server = _Server(("127.0.0.1", free_port()), _Handler)
        self._server.answer = answer
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Take no more requests."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    answer: Callable[[Asked], Reply]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def __getattr__(self, name: str) -> Callable[[], None]:
        if name.startswith("do_"):
            return self._treat
        raise AttributeError(name)

    def _treat(self) -> None:
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, parts.path, parse_qs(parts.query, keep_blank_values=True), headers, text)
        reply = self.server.answer(asked)
        is_empty = reply.body is None and not reply.text
        body = b"" if is_empty else (json.dumps(reply.body) if reply.body is not None else reply.text).encode()
        with contextlib.suppress(OSError):  # The asker may have gone.
            self.send_response_only(reply.status)
            if not is_empty:
                self.send_header("Content-Type", reply.content_type)
            if reply.status != 204:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
