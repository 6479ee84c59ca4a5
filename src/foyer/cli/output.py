"""Printing: tables for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import typer

from foyer.cli.errors import CommandFailed


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
