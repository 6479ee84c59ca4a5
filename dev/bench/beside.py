"""Foyer, matrix-registration, and the ceilings of Foyer's own stack, in turns: pages and registrations.

Each as it comes: `foyer serve` takes a process for each core, and so do the ceilings, which its parent starts;
matrix-registration has one, of several threads, and no option for more. How many each has stands in the table.

Sixteen connections that never pause, before the stub. matrix-registration is measured with so few tokens that it is at
its best, and with as many as Foyer has invitations, since it reads all of them at every registration.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

from dev.bench import load, people, predecessors, servers
from dev.bench.figures import ratio
from dev.bench.predecessors import Service, service
from dev.bench.scale import Found, Scale
from dev.bench.servers import Foyer
from dev.bench.speed import CONNECTIONS, INVITATIONS, PAGES, POST, Series
from dev.bench.tables import table
from dev.environments import ROOT, SetupError
from dev.processes import NotReady

FOYER, FEW, MANY = "Foyer", "matrix-registration", "matrix-registration, as many tokens"
CEILINGS = {
    "server": "granian alone",
    "django": "granian and Django, an empty view",
    "settings": "granian, Django and Foyer's settings, an empty view",
}
FEW_TOKENS = 10
MEASURED = ("per_second", "p50_ms", "p99_ms", "cpu_ms")
PAGE = "GET /register"


@dataclass(frozen=True)
class Side:
    """Who is measured, and what each kind of work asks of them."""

    door: Foyer | Service
    works: dict[str, Callable[[], Iterator[bytes]]]

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The first of its processes."""
        assert self.door.process is not None  # noqa: S101 - it was just started
        return self.door.process

    def round(self, work: str, seconds: float) -> tuple[load.Outcome, float]:
        """Ask for so long; returns what came, and the CPU seconds that it took."""
        before = self.door.cpu_seconds()
        outcome = load.run(self.door.port, self.works[work](), connections=CONNECTIONS, seconds=seconds)
        return outcome.require_all(), self.door.cpu_seconds() - before


def measure(scale: Scale) -> Found:
    """Run the rounds."""
    with ExitStack() as stack:
        stub = stack.enter_context(servers.stub_homeserver(scale.folder))
        sides = {FOYER: _foyer(scale, stack, stub)}
        missing = _add_predecessor(scale, stack, stub, sides)
        for kind, name in CEILINGS.items():
            sides[name] = Side(stack.enter_context(empty(scale, kind)), {"GET": partial(people.pages, "/")})
        series = {(name, work): Series(name, work) for name, side in sides.items() for work in side.works}
        for name, work in series:
            sides[name].round(work, scale.of(2.0, 0.3))
        for number in range(rounds := scale.of(5, 2)):
            scale.say(f"Beside: round {number + 1} of {rounds}")
            for (name, work), one in series.items():
                one.add(*sides[name].round(work, scale.of(4.0, 0.5)))
        processes = {name: servers.answering(side.process) for name, side in sides.items()}
    rows = [{**one.figures(), "processes": processes[one.foyer]} for one in series.values()]
    return {"rows": rows, "ratios": _ratios(series), "missing": missing}


def _foyer(scale: Scale, stack: ExitStack, stub: str) -> Side:
    door = stack.enter_context(
        servers.foyer(scale.folder, servers.by_secret(stub), invitations=INVITATIONS, process_count=None)
    )
    pages = {work: partial(people.pages, path, invitations=INVITATIONS) for work, path in PAGES.items()}
    return Side(door, {POST: partial(people.registrations, INVITATIONS), **pages})


def _add_predecessor(scale: Scale, stack: ExitStack, stub: str, sides: dict[str, Side]) -> str:
    """Add matrix-registration; returns why not, where it cannot be had."""
    try:
        for name, tokens in ((FEW, FEW_TOKENS), (MANY, INVITATIONS)):
            door = stack.enter_context(predecessors.matrix_registration(scale.folder, stub, tokens=tokens))
            works: dict[str, Callable[[], Iterator[bytes]]] = {POST: partial(_registrations, tokens)}
            if name == FEW:
                works[PAGE] = partial(people.pages, "/register")
            sides[name] = Side(door, works)
    except (SetupError, NotReady) as error:
        return scale.missing(predecessors.MATRIX_REGISTRATION, error)
    return ""


def _registrations(tokens: int) -> Iterator[bytes]:
    number = 0
    while True:
        number = number % tokens + 1
        yield load.post("/register", people.form(people.new_name(), predecessors.token(number)))


@contextmanager
def empty(scale: Scale, kind: str) -> Iterator[Service]:
    """One of the ceilings, until the `with` block ends."""
    with servers.foyer(scale.folder, servers.by_secret("http://127.0.0.1:9"), start=False) as it:
        command = [sys.executable, "-m", "dev.bench.ceiling", kind, "--config", str(it.config)]
        path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        with service(command, port=it.port, page="/healthz", folder=it.folder, PYTHONPATH=path) as running:
            yield running


def _ratios(series: dict[tuple[str, str], Series]) -> list[Found]:
    """Foyer's work beside each of the others', round by round."""
    beside = [(page, FEW, PAGE) for page in PAGES]
    beside += [(page, name, "GET") for page in PAGES for name in CEILINGS.values()]
    beside += [(POST, name, POST) for name in (FEW, MANY)]
    return [
        {"work": work, "beside": name, **ratio(series[FOYER, work].per_second, series[name, other].per_second).kept()}
        for work, name, other in beside
        if (name, other) in series
    ]


def text(found: Found) -> str:
    """The tables."""
    rows = [
        [row["foyer"], row.get("processes", 1), row["work"], *(row[name] for name in MEASURED)] for row in found["rows"]
    ]
    head = ["Who", "Processes", "Work", "a second", "p50, ms", "p99, ms", "CPU seconds per thousand"]
    times = [[one["work"], one["beside"], _spread(one)] for one in found["ratios"]]
    parts = [found["missing"], table(head, rows), table(["Foyer's", "beside", "times as many"], times)]
    return "\n\n".join(part for part in parts if part)


def _spread(one: Found) -> str:
    return f"{one['median']:.2f} ({one['lowest']:.2f}–{one['highest']:.2f})"
