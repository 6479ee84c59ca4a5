"""What was measured on: a figure without its machine says nothing."""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
import time
from pathlib import Path
from typing import Any

from dev.bench.figures import median, rounded
from dev.environments import ROOT

_PAGE = b"\0" * 4096


def describe(folder: Path) -> dict[str, Any]:
    """Return the facts of this machine, and of the disk that `folder` is on."""
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "fsyncs_per_second": rounded(fsyncs_per_second(folder), 2),
        "commit": _commit(),
    }


def load_average() -> float:
    """Return the load of the last minute; others may be at work here too."""
    return rounded(os.getloadavg()[0], 2)


def fsyncs_per_second(folder: Path, *, seconds: float = 1.0) -> float:
    """Append pages to a file and make each durable: as often as a commit of one writer could be."""
    path = folder / "fsync"
    taken: list[float] = []
    end = time.perf_counter() + seconds
    with path.open("wb", buffering=0) as file:
        while (begin := time.perf_counter()) < end:
            file.write(_PAGE)
            os.fsync(file.fileno())
            taken.append(time.perf_counter() - begin)
    path.unlink()
    return 1 / median(taken)


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()
