"""A registration with ten invitations in the table, and with a million (and as many accounts, names and uses).

One person after the other, at each Foyer in turn. The invitations are unlimited on both sides and chosen by chance, so
that the large table is read and written all over.
"""

from __future__ import annotations

from contextlib import ExitStack

from dev.bench import filling, load, people, servers
from dev.bench.figures import median, microseconds, percentile, ratio, rounded
from dev.bench.scale import Found, Scale
from dev.bench.servers import Foyer
from dev.bench.tables import table
from dev.environments import SetupError
from dev.processes import NotReady

SMALL = 10
AT_ONCE = 32
SIDES = ("small", "large")


def measure(scale: Scale) -> Found:
    """Fill, then register in turns."""
    sizes = {"small": SMALL, "large": (large := scale.of(1_000_000, 5_000))}
    with ExitStack() as stack:
        doors, missing = _open(scale, stack)
        for side, size in sizes.items():
            scale.say(f"Growth: filling with {size:,} invitations")
            databases = [door.database for (_, its), door in doors.items() if its == side]
            filling.fill(filling.INVITATIONS, databases, size, folder=scale.folder)
        for door in doors.values():
            door.start()
        rounds = _register(scale, doors, sizes)
        memory = {f"{kind} {side}": _memory_at_work(scale, doors[kind, side], sizes[side]) for kind, side in doors}
    kinds = list(dict.fromkeys(kind for kind, _ in doors))
    return {"large": large, "rows": [_row(kind, rounds) for kind in kinds], "memory_mb": memory, "missing": missing}


def _open(scale: Scale, stack: ExitStack) -> tuple[dict[tuple[str, str], Foyer], str]:
    """Make every Foyer, not started, with empty tables; returns them, and why there is none with PostgreSQL, if so."""
    homeserver = servers.by_secret(stack.enter_context(servers.stub_homeserver(scale.folder)))
    databases, missing = {("SQLite", side): "" for side in SIDES}, ""
    try:
        postgres = stack.enter_context(servers.durable_postgres())
    except (SetupError, NotReady) as error:
        missing = scale.missing("PostgreSQL", error)
    else:
        databases |= {("PostgreSQL", side): postgres.create_database(f"growth_{side}") for side in SIDES}
    doors = {
        key: stack.enter_context(servers.foyer(scale.folder, homeserver, database=database, start=False))
        for key, database in databases.items()
    }
    return doors, missing


def _memory_at_work(scale: Scale, foyer: Foyer, invitations: int) -> float:
    """MB (PSS) of the process for pages, once each of its threads has had much to do."""
    load.run(foyer.port, people.registrations(invitations), connections=AT_ONCE, count=scale.of(2_000, 100))
    return rounded(max(foyer.memory()["pages"]))


Rounds = dict[tuple[str, str], list[list[float]]]


def _register(scale: Scale, doors: dict[tuple[str, str], Foyer], sizes: dict[str, int]) -> Rounds:
    """Latencies by database and side, a list for each round."""
    queues = {key: people.registrations(sizes[key[1]]) for key in doors}
    found: Rounds = {key: [] for key in doors}
    for number in range(1 + (rounds := scale.of(7, 2))):
        scale.say(f"Growth: round {number} of {rounds}")
        each: dict[tuple[str, str], list[float]] = {key: [] for key in doors}
        for _ in range(scale.of(40, 5)):
            for key, foyer in doors.items():
                # A batch of a few at a time: opening the connection is not timed, and both sides stay near in time.
                batch = load.run(foyer.port, queues[key], connections=1, count=4)
                each[key] += batch.require_all().latencies
        if number:  # The first only warms up.
            for key, latencies in each.items():
                found[key].append(latencies)
    return found


def _row(kind: str, rounds: Rounds) -> Found:
    small, large = ([latency for each in rounds[kind, side] for latency in each] for side in SIDES)
    medians = {side: [median(each) for each in rounds[kind, side]] for side in SIDES}
    return {
        "database": kind,
        "small_us": microseconds(median(small)),
        "large_us": microseconds(median(large)),
        "small_p99_us": microseconds(percentile(small, 0.99)),
        "large_p99_us": microseconds(percentile(large, 0.99)),
        "ratio": str(ratio(medians["large"], medians["small"])),
        "samples": len(small),
    }


def text(found: Found) -> str:
    """The table."""
    rows = [
        [row["database"], row["small_us"], row["large_us"], row["ratio"], row["small_p99_us"], row["large_p99_us"]]
        for row in found["rows"]
    ]
    head = ["Database", "10: median, µs", f"{found['large']:,}: median, µs", "Ratio", "10: p99, µs", "p99, µs"]
    sizes = {"small": "10", "large": f"{found['large']:,}"}
    kept = [[key.split()[0], sizes[key.split()[1]], megabytes] for key, megabytes in found["memory_mb"].items()]
    memory = table(["Database", "Invitations", "Process for pages, MB"], kept)
    told = f"Memory after {AT_ONCE} connections were at work on it:"
    return "\n\n".join(part for part in (found.get("missing", ""), table(head, rows), told, memory) if part)
