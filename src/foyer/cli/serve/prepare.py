"""What must be so before the door opens, found out in a child so that the parent stays small."""

from __future__ import annotations

import errno
import json
import os
import socket
import sys
import threading
from dataclasses import asdict, dataclass

from foyer.cli.errors import CommandFailed


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


def prepare_apart(*, listen: str | None, migrate: bool) -> Ready:
    """Prepare in a child, and return what it found.

    Raises:
        SystemExit: it failed, and has said why.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os._exit(_in_child(writing, listen=listen, migrate=migrate))
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        said = pipe.read()
    if said:
        # The child goes on to look for the homeserver.
        threading.Thread(target=os.waitpid, args=(child, 0), name="reaper", daemon=True).start()
        return Ready(**json.loads(said))
    _, status = os.waitpid(child, 0)
    raise SystemExit(os.waitstatus_to_exitcode(status) or 1)


def _in_child(writing: int, *, listen: str | None, migrate: bool) -> int:
    from foyer.cli.dispatch import guarded

    def everything() -> None:
        ready = prepare(listen=listen, migrate=migrate)
        with os.fdopen(writing, "w", encoding="utf-8") as pipe:
            pipe.write(json.dumps(asdict(ready)))
        _look_for_the_homeserver()

    status = guarded(everything, show_traceback="--traceback" in sys.argv)
    sys.stderr.flush()
    return status


def prepare(*, listen: str | None, migrate: bool) -> Ready:
    """Read the configuration, see that the address is free, and bring the database up to date.

    Raises:
        ConfigError, CommandFailed, DatabaseError
    """
    from foyer.config.boot import boot
    from foyer.config.database_errors import place
    from foyer.config.places import listen as read_listen

    config = boot()
    try:
        where = read_listen(listen) if listen is not None else config.listen
    except ValueError as error:
        raise CommandFailed(f"--listen {listen}: {error}", exit_code=2) from None
    ip = free_address(where.host, where.port)
    _database_ready(engine=config.database.engine, migrate=migrate)
    return Ready(
        host=where.host,
        ip=ip,
        port=where.port,
        public_url=config.public_url,
        homeserver=config.homeserver.url,
        database=place(config.database),
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


def _database_ready(*, engine: str, migrate: bool) -> None:
    from foyer.cli import migrations, output
    from foyer.config import current
    from foyer.config.database_errors import place

    if engine == "sqlite" or migrate:
        applied = migrations.bring_up_to_date()
        if applied:
            done = output.counted(len(applied), "migration", "migrations")
            print(f"The database was brought up to date ({done}).", flush=True)
        return
    migrations.refuse_newer()
    if names := migrations.pending():
        raise CommandFailed(
            f"The database {place(current().database)} lacks {output.counted(len(names), 'migration', 'migrations')} "
            "of this version. "
            "Run `foyer migrate`, or start with `foyer serve --migrate`."
        )


def _look_for_the_homeserver() -> None:
    """Say that the homeserver is not there, if so. Foyer opens without it: pages work, joins say to come back."""
    from foyer.config import current
    from foyer.homeserver.make import current as homeserver
    from foyer.homeserver.port import Level

    for finding in homeserver().probe(current().after.rooms).findings:
        if finding.level is Level.FAULT:
            print(
                f"Foyer runs, but not all is well: {finding.sentence} {finding.remedy}".strip(),
                file=sys.stderr,
                flush=True,
            )
