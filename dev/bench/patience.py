"""Two hundred people register at the same moment, at a homeserver that takes five seconds for each of them.

Foyer lets some of them wait and tells the others when to come back. They do, with the same form; at the end everybody
must be in, once, and meanwhile other people's pages must not notice.
"""

from __future__ import annotations

import time

from dev.bench import crowd, servers
from dev.bench.figures import rounded
from dev.bench.scale import Found, Scale
from dev.bench.tables import table
from dev.proxy import ChaosProxy, Delay

PEOPLE = 200
TAKES_SECONDS = 5.0


def measure(scale: Scale) -> Found:
    """Open pages without the two hundred, and with them until the last is in."""
    people, takes = scale.of(PEOPLE, 40), scale.of(TAKES_SECONDS, 0.5)
    with (
        servers.stub_homeserver(scale.folder) as stub,
        ChaosProxy(stub) as proxy,
        servers.foyer(scale.folder, servers.by_secret(proxy.url), invitations=2) as foyer,
    ):
        crowd.invite(foyer, people)
        crowd.pages(foyer, 1.0)  # to warm up
        scale.say("Patience: pages alone")
        alone = crowd.pages(foyer, scale.of(10.0, 2.0))
        proxy.add(Delay(takes), "POST", "/_synapse/admin/v1/register")
        began, output = time.monotonic(), scale.folder / "crowd.json"
        with crowd.registering(foyer, people, output) as waiting:
            scale.say(f"Patience: the same pages while {people} people wait {takes:g} s each")
            beside = crowd.pages(foyer, scale.of(40.0, 3.0))
            told = crowd.told(waiting, output)
        return {
            "people": people,
            "takes_seconds": takes,
            "rate": crowd.PAGES_PER_SECOND,
            "alone": crowd.figures(alone),
            "beside": crowd.figures(beside),
            "answers": crowd.answers(told),
            "unhelped": sum(one.unhelped for one in told),
            "in": sum(one.is_in for one in told),
            "last_in_seconds": rounded(max(one.said[-1][0] for one in told) - began, 2),
            "accounts": servers.accounts_at(stub),
            "uses": crowd.uses(foyer),
        }


def text(found: Found) -> str:
    """The tables."""
    sides = [("nobody waits", found["alone"]), (f"{found['people']} people register", found["beside"])]
    pages = [[name, one["p50_ms"], one["p99_ms"], one["worst_ms"], one["pages"]] for name, one in sides]
    told = [[one["status"], one["sentence"], one["times"]] for one in found["answers"]]
    parts = [
        f"Other pages, {found['rate']:g} a second, while:",
        table(["While", "p50, ms", "p99, ms", "Slowest, ms", "Pages"], pages),
        "What those who registered were told, until they were in:",
        table(["Status", "Sentence", "Times"], told),
        _end(found),
    ]
    return "\n\n".join(parts)


def _end(found: Found) -> str:
    uses = found["uses"]
    return (
        f"{found['in']} of {found['people']} got in, the last {found['last_in_seconds']:g} s after they "
        f"began. Answers that were neither an account nor said when to try again: {found['unhelped']}. Accounts "
        f"made: {found['accounts']}. Uses spent: {uses['spent']}; still held: {uses['held']}."
    )
