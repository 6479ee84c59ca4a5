"""The whole application on a loopback port, in a thread of this process: static files, middleware and all.

For tests that look at pages, and for the pictures of the documentation. Django is set up before this is imported.
"""

from __future__ import annotations

import socketserver
import threading
from types import TracebackType
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from django.db import connections

from foyer.wsgi import build


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True
    block_on_close = True

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            connections.close_all()  # this thread's; a test drops its database in a moment

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that hangs up early is no failure."""


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in the standard library
        """Say nothing."""


class Site:
    """A running Foyer."""

    def __init__(self) -> None:
        self._server = make_server("127.0.0.1", 0, build(), server_class=_Server, handler_class=_Quiet)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    @property
    def url(self) -> str:
        """Return where it answers, without a slash at the end."""
        return f"http://localhost:{self._server.server_port}"

    def __enter__(self) -> Site:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
