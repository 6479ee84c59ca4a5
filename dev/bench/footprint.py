"""What Foyer takes from a machine: the time until it answers, and the memory of each process, fresh and used."""

from __future__ import annotations

import contextlib
import itertools
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dev import processes
from dev.bench import load, people, servers
from dev.bench.figures import median, milliseconds, rounded
from dev.bench.scale import Found, Scale
from dev.bench.servers import FOYER, Foyer
from dev.bench.tables import table

INVITATIONS = 1000
CONNECTIONS = 16
SETTLE_SECONDS = 3.0
REGISTRATIONS_IN_TEN = 1


def measure(scale: Scale) -> Found:
    """Start it often, then use it much."""
    scale.say("Footprint: how long it takes to start")
    helps = [_timed_help() for _ in range(1 + scale.of(15, 3))][1:]
    with servers.stub_homeserver(scale.folder) as stub:
        homeserver = servers.by_secret(stub)
        starts = _cold_starts(scale, homeserver)
        memory = [_memory(scale, homeserver, processes=count) for count in (1, 2)]
    return {
        "help_ms": milliseconds(median(helps)),
        "first_page_ms": milliseconds(median(starts)),
        "first_page_slowest_ms": milliseconds(max(starts)),
        "memory": memory,
    }


def _timed_help() -> float:
    begin = time.perf_counter()
    subprocess.run([FOYER, "--help"], check=True, capture_output=True)
    return time.perf_counter() - begin


def _cold_starts(scale: Scale, homeserver: dict[str, Any]) -> list[float]:
    """Seconds from the command to the first page with a form, on a database that is there."""
    found: list[float] = []
    with servers.foyer(scale.folder, homeserver, invitations=INVITATIONS) as foyer:
        for _ in range(scale.of(7, 2)):
            foyer.stop()
            found.append(_seconds_to_first_page(foyer))
    return found


def _seconds_to_first_page(foyer: Foyer) -> float:
    begin = time.perf_counter()
    command: list[str | Path] = [FOYER, "--config", foyer.config, "serve"]
    # Not foyer.start(): that looks only every 30 ms, and at another page.
    foyer.process = processes.spawn(command, log=foyer.log, cwd=foyer.folder)
    page = f"http://127.0.0.1:{foyer.port}/register?token={people.code(1)}"
    while foyer.process.poll() is None:
        with contextlib.suppress(OSError), processes.open_directly(page, seconds=5) as answer:
            answer.read()
            return time.perf_counter() - begin
        time.sleep(0.002)
    raise processes.NotReady(f"Foyer ended: {processes.tail(foyer.log)}")


def _memory(scale: Scale, homeserver: dict[str, Any], *, processes: int) -> Found:
    """PSS by role after so many requests, nine pages to one registration."""
    steps = [0, scale.of(10_000, 200), *([scale.of(100_000, 600)] if processes == 1 else [])]
    found: list[Found] = []
    with servers.foyer(scale.folder, homeserver, invitations=INVITATIONS, process_count=processes) as foyer:
        before = 0
        for step in steps:
            scale.say(f"Footprint: memory of {processes} for pages after {step:,} requests")
            if step > before:
                load.run(foyer.port, _mixed(), connections=CONNECTIONS, count=step - before).require_all()
            before = step
            time.sleep(scale.of(SETTLE_SECONDS, 1.0))
            found.append({"requests": step, "pss_mb": _highest(foyer.memory())})
    return {"processes": processes, "steps": found}


def _highest(memory: dict[str, list[float]]) -> dict[str, float]:
    return {role: rounded(max(each)) for role, each in sorted(memory.items())}


def _mixed() -> Iterator[bytes]:
    token = people.code(1)
    pages = [load.get(path) for path in (f"/register?token={token}", f"/i/{token}", "/")]
    registrations = people.registrations(INVITATIONS)
    for number, page in enumerate(itertools.cycle(pages)):
        yield next(registrations) if number % 10 < REGISTRATIONS_IN_TEN else page


def text(found: Found) -> str:
    """The tables."""
    starts = [
        ["`foyer --help`", found["help_ms"]],
        ["`foyer serve`, from the command to the first page", found["first_page_ms"]],
        ["the slowest of these", found["first_page_slowest_ms"]],
    ]
    roles = sorted({role for one in found["memory"] for step in one["steps"] for role in step["pss_mb"]})
    rows = [
        [one["processes"], step["requests"], *(step["pss_mb"].get(role, "–") for role in roles)]
        for one in found["memory"]
        for step in one["steps"]
    ]
    head = ["Processes for pages", "Requests before", *(f"{role}, MB" for role in roles)]
    return f"{table(['What', 'ms'], starts)}\n\nMemory (PSS; of several alike, the largest):\n\n{table(head, rows)}"
