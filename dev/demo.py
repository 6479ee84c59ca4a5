"""Foyer with everything around it, on this machine: a real Synapse, a mail catcher, an invitation ready to use.

`scripts/demo` runs until Ctrl-C. `scripts/demo --check` walks the journeys of newcomers instead and says what it did.
Everything it keeps is in .cache/demo/, made anew each time.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

from dev import demo_apply, demo_check, processes, synapse
from dev.bootstrap import VENV, environment_for, prepare
from dev.environments import CACHE, ROOT, SetupError
from dev.mailcatcher import MailCatcher
from dev.processes import NotReady
from dev.synapse import SERVER_NOTICES, Synapse

_SECONDS_TO_START = 60.0
_ROOM = "welcome"
_ADMIN = "admin"


@dataclass
class Demo:
    """What runs, and how to speak to it."""

    directory: Path
    port: int
    homeserver: Synapse
    mails: MailCatcher
    foyer: subprocess.Popen[bytes] | None = field(default=None)
    password_way: str = "when_applying"

    @property
    def url(self) -> str:
        """Foyer's address. By name: passkeys refuse a bare IP."""
        return f"http://localhost:{self.port}"

    @property
    def configuration(self) -> Path:
        """The foyer.yaml of this demo."""
        return self.directory / "foyer.yaml"

    @property
    def log(self) -> Path:
        """What Foyer printed."""
        return self.directory / "foyer.log"

    def invite(self, number: int) -> list[dict[str, Any]]:
        """Make so many invitations as an owner does; returns what `foyer invite create --json` prints of each.

        Raises:
            NotReady: the command failed; the text is what it said.
        """
        made: list[dict[str, Any]] = json.loads(self.command("invite", "create", "--json", "--count", str(number)))
        return made

    def command(self, *words: str, typed: str = "") -> str:
        """Run `foyer WORDS` as an owner does, with this as its input, and return what it prints.

        Raises:
            NotReady: the command failed; the text is what it said.
        """
        done = subprocess.run(
            [VENV / "bin" / "foyer", "--config", self.configuration, *words],
            cwd=self.directory,
            env=environment_for(),
            input=typed,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise NotReady(f"`foyer {' '.join(words)}` failed: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def choose_passwords(self, way: str) -> None:
        """Have `application.password` be this, and Foyer started anew if it was something else.

        Raises:
            NotReady: Foyer did not start.
        """
        if way == self.password_way:
            return
        self.password_way = way
        _configure(self)
        self.restart()

    def restart(self) -> None:
        """Start Foyer, and stop it first where it runs; returns when it is ready.

        Raises:
            NotReady: it did not start.
        """
        self.stop()
        self.foyer = _serve(self)
        processes.wait_until(lambda: _is_ready(self), self.foyer, log=self.log, seconds=_SECONDS_TO_START)

    def stop(self) -> None:
        """Stop Foyer."""
        if self.foyer is not None:
            processes.stop(self.foyer)
        self.foyer = None

    def fallen(self) -> str | None:
        """The sentence to say if something of it is not running any more."""
        if self.foyer is not None and self.foyer.poll() is not None:
            return f"Foyer ended with code {self.foyer.returncode}. Its log ends:\n{processes.tail(self.log)}"
        server = self.homeserver.process
        if server is not None and server.poll() is not None:
            log = self.homeserver.log
            return f"Synapse ended with code {server.returncode}. Its log ends:\n{processes.tail(log)}"
        return None


@contextlib.contextmanager
def running(*, terminal: TextIO | None) -> Iterator[Demo]:
    """Set everything up and start it; everything is stopped at the end, in order. Mails are printed to the terminal.

    Raises:
        SetupError: something could not be installed.
        NotReady: something did not start.
    """
    with ThreadPoolExecutor() as pool:
        early = pool.submit(synapse.install)  # The other long step: side by side they take half the time.
        prepare()
        wait([early])
    port = processes.free_port(5000)
    with ExitStack() as stack:
        directory = stack.enter_context(_own_directory(port))
        server = stack.enter_context(
            Synapse.start(directory / "synapse", port=processes.free_port(8008), extra_config=SERVER_NOTICES)
        )
        mails = stack.enter_context(_catch_mails(terminal))
        demo = Demo(directory, port, server, mails)
        _make_room(server)
        _configure(demo)
        stack.callback(demo.stop)
        demo.restart()
        yield demo


@contextlib.contextmanager
def _own_directory(port: int) -> Iterator[Path]:
    """An empty folder that no other demo uses while this one runs."""
    directory = CACHE / "demo" / str(port)
    directory.parent.mkdir(parents=True, exist_ok=True)
    with directory.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(mode=0o700)
        yield directory


def _catch_mails(terminal: TextIO | None) -> MailCatcher:
    port, web_port = processes.free_port(1025), processes.free_port(1080)
    return MailCatcher.start(port=port, web_port=web_port, terminal=terminal)


def _make_room(server: Synapse) -> None:
    room = {"room_alias_name": _ROOM, "name": "Welcome", "preset": "public_chat"}
    status, answer = server.admin("POST", "/_matrix/client/v3/createRoom", room)
    if status != 200:
        raise NotReady(f"Synapse did not make the room for newcomers: {status} {answer}")


def _configure(demo: Demo) -> None:
    """Write foyer.yaml as an owner would, readable by us alone."""
    text = f"""# Made by scripts/demo, and made anew each time it starts.
server_name: {demo.homeserver.server_name}
public_url: {demo.url}
listen: 127.0.0.1:{demo.port}
database: sqlite:///{demo.directory / "foyer.sqlite3"}
homeserver:
  url: {demo.homeserver.url}
  registration_shared_secret: {json.dumps(demo.homeserver.shared_secret)}
  admin_token: {json.dumps(demo.homeserver.admin_token)}
after:
  rooms: ["#{_ROOM}:{demo.homeserver.server_name}"]
  welcome_message: Welcome! This homeserver lives as long as the demo does.
email:
  host: 127.0.0.1
  port: {demo.mails.port}
  security: none
  from: foyer@localhost.localdomain
moderators:
  emails: [{demo_apply.MODERATOR}]
application:
  password: {demo.password_way}
branding:
  name: Foyer's demo
  tagline: A homeserver to try things on.
"""
    demo.configuration.touch(mode=0o600)
    demo.configuration.write_text(text, encoding="utf-8")


def _serve(demo: Demo) -> subprocess.Popen[bytes]:
    command: list[str | Path] = [VENV / "bin" / "foyer", "--config", demo.configuration, "serve"]
    return processes.spawn(command, log=demo.log, cwd=demo.directory, env=environment_for())


def _is_ready(demo: Demo) -> bool:
    try:
        with processes.open_directly(f"{demo.url}/readyz", seconds=5) as answer:
            return int(answer.status) == 200
    except OSError:  # Nobody listens yet, or it says 503.
        return False


def _make_admin(demo: Demo) -> str:
    """Make somebody who may do everything at the desk; returns the password."""
    password = secrets.token_urlsafe(9)
    demo.command("staff", "create", _ADMIN, "--role", "admin", "--password-stdin", typed=f"{password}\n")
    return password


def _greet(demo: Demo, password: str, seconds: float) -> None:
    invitation, other = demo.invite(2)
    config = demo.configuration.relative_to(ROOT)
    print(f"""
Foyer runs, {seconds:.0f} s after the start.

  Join with an invitation   {invitation["link"]}
  Or by one command         curl -X POST -F username=test -F password=verysecure -F confirm=verysecure \\
                              -F token={other["code"]} {demo.url}/register
  Or ask for an account     {demo.url}/apply
  The desk: who asks        {demo.url}/desk/ (name: {_ADMIN}, password: {password})
  Mails that Foyer sends    {demo.mails.url}
  The homeserver            http://localhost:{demo.homeserver.port} (a real Synapse)
  Make more invitations     .venv/bin/foyer --config {config} invite create

Stop everything with Ctrl-C.
""")


def _stay(demo: Demo) -> int:
    """Wait until somebody stops us, or until something falls over."""
    while True:
        if sentence := demo.fallen():
            print(sentence, file=sys.stderr)
            return 1
        time.sleep(0.5)


def _stop_in_order(*_: int | FrameType | None) -> None:
    raise KeyboardInterrupt


def main(arguments: list[str]) -> int:
    """Run the demo, or check it; returns the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/demo", description="Try Foyer out with a real Synapse.")
    parser.add_argument(
        "--check", action="store_true", help="walk the journeys of newcomers, say what was done, and end"
    )
    check = parser.parse_args(arguments).check
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop_in_order)
    begin = time.monotonic()
    try:
        with running(terminal=None if check else sys.stdout) as demo:
            if check:
                return demo_check.walk(demo)
            password = _make_admin(demo)
            demo_apply.have_somebody_wait(demo)
            _greet(demo, password, time.monotonic() - begin)
            return _stay(demo)
    except KeyboardInterrupt:
        print("\nStopped.")
        return 130 if check else 0
    except (SetupError, NotReady) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
