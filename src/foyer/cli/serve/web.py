"""The processes that answer requests: granian, with limits that fit a front door."""

from __future__ import annotations

import gc
import importlib
import multiprocessing
import os
import resource
import signal
from typing import Any, cast

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from foyer.cli.serve import tether
from foyer.cli.serve.prepare import Ready

STOP_WITHIN_SECONDS = 20
# Connections that a process takes at once, idle ones too; the kernel keeps the next. Their requests share the threads.
CONNECTIONS = 1024
FILES = 4096
ADDRESSES = "foyer.urls"
# Who has said nothing for so long, before a request or within its headers, is let go.
HEADERS_WITHIN_MILLISECONDS = 15_000
HEADERS_WITHIN_BYTES = 64 * 1024
# The longest that granian takes: a thread that ends takes its database connection with it.
THREAD_IDLE_SECONDS = 600
LOG = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"generic": {"format": "%(asctime)s [%(levelname)s] %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "generic"}},
    "loggers": {"_granian": {"handlers": ["console"], "level": "ERROR", "propagate": False}},
}


def application() -> Any:
    """Load the application, in the process that is to run it."""
    os.setpgrp()  # Ctrl-C is for the parent, which then stops everybody in order
    tether.hold(signal.SIGKILL)
    _allow_files()
    loaded = importlib.import_module("foyer.wsgi").application
    importlib.import_module(ADDRESSES)  # before the first request asks for it
    # What is loaded now stays: looking through all of it for garbage would hold a request up again and again.
    gc.collect()
    gc.freeze()
    return loaded


def _allow_files() -> None:
    """Each connection is an open file, and the usual limit is 1024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def server(ready: Ready, *, processes: int, threads: int) -> Any:
    """Return the server of these processes; `serve()` blocks until it is told to stop."""
    # A fork would share the parent's threads and locks.
    multiprocessing.set_start_method("spawn", force=True)
    return Granian(
        "foyer.wsgi:application",
        address=ready.ip,
        port=ready.port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        workers=processes,
        blocking_threads=threads,
        blocking_threads_idle_timeout=THREAD_IDLE_SECONDS,
        backpressure=CONNECTIONS,
        http1_settings=HTTP1Settings(
            header_read_timeout=HEADERS_WITHIN_MILLISECONDS, max_buffer_size=HEADERS_WITHIN_BYTES
        ),
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_WITHIN_SECONDS,
        log_level=LogLevels.critical,
        log_dictconfig=cast("dict[str, Any]", LOG),
    )
