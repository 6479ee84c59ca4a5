"""From the answers to a file."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from foyer.cli.errors import CommandFailed
from foyer.cli.setup import questions
from foyer.cli.setup.asking import ask, explain, yes
from foyer.cli.setup.looking import ready_for_sentences
from foyer.config.load import check
from foyer.config.schema import Config
from foyer.config.writing import compose


def begin(path: Path) -> None:
    """Ask everything, try the homeserver, and write the file.

    Raises:
        CommandFailed: the file is there and shall stay, or an answer from a pipe is wrong.
        ConfigError: the answers do not fit together.
    """
    path = path.expanduser().absolute()
    if path.is_dir():
        raise CommandFailed(f"{path} is a folder. Name the file to write, such as {path / 'foyer.yaml'}.")
    if not path.parent.is_dir():
        raise CommandFailed(f"The folder {path.parent} does not exist. Create it first.")
    if path.exists() and not yes(f"{path} exists. Replace it", default=False):
        raise CommandFailed(f"{path} was left as it is. `foyer --config PATH setup` writes elsewhere.")
    print("Press Enter to take what stands in brackets.")
    chosen = questions.server_name()
    chosen |= _homeserver_that_answers(chosen["server_name"])
    for questions_of in _others(chosen["server_name"], path.parent):
        chosen |= questions_of()
    check(chosen, path.parent)
    _write(path, compose(chosen))
    _say_what_is_next(path)
    _first_admin(path)


def _first_admin(path: Path) -> None:
    """Make somebody who may enter the desk. In processes of their own: this one knows Django without a database."""
    if not sys.stdin.isatty() or not yes("\nMake an admin for the desk now", default=True):
        return
    name = ask("Name of the admin", _some_name)
    foyer = [sys.executable, "-P", "-m", "foyer", "--config", str(path)]
    for words in (["migrate"], ["createsuperuser", name]):
        if subprocess.run([*foyer, *words], check=False).returncode:
            print(f"The configuration is written all the same. Later: `foyer --config {path} createsuperuser`.")
            return


def _some_name(text: str) -> str:
    if not text.strip():
        raise ValueError("Type a name, such as anna.")
    return text.strip()


def _others(name: str, folder: Path) -> tuple[Callable[[], dict[str, Any]], ...]:
    return (lambda: questions.door(name), lambda: questions.database(folder), questions.legacy)


def _homeserver_that_answers(name: str) -> dict[str, Any]:
    while True:
        answered = questions.homeserver()
        example = {"server_name": name, "public_url": "http://localhost", "secret_key": "x" * 32}
        is_sound = _try(check({**example, **answered}))
        if is_sound or not sys.stdin.isatty() or not yes("Change these answers", default=True):
            return answered


def _try(config: Config) -> bool:
    """Ask the homeserver what it can do, and print that."""
    ready_for_sentences()
    from foyer.homeserver.make import make
    from foyer.homeserver.port import Level

    print("\nAsking the homeserver …")
    found = make(config).probe()
    marks = {Level.OK: "  ok ", Level.WARNING: "  !  ", Level.FAULT: "  ✗  "}
    for finding in found.findings:
        print(f"{marks[finding.level]}{finding.sentence} {finding.remedy}".rstrip())
    return found.is_sound


def _write(path: Path, text: str) -> None:
    """Write it whole before it gets its name, readable by its owner alone."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def _say_what_is_next(path: Path) -> None:
    usual = path == Path("foyer.yaml").absolute()
    foyer = "foyer" if usual else f"foyer --config {path}"
    print(f"\nWritten: {path}, which only its owner can read.")
    explain(
        "It also holds a new secret for matrix-registration's API (`api.legacy_shared_secret`), for scripts that used "
        "that. Every other key, such as those for mail, stands in foyer.dist.yaml (`foyer config dist` prints it) and "
        "in docs/configuration.md."
    )
    print(f"\nNext: `{foyer} doctor` looks at everything, `{foyer} serve` opens the door,")
    print(f"`{foyer} invite create` makes the first invitation.")
