"""What must be so before the door opens, found out in a child so that the parent stays small."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import sys
import threading
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from foyer.cli.errors import CommandFailed

if TYPE_CHECKING:
    from foyer.config.database import Database

GO_ON = b"!"


@dataclass(frozen=True, slots=True)
class Ready:
    """What the parent needs to know of the configuration. No secrets. `ip` is where `host` resolved to."""

    host: str
    ip: str
    port: int
    public_url: str
    homeserver: str
    database: str
    log_format: str
    log_level: str


class Preparation:
    """A child that prepares, says what it found, and looks for the homeserver when it is told to."""

    def __init__(self, *, listen: str | None, migrate: bool) -> None:
        from_child, to_parent = os.pipe()
        from_parent, to_child = os.pipe()
        self._child = os.fork()
        if self._child == 0:
            os.close(from_child)
            os.close(to_child)
            os._exit(_in_child(to_parent, from_parent, listen=listen, migrate=migrate))
        os.close(to_parent)
        os.close(from_parent)
        self._from_child, self._to_child = from_child, to_child

    def ready(self) -> Ready:
        """Wait for what it found.

        Raises:
            SystemExit: it failed, and has said why.
        """
        with os.fdopen(self._from_child, encoding="utf-8") as pipe:
            said = pipe.read()
        if said:
            threading.Thread(target=os.waitpid, args=(self._child, 0), name="reaper", daemon=True).start()
            return Ready(**json.loads(said))
        _, status = os.waitpid(self._child, 0)
        raise SystemExit(os.waitstatus_to_exitcode(status) or 1)

    def look_for_the_homeserver(self) -> None:
        """Let it go on, once the door is open: until then the pages need the processors more."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self._to_child, GO_ON)


def _in_child(writing: int, reading: int, *, listen: str | None, migrate: bool) -> int:
    from foyer.cli.dispatch import guarded

    def everything() -> None:
        ready = prepare(listen=listen, migrate=migrate)
        with os.fdopen(writing, "w", encoding="utf-8") as pipe:
            pipe.write(json.dumps(asdict(ready)))
        if os.read(reading, len(GO_ON)):  # nothing: the parent is gone
            _look_for_the_homeserver()

    status = guarded(everything, show_traceback="--traceback" in sys.argv)
    sys.stderr.flush()
    return status


def prepare(*, listen: str | None, migrate: bool) -> Ready:
    """Read the configuration, see that the address is free, and bring the database up to date.

    Raises:
        ConfigError, CommandFailed, DatabaseError
    """
    from foyer.config import current
    from foyer.config.places import listen as read_listen

    config = current()
    try:
        where = read_listen(listen) if listen is not None else config.listen
    except ValueError as error:
        raise CommandFailed(f"--listen {listen}: {error}", exit_code=2) from None
    ip = free_address(where.host, where.port)
    _database_ready(config.database, migrate=migrate)
    return Ready(
        host=where.host,
        ip=ip,
        port=where.port,
        public_url=config.public_url,
        homeserver=config.homeserver.url,
        database=config.database.place,
        log_format=config.log.format,
        log_level=config.log.level,
    )


def free_address(host: str, port: int) -> str:
    """Return the IP of `host`, once nobody else listens there.

    The web server's processes share their port among each other, and would as gladly share it with a second Foyer;
    this socket shares it with nobody.
    """
    shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror:
        raise CommandFailed(
            f"There is no host called {host}. Correct `listen`, for instance to 127.0.0.1:5000."
        ) from None
    family, kind, protocol, _, address = sorted(found, key=lambda entry: entry[0] != socket.AF_INET)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
            probe.listen(1)
        except OSError as error:
            raise CommandFailed(_why_not(error, shown, port)) from None
    return str(address[0])


def _why_not(error: OSError, shown: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Another program listens on {shown} already, perhaps another Foyer. Stop it, or choose another port "
            "with `listen` or --listen."
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return f"This machine does not have the address of {shown}. Correct `listen`, for instance to 127.0.0.1:5000."
    if error.errno == errno.EACCES:
        return f"Ports below 1024 are for root. Choose another in place of {port}, and put a proxy in front."
    return f"Foyer cannot listen on {shown}: {error.strerror}. Correct `listen`."


def _database_ready(database: Database, *, migrate: bool) -> None:
    if database.path is not None:
        from foyer.cli.applied import is_up_to_date
        from foyer.config.django import INSTALLED_APPS

        if is_up_to_date(database.path, INSTALLED_APPS):
            return
    from foyer.config.boot import boot

    boot()
    from foyer.cli import migrations, output  # needs Django

    if database.engine == "sqlite" or migrate:
        applied = migrations.bring_up_to_date()
        if applied:
            done = output.counted(len(applied), "migration", "migrations")
            print(f"The database was brought up to date ({done}).", flush=True)
        return
    migrations.refuse_newer()
    if names := migrations.pending():
        raise CommandFailed(
            f"The database {database.place} lacks {output.counted(len(names), 'migration', 'migrations')} "
            "of this version. "
            "Run `foyer migrate`, or start with `foyer serve --migrate`."
        )


def _look_for_the_homeserver() -> None:
    """Say that the homeserver is not there, if so. Foyer opens without it: pages work, joins say to come back."""
    from foyer.config.boot import boot

    config = boot()
    from foyer.homeserver.make import current as homeserver  # needs Django
    from foyer.homeserver.port import Level

    for finding in homeserver().probe(config.after.rooms).findings:
        if finding.level is Level.FAULT:
            print(
                f"Foyer runs, but not all is well: {finding.sentence} {finding.remedy}".strip(),
                file=sys.stderr,
                flush=True,
            )
