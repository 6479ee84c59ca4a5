"""`foyer serve --dry-run`: all of Foyer, while the homeserver is only read from and nobody is mailed.

One process, so that what was rehearsed is remembered; a database of its own, which goes when it stops.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable
from contextlib import closing
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from foyer.config.schema import Config

SIGN = (
    '<div role="note"><p><strong>Rehearsal.</strong> Nothing is changed at the homeserver, and nobody is mailed. '
    "Accounts that are made here do not exist.</p></div>"
)
BODY = re.compile(rb"<body\b[^>]*>")
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def rehearse(*, listen: str | None) -> None:
    """Run until a signal says to stop.

    Raises:
        ConfigError, CommandFailed
    """
    with tempfile.TemporaryDirectory(prefix="foyer-rehearsal-") as folder:
        origin = _use_copy(Path(folder))
        if listen is not None:
            os.environ["FOYER_LISTEN"] = listen
        _run(origin)
    print("\nThe rehearsal is over, and nothing of it was kept.")


def _use_copy(folder: Path) -> str:
    """Let this process use a copy of the SQLite database, or an empty one; return in words which."""
    from foyer.config.load import find, load
    from foyer.config.secret import key_path

    path = os.environ.get("FOYER_CONFIG")
    database = load(find(Path(path) if path else None)).database
    copy = folder / "rehearsal.sqlite3"
    os.environ["FOYER_DATABASE"] = f"sqlite:///{copy}"
    if database.path is None or not database.path.exists():
        return "an empty database"
    with (
        closing(sqlite3.connect(f"file:{database.path}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)
    key = key_path(database.path)
    if key.exists():  # without it no link that was sent would work
        shutil.copy(key, key_path(copy))
    return f"a copy of {database.path}"


def _run(origin: str) -> None:
    from foyer.config.boot import boot

    config = boot()
    from foyer.cli import migrations, simple_server
    from foyer.cli.serve.prepare import free_address
    from foyer.homeserver.make import make_rehearsal, using
    from foyer.jobs.worker import Worker
    from foyer.notify import email

    free_address(config.listen.host, config.listen.port)
    migrations.bring_up_to_date()
    crew = Worker()
    with using(make_rehearsal(config)), email.shown_to(_show):
        from foyer.wsgi import application

        server = simple_server.bind(announcing(application), config.listen.host, config.listen.port)
        worker = threading.Thread(target=crew.run, name="worker")
        worker.start()
        _say(config, origin)
        simple_server.serve(server)
        crew.stop()
        worker.join()


def _say(config: Config, origin: str) -> None:
    print(
        f"A rehearsal at http://{config.listen}, with {origin}. {config.homeserver.url} is read from and never "
        "changed; mails are shown here and sent to nobody. Ctrl-C stops it, and nothing is kept.",
        flush=True,
    )


def _show(message: EmailMessage) -> None:
    body = message.get_body(("plain",))
    text = body.get_content() if body is not None else ""
    told = "\n".join(f"  | {line}" for line in text.splitlines())
    print(f"Rehearsal: would mail {message['To']}: {message['Subject']}\n{told}", file=sys.stderr, flush=True)


def announcing(application: Application) -> Application:
    """Say on every page that this is a rehearsal."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        began: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:
            began[:] = [status, headers, exc_info]
            return lambda _text: None  # nobody here writes so

        chunks = application(environ, start)
        try:
            text = b"".join(chunks)
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        status, headers, exc_info = began
        kinds = [value for name, value in headers if name.lower() == "content-type"]
        if kinds and kinds[0].startswith("text/html"):
            text = BODY.sub(lambda body: body.group() + SIGN.encode(), text, count=1)
            headers = [(name, value) for name, value in headers if name.lower() != "content-length"]
            headers.append(("Content-Length", str(len(text))))
        start_response(status, headers, exc_info)
        return [text]

    return answer
