"""What others notice while twelve clients send a byte a second: their headers, or the body of a form.

Such a client may be a bad line, or somebody who wants to take every place. Who is cut off comes back at once.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dev import packages, processes
from dev.bench import crowd, load, people, servers
from dev.bench.scale import Found, Scale
from dev.bench.tables import table
from dev.environments import ROOT, SetupError
from dev.processes import NotReady

CLIENTS = 12
EVERY_SECONDS = 1.0
REGISTRATIONS_IN_TEN = 1
INVITATIONS = 100
NGINX = """
daemon off;
{user}
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""
HEADERS = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
BODY = (
    b"POST /register HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Content-Length: 4000\r\n\r\n"
)
MOODS = {"headers": HEADERS, "body": BODY}


@dataclass
class Dripper(threading.Thread):
    """One client that takes its time."""

    port: int
    beginning: bytes
    over: threading.Event
    every_seconds: float = EVERY_SECONDS
    connections: int = 0

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    __hash__ = threading.Thread.__hash__

    def run(self) -> None:
        """Send a byte a second, and begin again where the server hangs up."""
        while not self.over.is_set():
            self.connections += 1
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=5) as it:
                it.settimeout(None)  # With one, Python waits for an answer before it looks whether there is any.
                it.sendall(self.beginning)
                while not self.over.wait(self.every_seconds):
                    it.sendall(b"x")
                    if _is_closed(it):
                        break


def _is_closed(connection: socket.socket) -> bool:
    """Say whether the server has hung up, or has answered before the end."""
    with contextlib.suppress(BlockingIOError):
        connection.recv(65536, socket.MSG_DONTWAIT)
        return True
    return False


def measure(scale: Scale) -> Found:
    """Ask the same of Foyer alone, and of the nginx before it."""
    with servers.stub_homeserver(scale.folder) as stub:
        homeserver = servers.by_secret(stub)
        with servers.foyer(scale.folder, homeserver, invitations=INVITATIONS) as foyer:
            rows = _rows(scale, "bare", foyer.port)
            missing = ""
            try:
                with nginx(scale.folder, foyer.port) as port:
                    rows += _rows(scale, "behind nginx", port)
            except (SetupError, NotReady) as error:
                missing = scale.missing("nginx", error)
    return {"clients": CLIENTS, "rate": crowd.PAGES_PER_SECOND, "rows": rows, "missing": missing}


def _rows(scale: Scale, where: str, port: int) -> list[Found]:
    seconds = scale.of(15.0, 2.0)
    _others(port, 1.0)  # to warm up
    scale.say(f"Drip: others {where}, alone")
    rows = [{"where": where, "what": "nobody", "connections": 0, **crowd.figures(_others(port, seconds))}]
    for what, beginning in MOODS.items():
        scale.say(f"Drip: others {where}, while {CLIENTS} send their {what} byte by byte")
        with dripping(port, beginning) as clients:
            found = crowd.figures(_others(port, seconds))
        rows.append({"where": where, "what": what, "connections": sum(it.connections for it in clients), **found})
    return rows


@contextlib.contextmanager
def dripping(port: int, beginning: bytes) -> Iterator[list[Dripper]]:
    """Have the twelve there until the `with` block ends."""
    over = threading.Event()
    clients = [Dripper(port, beginning, over) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    over.wait(EVERY_SECONDS / 2)  # until all of them have begun
    try:
        yield clients
    finally:
        over.set()
        for client in clients:
            client.join(10)


def _others(port: int, seconds: float) -> load.Outcome:
    """So many a second, however long they take."""
    rate = crowd.PAGES_PER_SECOND
    return load.run(port, others(), connections=crowd.CONNECTIONS, seconds=seconds, rate=rate).require_all()


def others() -> Iterator[bytes]:
    """Pages and, one time in ten, a registration."""
    registrations = people.registrations(INVITATIONS)
    pages = itertools.cycle([load.get(path) for path in crowd.PAGES])
    for number, page in enumerate(pages):
        yield next(registrations) if number % 10 < REGISTRATIONS_IN_TEN else page


@contextlib.contextmanager
def nginx(folder: Path, foyer_port: int) -> Iterator[int]:
    """Run the system's nginx with deploy/nginx.conf before Foyer until the `with` block ends; gives its port.

    Raises:
        SetupError: there is none, and it could not be installed.
        NotReady: it did not start.
    """
    program = packages.find_or_install("nginx")
    home = (folder / "nginx").resolve()
    home.mkdir()
    port = processes.free_port()
    site = (ROOT / "deploy" / "nginx.conf").read_text()
    site = site.replace("listen 80;", f"listen 127.0.0.1:{port};").replace("listen [::]:80;", "")
    (home / "site.conf").write_text(re.sub(r"127\.0\.0\.1:5000", f"127.0.0.1:{foyer_port}", site))
    # As root nginx would go on as nobody, who may not enter every folder.
    user = "user root;" if os.geteuid() == 0 else ""
    (home / "nginx.conf").write_text(NGINX.format(folder=home, user=user))
    log = home / "output.log"
    command: list[str | Path] = [program, "-e", home / "error.log", "-p", home, "-c", home / "nginx.conf"]
    process = processes.spawn(command, log=log)
    try:
        processes.wait_until(lambda: _accepts(port), process, log=log, seconds=20)
        yield port
    finally:
        processes.stop(process)


def _accepts(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def text(found: Found) -> str:
    """The table."""
    rows = [
        [row["where"], row["what"], row["p50_ms"], row["p99_ms"], row["worst_ms"], row["connections"]]
        for row in found["rows"]
    ]
    head = ["Foyer", f"{found['clients']} clients drip", "others' p50, ms", "p99, ms", "slowest, ms"]
    shown = table([*head, "connections of the slow ones"], rows)
    return "\n\n".join(part for part in (found["missing"], shown) if part)
