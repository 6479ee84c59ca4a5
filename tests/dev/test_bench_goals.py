"""The table of goals says what was measured, whether it is enough, and what the figures say where it is not."""

from __future__ import annotations

from typing import Any

import pytest

from dev.bench import beside, desk, goals, run, speed

SPREAD = {"lowest": 1.0, "highest": 99.0}


def at_synapse(ms: float) -> dict[str, Any]:
    return {"foyer_ms": ms, "foyer_cpu_ms": 4.0, "synapse_ms": 200.0, "ratio": {"median": 200 / ms, **SPREAD}}


def figures(**changed: Any) -> dict[str, Any]:
    """What all cases find where every goal is reached; `changed` replaces what one case finds."""
    series = [(beside.FOYER, work) for work in (speed.POST, *speed.PAGES)]
    series += [(beside.FEW, speed.POST), (beside.FEW, beside.PAGE), (beside.CEILINGS["settings"], "GET")]
    row = {"per_second": 900.0, "p50_ms": 9.0, "p99_ms": 20.0, "cpu_ms": 1.5}
    others = [(page, name) for page in speed.PAGES for name in (beside.FEW, beside.CEILINGS["settings"])]
    page = {"page": "queue: waiting, first page", "p99_ms": 12.0}
    overview = {"page": desk.OVERVIEW, "p99_ms": 40.0}
    steps = [{"requests": count, "pss_mb": {"pages": 90.0, "worker": 60.0}} for count in (0, 10_000, 100_000)]
    found: dict[str, Any] = {
        "beside": {
            "rows": [{"foyer": foyer, "work": work, **row} for foyer, work in series],
            "ratios": [
                *({"work": work, "beside": name, "median": 12.0, **SPREAD} for work, name in others),
                {"work": speed.POST, "beside": beside.FEW, "median": 6.0, **SPREAD},
            ],
        },
        "growth": {"rows": [{"database": "SQLite", "small_us": 900.0, "large_us": 910.0}]},
        "synapse": {"rows": [at_synapse(201.0)] * 2},
        "applying": {"rows": [{"cpu_ms": 20.0}, {"cpu_ms": 70.0}], "submit_ratio": {"median": 4.0, **SPREAD}},
        "applications": {"rows": [{"database": "SQLite", "pages": [page, overview], "bulk_s": 3.0}]},
        "speed": {
            "postgresql": {"median": 0.9, **SPREAD},
            "waits": {"looks": 100, "active": 300, "locks": 0, "events": {"IO: WALSync": 20}},
        },
        "footprint": {"help_ms": 90.0, "first_page_ms": 800.0, "memory": [{"processes": 1, "steps": steps}]},
        "patience": {
            "people": 200,
            "in": 200,
            "accounts": 200,
            "unhelped": 0,
            "beside": {"p99_ms": 30.0, "worst_ms": 70.0},
        },
        "drip": {
            "rows": [
                {"where": where, "what": what, "p99_ms": 40.0}
                for where in ("bare", "behind nginx")
                for what in ("nobody", "headers", "body")
            ]
        },
        **changed,
    }
    return {name: {"found": it} for name, it in found.items()}


def verdict_of(work: str, of: dict[str, Any]) -> goals.Reached | None:
    return goals.reached(next(goal for goal in goals.GOALS if goal.work == work), of)


def test_goals_are_all_measured_by_a_case_that_there_is() -> None:
    assert {goal.case for goal in goals.GOALS} <= set(run.CASES)


def test_goals_where_all_are_reached_say_yes_and_nothing_else() -> None:
    table = goals.text(figures())

    assert table.count("| yes |") == len(goals.GOALS)
    assert table.splitlines()[-1].startswith("| the same behind nginx |")


def test_goals_that_are_not_measured_say_so() -> None:
    table = goals.text({})

    assert table.count("| not measured yet | – |") == len(goals.GOALS)


def test_goal_without_the_piece_that_it_needs_is_not_measured() -> None:
    without = figures(speed={"missing": "PostgreSQL was not measured"}, drip={"rows": []})

    assert verdict_of("POST /register on PostgreSQL, two processes", without) is None
    assert verdict_of("the same behind nginx", without) is None


def test_goal_that_is_not_reached_says_by_how_much_and_why() -> None:
    slow = figures(synapse={"rows": [at_synapse(250.0)] * 2})

    table = goals.text(slow)

    assert "| 0.800 × | **no**, 82 % of it |" in table
    assert "\n- POST /register at a real Synapse, 8 at once, ≥ 0.97 ×" in table
    assert table.endswith("250 ms through Foyer, 4 ms of that CPU of its own; 200 ms directly.")


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (goals.at_least(6.0, 5.0), "yes"),
        (goals.at_least(5.0, 5.0), "yes"),
        (goals.at_least(2.0, 5.0), "**no**, 40 % of it"),
        (goals.at_most(50.0, 50.0, "ms"), "yes"),
        (goals.at_most(200.0, 50.0, "ms"), "**no**, 25 % of it"),
        (goals.Reached("3 of 200", 0.0), "**no**"),
    ],
)
def test_verdict_is_the_share_of_the_goal(found: goals.Reached, verdict: str) -> None:
    assert found.verdict == verdict


@pytest.mark.parametrize(
    ("work", "shown"),
    [
        ("queue and search with 1,000,000 applications: the slowest", "12 ms"),
        ("the desk's overview with as many within 30 days", "40 ms"),
    ],
)
def test_overview_has_a_goal_of_its_own(work: str, shown: str) -> None:
    found = verdict_of(work, figures())

    assert (found and found.shown) == shown


def test_postgresql_that_is_slower_says_what_it_waits_for() -> None:
    events = {"LWLock: WALWrite": 190, "IO: WALSync": 148, "Client: ClientRead": 22, "Lock: transactionid": 5}
    slow = figures(
        speed={"postgresql": {"median": 0.5, **SPREAD}, "waits": {"active": 426, "locks": 5, "events": events}}
    )

    found = verdict_of("POST /register on PostgreSQL, two processes", slow)
    locks = verdict_of("the same: connections that wait for a lock", slow)

    assert found is not None
    assert found.why.endswith(
        "Of 426 connections seen at work 338 waited until their commit was on the disk, 22 for Foyer's next "
        "statement, 5 for a lock."
    )
    assert locks is not None
    assert locks.why.endswith(": Lock: transactionid (5).")
