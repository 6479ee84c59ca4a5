"""The parent: starts the others, restarts who dies, and ends with all of them."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from types import FrameType
from typing import Any

from foyer.cli.serve import tether, web
from foyer.cli.serve.prepare import Preparation, Ready
from foyer.cli.serve.voice import Voice

# All that a dead worker has left half made shall be settled within a minute, and most of that it needs itself.
RESTARTS_APART_SECONDS = (0.0, 1.0, 2.0, 5.0, 10.0)
LIVED_WELL_SECONDS = 30.0
LOOK_EVERY_SECONDS = 0.05
WORKER_WAITS_SECONDS = 5.0
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Parent:
    """One `foyer serve`."""

    def __init__(self, preparation: Preparation, *, processes: int, threads: int, with_worker: bool) -> None:
        self._preparation = preparation
        self._ready = ready = preparation.ready()
        self._processes, self._threads, self._with_worker = processes, threads, with_worker
        self._voice = Voice(as_json=ready.log_format == "json")
        self._stopping = threading.Event()
        self._open = threading.Event()
        self._server: Any = None
        self._worker: subprocess.Popen[bytes] | None = None

    def run(self) -> int:
        """Serve until a signal says to stop; return the exit status."""
        os.environ[tether.PARENT] = str(os.getpid())
        # glibc gives each of many threads a heap of its own, and keeps what was freed in each.
        os.environ.setdefault("MALLOC_ARENA_MAX", "2")
        self._take_signals()
        threading.Thread(target=self._announce, name="announcer", daemon=True).start()
        keeper = threading.Thread(target=self._keep_worker, name="worker keeper")
        if self._with_worker:
            keeper.start()
        try:
            self._keep_pages()
        finally:
            self._stopping.set()
            self._open.set()  # nobody need wait for it any more
            self._end_worker()
            if self._with_worker:
                keeper.join()
        return 0

    def _take_signals(self) -> None:
        for number in SIGNALS:
            signal.signal(number, self._on_signal)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        """Stop in order; at the second time, stop at once."""
        again = self._stopping.is_set()
        threading.Thread(target=self._stopping.set).start()  # see cli/worker.py
        if self._server is not None:
            self._server.signal_handler_interrupt()
        if self._worker is not None and self._worker.poll() is None:
            self._worker.send_signal(signal.SIGKILL if again else signal.SIGTERM)
        if again and self._server is not None:
            for process in self._server.wrks:
                process.kill()

    def _keep_pages(self) -> None:
        """Serve. granian restarts a process that died, and gives up if it dies again at once; we do not."""
        failures = 0
        while not self._stopping.is_set():
            began = time.monotonic()
            self._server = web.server(self._ready, processes=self._processes, threads=self._threads)
            self._server.on_startup(self._take_signals)  # granian has just set its own
            with contextlib.suppress(SystemExit):
                self._server.serve(target_loader=web.application, wrap_loader=False)
            if self._stopping.is_set():
                return
            failures = 0 if time.monotonic() - began > LIVED_WELL_SECONDS else failures + 1
            self._voice.warn("The pages stopped unexpectedly. They are started again.")
            self._stopping.wait(_wait(failures))

    def _keep_worker(self) -> None:
        # While it starts it takes a core, which the pages need more.
        self._open.wait(WORKER_WAITS_SECONDS)
        failures = 0
        while not self._stopping.is_set():
            began = time.monotonic()
            # -P: a folder called foyer in the current directory is not the program.
            self._worker = subprocess.Popen([sys.executable, "-P", "-m", "foyer", "worker"], process_group=0)
            status = self._worker.wait()
            if self._stopping.is_set():
                return
            failures = 0 if time.monotonic() - began > LIVED_WELL_SECONDS else failures + 1
            self._voice.warn(f"The worker ended unexpectedly (status {status}). It is started again.", status=status)
            self._stopping.wait(_wait(failures))

    def _end_worker(self) -> None:
        worker = self._worker
        if worker is None or worker.poll() is not None:
            return
        worker.terminate()
        try:
            worker.wait(timeout=web.STOP_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            self._voice.warn("The worker did not stop in time. It is ended; what it was doing is done again later.")
            worker.kill()

    def _announce(self) -> None:
        """Say that the door is open as soon as it answers."""
        ready = self._ready
        while not _answers(ready):
            if self._stopping.wait(LOOK_EVERY_SECONDS):
                return
        self._open.set()
        self._preparation.look_for_the_homeserver()
        shown = f"[{ready.host}]:{ready.port}" if ":" in ready.host else f"{ready.host}:{ready.port}"
        self._voice.announce(
            f"Foyer is open: {ready.public_url} (listening on {shown}, homeserver {ready.homeserver}, "
            f"database {ready.database}).",
            listen=shown,
            public_url=ready.public_url,
            homeserver=ready.homeserver,
            database=ready.database,
        )


def _answers(ready: Ready) -> bool:
    ip = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(ready.ip, ready.ip)  # noqa: S104 - where somebody else listens
    with contextlib.suppress(OSError, http.client.HTTPException):
        connection = http.client.HTTPConnection(ip, ready.port, timeout=5)
        try:
            connection.request("GET", "/healthz", headers={"Host": "localhost"})
            return connection.getresponse().status > 0
        finally:
            connection.close()
    return False


def _wait(failures: int) -> float:
    return RESTARTS_APART_SECONDS[min(failures, len(RESTARTS_APART_SECONDS) - 1)]
