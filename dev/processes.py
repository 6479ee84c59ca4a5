"""Child processes that never outlive us, and the small network questions asked of them."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

# Runs in the child before it becomes the program. Linux then stops the child whenever its parent dies, however it dies.
# PR_SET_PDEATHSIG is 1; changing the user would undo it. A parent that died before the call is noticed by its number.
_LEASH = """
import ctypes, os, signal, sys
parent, number, uid, gid = map(int, sys.argv[1:5])
if uid >= 0:
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, number)
    if os.getppid() != parent:
        sys.exit("The process that wanted this one is gone.")
os.execvp(sys.argv[5], sys.argv[5:])
"""


@dataclass(frozen=True)
class Identity:
    """Whom a program of root's runs as."""

    uid: int
    gid: int

    def for_subprocess(self) -> dict[str, Any]:
        """The arguments of subprocess.run() that make it so."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


_PORTS_TO_TRY = 50
_OWN_PORTS = 10_000
_BLOCK = 100
_FIRST_UNUSUAL = 10_000
_signs: list[socket.socket] = []
_ports_lock = threading.Lock()
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class NotReady(Exception):
    """A child ended, or did not answer in time; the text has the end of its log."""


def spawn(
    command: Sequence[str | Path],
    *,
    log: Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    user: Identity | None = None,
    death_signal: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start a program that ends with us; its output goes to the log.

    Linux ends the child with the *thread* that started it: call this from the main thread.
    The child has a session of its own, so that Ctrl-C reaches us alone and we stop things in order.
    """
    identity = user or Identity(-1, -1)
    numbers = (os.getpid(), int(death_signal), identity.uid, identity.gid)
    leash = [sys.executable, "-I", "-S", "-c", _LEASH, *map(str, numbers)]
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*leash, *(str(part) for part in command)],
            cwd=cwd,
            env=dict(env) if env is not None else None,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    atexit.register(stop, process)
    return process


def stop(process: subprocess.Popen[bytes], *, number: signal.Signals = signal.SIGTERM, seconds: float = 10) -> None:
    """End a child by its id and wait for it; one that does not listen is killed. A child that has ended is fine."""
    if process.poll() is not None:
        return
    process.send_signal(number)
    process.send_signal(signal.SIGCONT)  # A paused child hears nothing else.
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_until(question: Callable[[], bool], process: subprocess.Popen[bytes], *, log: Path, seconds: float) -> None:
    """Ask until the answer is yes.

    Raises:
        NotReady: the child ended before, or the time is over.
    """
    end = time.monotonic() + seconds
    while not question():
        if process.poll() is not None:
            raise NotReady(f"{log.stem} ended with code {process.returncode}. Its log {log} ends:\n{tail(log)}")
        if time.monotonic() > end:
            raise NotReady(f"{log.stem} did not answer within {seconds:g} s. Its log {log} ends:\n{tail(log)}")
        time.sleep(0.03)


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else "(no log)"


def free_port(wanted: int = 0) -> int:
    """A port of loopback that nobody uses: the wanted one or one after it, any for 0.

    It stays ours as long as this process lives, so that a server may be started there, stopped and started again: no
    other process gets it from here, and where the system lets one choose the system gives it to nobody else either.

    Raises:
        NotReady: none is left.
    """
    if not wanted:
        with _ports_lock:
            for port in _own_ports:
                if _is_free(port):
                    return port
        raise NotReady("Every port that is kept for servers of our own is in use on 127.0.0.1.")
    for port in range(wanted, wanted + _PORTS_TO_TRY):
        if _is_free(port) and _reserve(port):
            return port
    raise NotReady(f"No port from {wanted} to {wanted + _PORTS_TO_TRY - 1} is free on 127.0.0.1.")


def _count_own_ports() -> Iterator[int]:
    """Ports that the system gives to no connection, in blocks that are reserved by their first."""
    first, end = _beyond_the_system(_system_ports())
    for block in range(first, end - _BLOCK, _BLOCK):
        if _reserve(block):
            yield from range(block + 1, block + _BLOCK)


def _system_ports() -> tuple[int, int]:
    """The first and the last port that the system takes for connections, and for servers that name none."""
    with contextlib.suppress(OSError):
        low, high = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
        return int(low), int(high)
    return (32768, 60999) if sys.platform == "linux" else (49152, 65535)


def _beyond_the_system(ports: tuple[int, int]) -> tuple[int, int]:
    """Where to look for ports of our own: below the system's, else above; anywhere where it leaves no room."""
    low, high = ports
    if low - _OWN_PORTS > _FIRST_UNUSUAL:
        return low - _OWN_PORTS, low
    if high < 65536 - _OWN_PORTS:
        return 65536 - _OWN_PORTS, 65536
    return 20000, 20000 + _OWN_PORTS


def _reserve(port: int) -> bool:
    """Keep this port for our servers; False: another process has it. The UDP port of the same number is the sign."""
    sign = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sign.bind(("127.0.0.1", port))
    except OSError:
        sign.close()
        return False
    _signs.append(sign)
    return True


def _is_free(port: int) -> bool:
    with contextlib.suppress(OSError), socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        return not _answers_by_name(port)
    return False


_own_ports = _count_own_ports()


def _answers_by_name(port: int) -> bool:
    """Somebody else is where http://localhost:PORT leads: on IPv6, or (on a Mac) on all interfaces."""
    with contextlib.suppress(OSError), socket.create_connection(("localhost", port), timeout=1):
        return True
    return False


def open_directly(request: str | urllib.request.Request, *, seconds: float) -> HTTPResponse:
    """Ask a server on loopback, past any proxy that the environment names; use the answer in a `with`.

    Raises:
        OSError: nobody answers; urllib.error.HTTPError, which is one, for an error status.
    """
    answer: HTTPResponse = _DIRECT.open(request, timeout=seconds)
    return answer
