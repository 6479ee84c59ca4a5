"""What Foyer is to reach, beside what was measured: the first table of docs/performance.md, made from the figures.

A goal that is not reached says by how much, and what the figures say of the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dev.bench import beside, desk, speed
from dev.bench.scale import Found
from dev.bench.tables import table

Figures = dict[str, Any]
PAGE_GOAL, EMPTY_GOAL, POST_GOAL = 10.0, 0.5, 5.0
FLAT_GROWTH = 1.05
SAME = "the same"
"""How a line begins whose work is that of the line above."""


@dataclass(frozen=True)
class Reached:
    """What was measured for a goal. `share`: of an `at least`, measured / goal; of an `at most`, goal / measured."""

    shown: str
    share: float
    why: str = ""

    @property
    def is_enough(self) -> bool:
        """Say whether the goal is reached."""
        return self.share >= 1

    @property
    def verdict(self) -> str:
        """Say it in a word or two."""
        if self.is_enough:
            return "yes"
        return f"**no**, {self.share * 100:.0f} % of it" if self.share else "**no**"


@dataclass(frozen=True)
class Goal:
    """One line. `measured` takes what its case found; it fails where a piece of that could not be had."""

    work: str
    wanted: str
    case: str
    measured: Callable[[Found], Reached]


def at_least(value: float, goal: float, unit: str = "×", why: str = "", digits: str = ".2f") -> Reached:
    """The more, the better."""
    return Reached(f"{value:{digits}} {unit}", value / goal, why)


def at_most(value: float, goal: float, unit: str, why: str = "") -> Reached:
    """The less, the better."""
    return Reached(f"{value:,.0f} {unit}" if value >= 100 else f"{value:g} {unit}", goal / value, why)


def _row(rows: list[Found], **facts: Any) -> Found:
    """The only row of these facts. Raises: LookupError: there is none."""
    for row in rows:
        if all(row[name] == value for name, value in facts.items()):
            return row
    raise LookupError(facts)


def _pages_beside(found: Found, other: str, goal: float) -> Reached:
    """The slowest of the three pages."""
    ratios = [one for one in found["ratios"] if one["beside"] == other and one["work"] in speed.PAGES]
    slowest = min(ratios, key=lambda one: float(one["median"]))
    ours = _row(found["rows"], foyer=beside.FOYER, work=slowest["work"])
    theirs = next(row for row in found["rows"] if row["foyer"] == other and row["work"].startswith("GET"))
    why = f"{slowest['work']} takes {ours['cpu_ms']:g} ms of CPU, {other} {theirs['cpu_ms']:g} ms."
    return at_least(slowest["median"], goal, why=why)


def _post(found: Found) -> Reached:
    one = _row(found["ratios"], work=speed.POST, beside=beside.FEW)
    ours, theirs = (_row(found["rows"], foyer=name, work=speed.POST) for name in (beside.FOYER, beside.FEW))
    why = (
        f"A registration takes {ours['cpu_ms']:g} ms of CPU with all that Foyer keeps and its worker does, and "
        f"{theirs['cpu_ms']:g} ms at matrix-registration."
    )
    return at_least(one["median"], POST_GOAL, why=why)


def _post_p99(found: Found) -> Reached:
    ours = _row(found["rows"], foyer=beside.FOYER, work=speed.POST)
    why = f"At {ours['per_second']:g} a second, sixteen that never pause wait {ours['p50_ms']:g} ms in the middle."
    return at_most(ours["p99_ms"], 50, "ms", why)


def _growth(found: Found) -> Reached:
    slowest = min(found["rows"], key=lambda row: float(row["small_us"] / row["large_us"]))
    return at_least(slowest["small_us"] / slowest["large_us"], 0.9, why=f"The slower is {slowest['database']}.")


def _synapse(found: Found, number: int) -> Reached:
    row = found["rows"][number]
    why = (
        f"{row['foyer_ms']:g} ms through Foyer, {row['foyer_cpu_ms']:g} ms of that CPU of its own; "
        f"{row['synapse_ms']:g} ms directly."
    )
    return at_least(row["ratio"]["median"], 0.97, why=why, digits=".3f")


def _submit(found: Found) -> Reached:
    ours, theirs = found["rows"]
    why = (
        f"A whole application takes {ours['cpu_ms']:g} ms of CPU with its mails, and {theirs['cpu_ms']:g} ms at "
        "synapse_registration."
    )
    return at_least(found["submit_ratio"]["median"], 3, why=why)


def _desk(found: Found, *, overview: bool) -> Reached:
    """The slowest of the queue's pages, or the overview, on the slower database."""
    asked = [
        (page["p99_ms"], row["database"], page["page"])
        for row in found["rows"]
        for page in row["pages"]
        if (page["page"] == desk.OVERVIEW) == overview
    ]
    worst, database, page = max(asked)
    why = f"The slower is {database}." if overview else f"The slowest is “{page}” on {database}."
    return at_most(worst, 50, "ms", why)


def _bulk(found: Found) -> Reached:
    slowest = max(found["rows"], key=lambda row: float(row["bulk_s"]))
    return at_most(slowest["bulk_s"], 60, "s", f"The slower is {slowest['database']}.")


def _postgresql(found: Found) -> Reached:
    waits = found["waits"]
    why = (
        f"Every statement goes to another process and back, which SQLite does not ask for. Of {waits['active']:,} "
        f"connections seen at work {_waited(waits, 'WAL'):,} waited until their commit was on the disk, "
        f"{_waited(waits, 'ClientRead'):,} for Foyer's next statement, {waits['locks']:,} for a lock."
    )
    return at_least(found["postgresql"]["median"], 0.8, why=why)


def _waited(waits: Found, what: str) -> int:
    return sum(times for event, times in waits["events"].items() if what in event)


def _locks(found: Found) -> Reached:
    waits = found["waits"]
    shown = f"{waits['locks']} of {waits['active']:,} seen at work"
    kinds = ", ".join(f"{event} ({times})" for event, times in waits["events"].items() if event.startswith("Lock"))
    why = f"Who waits for a lock waits for the end of somebody else's transaction on the same row: {kinds}."
    return Reached(shown, 1.0 if not waits["locks"] else 0.0, why)


def _memory(found: Found) -> Reached:
    seen = [
        (megabytes, role, step["requests"], one["processes"])
        for one in found["memory"]
        for step in one["steps"]
        for role, megabytes in step["pss_mb"].items()
    ]
    largest, role, requests, count = max(seen)
    why = f"The largest is a process of kind “{role}” after {requests:,} requests, with {count} for pages."
    return at_most(largest, 110, "MB", why)


def _flat(found: Found) -> Reached:
    before, after = found["memory"][0]["steps"][-2:]
    growth = max(after["pss_mb"][role] / before["pss_mb"][role] for role in after["pss_mb"])
    shown = f"× {growth:.3f} from {before['requests']:,} to {after['requests']:,} requests"
    return Reached(shown, FLAT_GROWTH / growth)


def _first_page(found: Found) -> Reached:
    why = (
        f"The command itself is there after {found['help_ms']:g} ms; then it loads Django and the pages, and looks "
        "whether the database is up to date."
    )
    return at_most(found["first_page_ms"], 1000, "ms", why)


def _patient(found: Found) -> Reached:
    return at_most(found["beside"]["p99_ms"], 100, "ms", f"The slowest page took {found['beside']['worst_ms']:g} ms.")


def _none_lost(found: Found) -> Reached:
    is_right = found["in"] == found["people"] == found["accounts"] and not found["unhelped"]
    shown = f"{found['in']} of {found['people']} in, {found['unhelped']} left without a word"
    return Reached(shown, 1.0 if is_right else 0.0)


def _drip(found: Found, where: str) -> Reached:
    rows = [row for row in found["rows"] if row["where"] == where and row["what"] != "nobody"]
    slowest = max(rows, key=lambda row: float(row["p99_ms"]))
    return at_most(slowest["p99_ms"], 200, "ms", f"The slower is with slow {slowest['what']}.")


GOALS = (
    Goal(
        "GET /register, GET /i/CODE, GET /: the slowest of them",
        "≥ 10 × matrix-registration's page",
        "beside",
        lambda found: _pages_beside(found, beside.FEW, PAGE_GOAL),
    ),
    Goal(
        "the same",
        "≥ 0.5 × an empty view in the same stack",
        "beside",
        lambda found: _pages_beside(found, beside.CEILINGS["settings"], EMPTY_GOAL),
    ),
    Goal("POST /register, SQLite", "≥ 5 × matrix-registration", "beside", _post),
    Goal("the same, 16 connections", "p99 < 50 ms", "beside", _post_p99),
    Goal("the same with 1,000,000 invitations and accounts", "≥ 0.9 × a small database", "growth", _growth),
    Goal(
        "POST /register at a real Synapse",
        "≥ 0.97 × Synapse called directly, one by one",
        "synapse",
        lambda found: _synapse(found, 0),
    ),
    Goal("the same, 8 at once", "≥ 0.97 × Synapse called directly", "synapse", lambda found: _synapse(found, 1)),
    Goal("submit of an application", "≥ 3 × synapse_registration", "applying", _submit),
    Goal(
        "queue and search with 1,000,000 applications: the slowest",
        "p99 < 50 ms",
        "applications",
        lambda found: _desk(found, overview=False),
    ),
    Goal(
        "the desk's overview with as many within 30 days",
        "p99 < 50 ms",
        "applications",
        lambda found: _desk(found, overview=True),
    ),
    Goal("a bulk decision on 1,000 applications", "< 60 s", "applications", _bulk),
    Goal("POST /register on PostgreSQL, two processes", "≥ 0.8 × SQLite", "speed", _postgresql),
    Goal("the same: connections that wait for a lock", "none", "speed", _locks),
    Goal("memory of each process of `foyer serve`", "≤ 110 MB", "footprint", _memory),
    Goal("the same, from 10,000 requests to 100,000", "flat (within 5 %)", "footprint", _flat),
    Goal("from `foyer serve` to the first page", "≤ 1000 ms", "footprint", _first_page),
    Goal("`foyer --help`", "≤ 200 ms", "footprint", lambda found: at_most(found["help_ms"], 200, "ms")),
    Goal("pages while 200 register at a homeserver that takes 5 s each", "p99 < 100 ms", "patience", _patient),
    Goal("what becomes of the 200", "all in, or told when to come back", "patience", _none_lost),
    Goal("others beside 12 clients that send a byte a second", "p99 < 200 ms", "drip", lambda it: _drip(it, "bare")),
    Goal("the same behind nginx", "p99 < 200 ms", "drip", lambda found: _drip(found, "behind nginx")),
)


def reached(goal: Goal, figures: Figures) -> Reached | None:
    """What was measured for a goal; None where it was not."""
    if goal.case not in figures:
        return None
    try:
        return goal.measured(figures[goal.case]["found"])
    except (LookupError, ValueError, StopIteration):
        return None


def text(figures: Figures) -> str:
    """The table, and why what is not reached is not."""
    rows, reasons, same = [], [], ""
    for goal in GOALS:
        same = same if goal.work.startswith(SAME) else goal.work
        found = reached(goal, figures)
        rows.append([goal.work, goal.wanted, *([found.shown, found.verdict] if found else ["not measured yet", "–"])])
        if found and not found.is_enough and found.why:
            reasons.append(f"- {goal.work.replace(SAME, same)}, {goal.wanted}: {found.why}")
    shown = table(["Work", "Goal", "Measured", "Reached"], rows)
    if not reasons:
        return shown
    listed = "\n".join(reasons)
    return f"{shown}\n\nWhat the figures say of the goals that are not reached:\n\n{listed}"
