"""Measure, show, and write docs/performance.json and the tables of docs/performance.md from it.

`--only NAME` measures one case and leaves the others as they were; `--quick` only shows that the measuring works, and
writes nothing below docs/. Each case is kept as soon as it is measured: one that fails keeps no other from it, and a
run that is stopped loses only the case that it was at.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dev.bench import (
    applying,
    beside,
    desk,
    drip,
    footprint,
    goals,
    growth,
    hanging,
    machine,
    patience,
    speed,
    synapse,
)
from dev.bench.scale import Found, Scale
from dev.bench.tables import put
from dev.environments import CACHE, ROOT, SetupError
from dev.processes import NotReady

FIGURES = ROOT / "docs" / "performance.json"
DOCUMENT = ROOT / "docs" / "performance.md"
CALM = 1.5
"""With more load than this before it begins, others share the figures."""


@dataclass(frozen=True)
class Case:
    """One thing that is measured, and how it is written down."""

    measure: Callable[[Scale], Found]
    text: Callable[[Found], str]


CASES = {
    name: Case(module.measure, module.text)
    for name, module in {
        "beside": beside,
        "speed": speed,
        "synapse": synapse,
        "growth": growth,
        "applying": applying,
        "applications": desk,
        "hanging": hanging,
        "patience": patience,
        "drip": drip,
        "footprint": footprint,
    }.items()
}


def measure(name: str, scale: Scale) -> Found:
    """Measure one case; what is found says when, on what, and how busy the machine was before."""
    busy, begin = machine.load_average(), time.monotonic()
    found = CASES[name].measure(scale)
    return {
        "measured": time.strftime("%Y-%m-%d", time.gmtime()),
        "load_before": busy,
        "took_seconds": round(time.monotonic() - begin),
        "machine": machine.describe(scale.folder),
        "found": found,
    }


def written(one: Found, name: str) -> str:
    """Return a case as it stands in the document."""
    facts = one["machine"]
    line = (
        f"Measured {one['measured']} at {facts['commit']}: {facts['cores']} cores ({facts['processor']}), "
        f"{facts['fsyncs_per_second']:,.0f} fsyncs a second, {facts['system']}, Python {facts['python']}, SQLite "
        f"{facts['sqlite']}; load before: {one['load_before']:g}."
    )
    return f"{CASES[name].text(one['found'])}\n\n*{line}*"


def document_of(document: str, figures: dict[str, Any]) -> str:
    """Return the document with the tables of these figures. What was kept in another form than today's stays."""
    for name in CASES:
        if name in figures:
            with contextlib.suppress(KeyError):
                document = put(document, name, written(figures[name], name))
    return put(document, "goals", f"{goals.text(figures)}\n\n{_duration(figures)}".strip())


def _duration(figures: dict[str, Any]) -> str:
    took = [figures[name]["took_seconds"] for name in CASES if "took_seconds" in figures.get(name, {})]
    return f"To measure all of it took {sum(took) / 60:.0f} minutes." if len(took) == len(CASES) else ""


def _keep(measured: dict[str, Found]) -> None:
    figures = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    figures.update(measured)
    FIGURES.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n")
    DOCUMENT.write_text(document_of(DOCUMENT.read_text(), figures))
    print(f"{FIGURES.relative_to(ROOT)} and {DOCUMENT.relative_to(ROOT)} are written.")


def main(arguments: list[str]) -> int:
    """Measure what is asked for."""
    asked = _parser().parse_args(arguments)
    names = asked.only or list(CASES)
    if not asked.quick and (busy := machine.load_average()) > CALM:
        print(f"This machine is busy (load {busy:g}): others will share these figures.", flush=True)
    # So that a measurement that is stopped cleans up too; its children end with it in any case.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    CACHE.mkdir(exist_ok=True)
    # Below the checkout, because /tmp may be memory, which is always durable.
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=CACHE))
    begin = time.monotonic()
    try:
        failed = measure_all(names, folder, quick=asked.quick)
    except KeyboardInterrupt:
        print("\nStopped." if asked.quick else "\nStopped. What was measured before is kept.")
        return 130
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"This took {(time.monotonic() - begin) / 60:.0f} minutes.")
    return 1 if failed else 0


def measure_all(names: Iterable[str], folder: Path, *, quick: bool) -> list[str]:
    """Measure these cases below `folder`, and keep what was found; returns those that could not be measured."""
    failed: list[str] = []
    for name in names:
        print(f"Measuring {name} …", flush=True)
        if not _measured(name, folder, quick=quick):
            failed.append(name)
    if failed:
        print(f"Not measured: {', '.join(failed)}. What the page says of these is as it was.")
    return failed


def _measured(name: str, folder: Path, *, quick: bool) -> bool:
    """Measure one case and keep it. Where it cannot be, say why: the other cases are measured all the same."""
    own = folder / name
    own.mkdir()
    try:
        found = measure(name, Scale(own, quick=quick))
        print(f"\n{written(found, name)}\n\n{name} took {found['took_seconds']} s.\n", flush=True)
        if not quick:
            _keep({name: found})
    except (SetupError, NotReady) as error:
        print(f"{name} was not measured: {error}", flush=True)
        return False
    except Exception:  # noqa: BLE001 - the outermost frame of a case
        traceback.print_exc()
        return False
    finally:
        shutil.rmtree(own, ignore_errors=True)
    return True


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measure Foyer on this machine.")
    parser.add_argument("--only", action="append", choices=CASES, metavar="NAME", help=", ".join(CASES))
    parser.add_argument("--quick", action="store_true", help="see that it works, in seconds; nothing is written")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
