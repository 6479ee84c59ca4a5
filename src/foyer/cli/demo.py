"""`foyer demo`: all of Foyer in one process, beside a homeserver that is only in memory."""

from __future__ import annotations

import os
import socket
import tempfile
import threading
from pathlib import Path
from typing import Annotated

import typer

from foyer.cli import simple_server
from foyer.cli.app import command, new_app

app = new_app()
USUAL_PORT = 5000
SERVER_NAME = "localhost"


@command(app)
def demo(
    port: Annotated[
        int, typer.Option(min=0, max=65_535, metavar="PORT", help="Where to listen; 0 for any.")
    ] = USUAL_PORT,
) -> None:
    """Try Foyer: nothing to set up, and nothing is kept.

    Accounts are made in memory, so no Matrix app can sign in with them.
    """
    with tempfile.TemporaryDirectory(prefix="foyer-demo-") as folder:
        config = _configure(Path(folder), _free_port(port))
        _run(config)
    print("\nGone, and nothing was kept.")


def _free_port(wanted: int) -> int:
    for number in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", number))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no port is free")


def _configure(folder: Path, port: int) -> Path:
    from foyer.config.environment import is_key
    from foyer.config.writing import compose

    for name in [name for name in os.environ if is_key(name)]:
        del os.environ[name]  # they belong to somebody's real Foyer
    path = folder / "foyer.yaml"
    values = {
        "server_name": SERVER_NAME,
        "public_url": f"http://localhost:{port}",
        "listen": f"127.0.0.1:{port}",
        "homeserver": {"registration_shared_secret": "nobody is asked"},
        "ways_in": ["invitation"],
        "branding": {"name": "The demo", "tagline": "A server that is only in memory."},
        "database": f"sqlite:///{folder}/foyer.sqlite3",
        "log": {"level": "error"},
    }
    path.write_text(compose(values), encoding="utf-8")
    os.environ["FOYER_CONFIG"] = str(path)
    return path


def _run(path: Path) -> None:
    from foyer.config.boot import boot

    config = boot()
    from foyer.cli import migrations
    from foyer.homeserver.make import using
    from foyer.homeserver.memory import MemoryHomeserver
    from foyer.jobs.worker import Worker

    migrations.bring_up_to_date()
    crew = Worker()
    with using(MemoryHomeserver(server_name=SERVER_NAME)):
        from foyer.wsgi import application

        server = simple_server.bind(application, config.listen.host, config.listen.port)
        worker = threading.Thread(target=crew.run, name="worker")
        worker.start()
        _say(path)
        simple_server.serve(server)
        crew.stop()
        worker.join()


def _say(path: Path) -> None:
    from foyer.invites import services
    from foyer.invites.queries import link
    from foyer.kit.actor import Actor

    invite = services.create(services.NewInvite(uses_limit=None, label="The demo's"), actor=Actor.command_line())
    print("Foyer is open. Somebody has invited you:\n")
    print(f"  {link(invite)}\n")
    print("The homeserver behind it is only in memory: accounts are made there, and no Matrix app can sign in.")
    print(f"Another invitation: foyer --config {path} invite create --message 'Come in!'")
    print("Ctrl-C stops it, and nothing is kept.", flush=True)
