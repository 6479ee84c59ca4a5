"""`foyer worker`."""

from __future__ import annotations

import signal
import threading
from types import FrameType

from foyer.cli.app import command, new_app
from foyer.cli.errors import CommandFailed
from foyer.cli.serve import tether
from foyer.config.boot import boot

app = new_app()


@command(app)
def worker() -> None:
    """Do what is owed after a commit: rooms, mails, accounts whose answer was lost, and what the clock asks for.

    `foyer serve` has a worker of its own. Run this beside other servers (gunicorn, uWSGI), or on a machine of its own.
    """
    tether.hold()
    boot()
    from foyer.cli import migrations, output
    from foyer.jobs.worker import Worker

    if names := migrations.pending():
        lacking = output.counted(len(names), "migration", "migrations")
        raise CommandFailed(f"The database lacks {lacking} of this version. Run `foyer migrate` first.")
    crew = Worker()

    def stop(_number: int, _frame: FrameType | None) -> None:
        # Not here: the handler runs within whatever the main thread does, and that may hold the lock that stop() wants.
        threading.Thread(target=crew.stop).start()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)
    crew.run()
