"""A web server of the standard library's, for what runs in one process: the demo and rehearsals."""

from __future__ import annotations

import signal
import sys
import threading
from socketserver import ThreadingMixIn
from types import FrameType
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server


class SimpleServer(ThreadingMixIn, WSGIServer):
    """A thread for each request."""

    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the standard library calls it so
        """Say nothing."""


def bind(application: Any, host: str, port: int) -> SimpleServer:
    """Listen there, and answer nothing yet."""
    return make_server(host, port, application, server_class=SimpleServer, handler_class=_Quiet)


def serve(server: SimpleServer) -> None:
    """Answer until Ctrl-C, or a signal that means the same."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        threading.Thread(target=server.shutdown).start()  # it waits for the loop that this interrupts

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    server.serve_forever(poll_interval=0.1)
    server.server_close()
    sys.stdout.flush()
