"""How doctor's findings are told."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Iterable

from foyer.cli import output
from foyer.cli.doctor.findings import Finding

MARKS = {"ok": "ok", "warning": "!", "fault": "✗"}
COLOURS = {"ok": "32", "warning": "33", "fault": "31"}
WIDTH = 100


def tell_as_json(found: Iterable[tuple[str, Finding]]) -> bool:
    """Print everything as one JSON object; return whether there was no fault."""
    told = [
        {"about": about, "level": one.level, "sentence": one.sentence, "remedy": one.remedy} for about, one in found
    ]
    all_well = all(one["level"] != "fault" for one in told)
    output.print_json({"ok": all_well, "findings": told})
    return all_well


def tell_as_text(found: Iterable[tuple[str, Finding]]) -> bool:
    """Print each finding as soon as it is known; return whether there was no fault."""
    counted = {"ok": 0, "warning": 0, "fault": 0}
    before = ""
    for about, one in found:
        if about != before:
            print(f"{about}:" if not before else f"\n{about}:")
        before = about
        counted[one.level] += 1
        _print(one)
    print()
    print(_summary(counted["fault"], counted["warning"]))
    return counted["fault"] == 0


def _print(one: Finding) -> None:
    mark = MARKS[one.level]
    if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
        mark = f"\033[{COLOURS[one.level]}m{mark}\033[0m" + " " * (2 - len(mark))
    else:
        mark = f"{mark:<2}"
    text = output.printable(f"{one.sentence} {one.remedy}".strip())
    lines = textwrap.wrap(text, WIDTH - 5, break_long_words=False, break_on_hyphens=False)
    print(f"  {mark} " + "\n     ".join(lines), flush=True)


def _summary(faults: int, warnings: int) -> str:
    if faults:
        return "1 thing must be mended." if faults == 1 else f"{faults} things must be mended."
    if warnings:
        return "Foyer works. What is marked with ! could be better."
    return "All is well."
