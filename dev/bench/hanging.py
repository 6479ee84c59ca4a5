"""What others notice, and what becomes of them, while fifty people wait for a homeserver that does not answer.

Each of the fifty does what a person does: sends the form, reads the sentence, and where it says when to come back,
comes back then with the same form. Once the homeserver answers, all of them must get in, each once.
"""

from __future__ import annotations

import time

from dev.bench import crowd, servers
from dev.bench.figures import rounded
from dev.bench.scale import Found, Scale
from dev.bench.tables import table
from dev.proxy import ChaosProxy, Hang

PEOPLE = 50
MOODS = {
    "never answers": (".*", "", False),
    "makes the accounts, and its answers are lost": ("POST", "/_synapse/admin/v1/register", True),
}


def measure(scale: Scale) -> Found:
    """Ask pages without the fifty, and with them, for each way in which a homeserver can leave them waiting."""
    return {"rows": [_measure(scale, mood) for mood in MOODS], "people": PEOPLE, "rate": crowd.PAGES_PER_SECOND}


def _measure(scale: Scale, mood: str) -> Found:
    timeout = scale.of("10s", "2s")
    seconds = scale.of(20.0, 4.0)  # two time-outs: nearly all of it every place for joins is taken
    with servers.stub_homeserver(scale.folder) as stub, ChaosProxy(stub) as proxy:
        homeserver = {**servers.by_secret(proxy.url), "timeout": timeout}
        with servers.foyer(scale.folder, homeserver, invitations=2) as foyer:
            crowd.invite(foyer, PEOPLE)
            crowd.pages(foyer, 1.0)  # to warm up
            scale.say("Hanging: pages alone")
            alone = crowd.pages(foyer, scale.of(10.0, 2.0))
            method, path, forward = MOODS[mood]
            proxy.add(Hang(forward), method, path)
            output = scale.folder / f"crowd-{len(mood)}.json"
            with crowd.registering(foyer, PEOPLE, output) as people:
                proxy.wait_for(1, method, path)
                scale.say(f"Hanging: the same pages while {PEOPLE} people wait: the homeserver {mood}")
                beside = crowd.pages(foyer, seconds)
                proxy.clear()
                recovered = time.monotonic()
                told = crowd.told(people, output)
            return {
                "mood": mood,
                "timeout": timeout,
                "alone": crowd.figures(alone),
                "beside": crowd.figures(beside),
                "answers": crowd.answers(told, until=recovered),
                "in_afterwards": sum(one.is_in for one in told),
                "last_in_after_seconds": rounded(max(one.said[-1][0] for one in told) - recovered, 2),
                "answers_after": crowd.answers(told, since=recovered),
                "accounts": servers.accounts_at(stub),
                "uses": crowd.uses(foyer),
            }


def text(found: Found) -> str:
    """The tables."""
    return "\n\n".join(_text(row, found) for row in found["rows"])


def _text(row: Found, found: Found) -> str:
    sides = [("nobody waits", row["alone"]), (f"{found['people']} people register", row["beside"])]
    pages = [[name, one["p50_ms"], one["p99_ms"], one["worst_ms"], one["pages"]] for name, one in sides]
    told = [[one["status"], one["sentence"], one["times"]] for one in row["answers"]]
    parts = [
        f"**The homeserver {row['mood']}** (`homeserver.timeout: {row['timeout']}`).",
        f"Other pages, {found['rate']:g} a second, while:",
        table(["While", "p50, ms", "p99, ms", "Slowest, ms", "Pages"], pages),
        "What those who registered were told meanwhile:",
        table(["Status", "Sentence", "Times"], told),
        _afterwards(row, found["people"]),
    ]
    return "\n\n".join(parts)


def _afterwards(row: Found, people_count: int) -> str:
    return (
        f"Then the homeserver answered again. {row['in_afterwards']} of {people_count} got in with the same form, the "
        f"last of them {row['last_in_after_seconds']:g} s later. Accounts made: {row['accounts']}. Uses spent: "
        f"{row['uses']['spent']}; still held: {row['uses']['held']}."
    )
