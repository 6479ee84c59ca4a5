"""One question at a time, of a person or of a pipe."""

from __future__ import annotations

import getpass
import sys
import textwrap
from collections.abc import Callable
from typing import TypeVar

from foyer.cli.errors import CommandFailed

Value = TypeVar("Value")


def explain(text: str) -> None:
    """Print what the next question is about."""
    print()
    print(textwrap.fill(text, 88))


def ask(question: str, read: Callable[[str], Value], *, default: str = "", hidden: bool = False) -> Value:
    """Return the answer as `read` makes it; where that raises ValueError, a person is asked again.

    Raises:
        CommandFailed: the answer of a pipe is wrong, or it has ended.
    """
    shown = f"{question} [{default}]: " if default else f"{question}: "
    while True:
        answer = _line(shown, hidden=hidden) or default
        try:
            return read(answer)
        except ValueError as error:
            if not sys.stdin.isatty():
                raise CommandFailed(f"{question}: {error} Nothing was written.") from None
            print(f"  {error}")


def yes(question: str, *, default: bool) -> bool:
    """Return whether the answer is yes."""
    return ask(f"{question}? ({'Y/n' if default else 'y/N'})", _yes_or_no(default=default))


def _yes_or_no(*, default: bool) -> Callable[[str], bool]:
    def read(answer: str) -> bool:
        word = answer.lower()
        if word in {"y", "yes", "n", "no", ""}:
            return word.startswith("y") if word else default
        raise ValueError("Answer y or n.")

    return read


def _line(prompt: str, *, hidden: bool) -> str:
    if sys.stdin.isatty():
        try:
            return (getpass.getpass(prompt) if hidden else input(prompt)).strip()
        except EOFError:
            raise CommandFailed("\nNothing was written.") from None
    print(prompt, end="", flush=True)
    line = sys.stdin.readline()
    print()
    if not line:
        raise CommandFailed(f"The answers end before the question “{prompt.rstrip(': ')}”. Nothing was written.")
    return line.strip()
