"""Printing: tables for people, JSON for programs."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import typer

from foyer.cli.errors import CommandFailed

SHOW_EVERY_SECONDS = 0.2


def print_json(value: Any) -> None:
    """Print a value as JSON, whole, on standard output."""
    print(json.dumps(value, ensure_ascii=False, indent=2))


def print_json_array(values: Iterable[Any]) -> None:
    """Print values as one JSON array, each as it comes."""
    opening = "["
    for value in values:
        print(f"{opening}\n  {json.dumps(value, ensure_ascii=False)}", end="")
        opening = ","
    print("[]" if opening == "[" else "\n]")


def print_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows in columns: cut to the width of a terminal, whole elsewhere."""
    if sys.stdout.isatty():
        from rich.console import Console  # a tenth of a second that only tables need
        from rich.table import Table

        table = Table(*titles, box=None, pad_edge=False, header_style="bold")
        for row in rows:
            table.add_row(*(printable(cell) for cell in row))
        Console(markup=False, highlight=False, emoji=False).print(table)
        return
    lines = [list(titles), *([printable(cell) for cell in row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(titles))]
    for line in lines:
        print("  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip())


def print_facts(facts: Iterable[tuple[str, str]]) -> None:
    """Print names and values, a line each; a name without a value is left out."""
    known = [(name, printable(value)) for name, value in facts if value]
    width = max((len(name) for name, _ in known), default=0)
    for name, value in known:
        print(f"{name + ':':<{width + 1}} {value}")


def counted(count: int, one: str, many: str) -> str:
    """Return a number with its noun: `1 job`, `2 jobs`."""
    return f"{count} {one if count == 1 else many}"


def printable(text: str) -> str:
    """Return text on one line, without what would steer a terminal."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def ask_before(question: str, *, yes: bool) -> None:
    """Go on only if the person at the terminal says so, or said `--yes`.

    Raises:
        CommandFailed: there is nobody to ask, or the answer was no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise CommandFailed(f"{question} Nobody is there to answer; add --yes to go ahead.")
    if not typer.confirm(question):
        raise CommandFailed("Nothing was changed.")


@contextlib.contextmanager
def progress(what: str) -> Iterator[Callable[[], None]]:
    """Yield a function that counts one more; the count is shown while a person watches."""
    count, shown_at = 0, time.monotonic()

    def advance() -> None:
        nonlocal count, shown_at
        count += 1
        if time.monotonic() - shown_at > SHOW_EVERY_SECONDS:
            shown_at = time.monotonic()
            print(f"\r{count} {what} …", end="", file=sys.stderr, flush=True)

    try:
        yield advance if sys.stderr.isatty() else lambda: None
    finally:
        if sys.stderr.isatty() and count:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
