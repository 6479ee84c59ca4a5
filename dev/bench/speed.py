"""How many registrations and pages a second, and how long each takes, with 16 connections that never pause.

The homeserver is the stub, so this is Foyer alone: its database durable at every commit, its worker running. Each
round asks every Foyer in turn.
"""

from __future__ import annotations

from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field
from typing import Any

from dev.bench import load, people, servers
from dev.bench.figures import median, milliseconds, ratio, rounded
from dev.bench.scale import Found, Scale
from dev.bench.servers import Foyer
from dev.bench.tables import spread, table
from dev.bench.waits import Waits, watched
from dev.environments import SetupError
from dev.processes import NotReady

CONNECTIONS = 16
INVITATIONS = 1000
POST = "POST /register"
PAGES = {
    "GET /register?token=…": "/register?token={code}",
    "GET /i/CODE": "/i/{code}",
    "GET /": "/",
}
# So high that nobody meets them: what is measured is the counting.
COUNTED = {"limits": True, "join_per_ip": "1000000/minute", "join_overall": "1000000/minute"}
PLAIN, LIMITED = "SQLite, 1 process", "SQLite, 1 process, limits counted"
SQLITE, POSTGRESQL = "SQLite, 2 processes", "PostgreSQL, 2 processes"


@dataclass
class Series:
    """One kind of work at one Foyer, round by round."""

    foyer: str
    work: str
    per_second: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def add(self, outcome: load.Outcome, cpu_seconds: float) -> None:
        """Take the figures of a round."""
        self.per_second.append(outcome.per_second)
        self.p50.append(outcome.p50)
        self.p99.append(outcome.p99)
        self.cpu.append(cpu_seconds / len(outcome.latencies))

    def figures(self) -> Found:
        """The medians over the rounds."""
        return {
            "foyer": self.foyer,
            "work": self.work,
            "per_second": rounded(median(self.per_second)),
            "p50_ms": milliseconds(median(self.p50)),
            "p99_ms": milliseconds(median(self.p99)),
            "cpu_ms": milliseconds(median(self.cpu)),
        }


def measure(scale: Scale) -> Found:
    """Run the rounds."""
    waits = Waits()
    with ExitStack() as stack:
        doors, missing = _open(scale, stack)
        works = {name: [POST, *PAGES] if "limits" not in name and "Postgre" not in name else [POST] for name in doors}
        series = {(name, work): Series(name, work) for name in doors for work in works[name]}
        for name, work in series:
            _round(doors[name], work, seconds=scale.of(1.0, 0.3))
        for number in range(rounds := scale.of(5, 2)):
            scale.say(f"Speed: round {number + 1} of {rounds}")
            for (name, work), one in series.items():
                with watched(doors[name].database, waits) if name == POSTGRESQL else nullcontext():
                    seconds = scale.of(4.0 if work == POST else 2.5, 1.0)
                    one.add(*_round(doors[name], work, seconds=seconds))
    return {
        "rows": [one.figures() for one in series.values()],
        "limits_cpu": str(ratio(series[LIMITED, POST].cpu, series[PLAIN, POST].cpu)),
        "second_process": {
            work: str(ratio(series[SQLITE, work].per_second, series[PLAIN, work].per_second)) for work in (POST, *PAGES)
        },
        "missing": missing,
        **({} if missing else _postgresql(series, waits)),
    }


def _postgresql(series: dict[tuple[str, str], Series], waits: Waits) -> Found:
    beside = ratio(series[POSTGRESQL, POST].per_second, series[SQLITE, POST].per_second)
    return {"postgresql": beside.kept(), "waits": waits.figures()}


def _open(scale: Scale, stack: ExitStack) -> tuple[dict[str, Foyer], str]:
    """Start every Foyer; returns them, and why there is none with PostgreSQL, if so."""
    homeserver = servers.by_secret(stack.enter_context(servers.stub_homeserver(scale.folder)))
    kinds: dict[str, dict[str, Any]] = {
        PLAIN: {},
        SQLITE: {"process_count": 2},
        LIMITED: {"screening": COUNTED},
    }
    missing = ""
    try:
        postgres = stack.enter_context(servers.durable_postgres())
    except (SetupError, NotReady) as error:
        missing = scale.missing("PostgreSQL", error)
    else:
        kinds["PostgreSQL, 1 process"] = {"database": postgres.create_database("speed_1")}
        kinds[POSTGRESQL] = {"database": postgres.create_database("speed_2"), "process_count": 2}
    doors = {
        name: stack.enter_context(servers.foyer(scale.folder, homeserver, invitations=INVITATIONS, **options))
        for name, options in kinds.items()
    }
    return doors, missing


def _round(foyer: Foyer, work: str, *, seconds: float) -> tuple[load.Outcome, float]:
    requests = people.registrations(INVITATIONS) if work == POST else people.pages(PAGES[work], invitations=INVITATIONS)
    before = foyer.cpu_seconds()
    outcome = load.run(foyer.port, requests, connections=CONNECTIONS, seconds=seconds)
    return outcome.require_all(), foyer.cpu_seconds() - before


def text(found: Found) -> str:
    """The table."""
    rows = [
        [row["work"], row["foyer"], row["per_second"], row["p50_ms"], row["p99_ms"], row["cpu_ms"]]
        for row in found["rows"]
    ]
    rows.sort(key=lambda row: (str(row[0]) != POST, str(row[0])))
    shown = table(["Work", "Foyer", "a second", "p50, ms", "p99, ms", "CPU of Foyer, ms each"], rows)
    second = "; ".join(f"{work} × {times}" for work, times in found["second_process"].items())
    parts = [
        found.get("missing", ""),
        shown,
        f"Counting for the rate limits costs × {found['limits_cpu']} of the CPU of a registration.",
        f"What a second process gives on SQLite, beside the load generator and the stub on the same cores: {second}.",
        _locks(found) if "waits" in found else "",
    ]
    return "\n\n".join(part for part in parts if part)


def _locks(found: Found) -> str:
    waits, one = found["waits"], found["postgresql"]
    events = "; ".join(f"{event} {count:,}" for event, count in waits["events"].items()) or "nothing"
    return (
        f"With two processes PostgreSQL makes {spread(one)} times the registrations of "
        f"SQLite. `pg_stat_activity` was looked at {waits['looks']:,} times meanwhile: of "
        f"{waits['active']:,} connections at work {waits['locks']:,} waited for a lock. What they waited for: {events}."
    )
