"""What Foyer adds to a registration at a real Synapse, which takes its time for the password (bcrypt, 12 rounds).

Both sides ask the same Synapse for the same, in turns: an account by the shared secret, and an access token for it.
Directly that is two requests, for a nonce and with it, as Foyer makes them; Foyer asks before whether the name is free.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from statistics import mean

import urllib3

from dev.bench import people, servers
from dev.bench.figures import median, milliseconds, ratio
from dev.bench.scale import Found, Scale
from dev.bench.servers import Foyer
from dev.bench.tables import spread, table
from dev.synapse import Synapse

AT_ONCE = 8
INVITATIONS = 100
SETTLE_SECONDS = 3.0
_ADMIN = "/_synapse/admin/v1/register"
Register = Callable[[], None]


def measure(scale: Scale) -> Found:
    """Register in turns, one by one and then eight at once."""
    with Synapse.start(scale.folder / "synapse", bcrypt_rounds=scale.of(12, 6)) as synapse:
        homeserver = {
            "url": synapse.url,
            "registration_shared_secret": synapse.shared_secret,
            "admin_token": synapse.admin_token,
            "timeout": "60s",  # Eight passwords at once take long where others are at work.
        }
        with servers.foyer(scale.folder, homeserver, invitations=INVITATIONS) as foyer:
            sides = {"foyer": _through_foyer(foyer.port), "synapse": _directly(synapse)}
            for register in sides.values():
                _timed(register, scale.of(2, 1) * AT_ONCE, at_once=AT_ONCE)
            time.sleep(SETTLE_SECONDS)  # The worker is still starting when the first page is there.
            scale.say("Synapse: one by one")
            alone = _rounds(sides, foyer, rounds=scale.of(60, 4), number=1, at_once=1)
            scale.say(f"Synapse: {AT_ONCE} at once")
            crowd = _rounds(sides, foyer, rounds=scale.of(9, 2), number=scale.of(32, 8), at_once=AT_ONCE)
    return {"rows": [_row("one by one", alone), _row(f"{AT_ONCE} at once", crowd)]}


def _rounds(
    sides: dict[str, Register], foyer: Foyer, *, rounds: int, number: int, at_once: int
) -> dict[str, list[float]]:
    """Seconds for each registration, round by round, and Foyer's CPU seconds for each; who begins alternates."""
    found: dict[str, list[float]] = {name: [] for name in (*sides, "cpu")}
    for turn in range(rounds):
        for name in sorted(sides, reverse=bool(turn % 2)):
            before = foyer.cpu_seconds()
            found[name].append(_timed(sides[name], number, at_once=at_once) / number)
            if name == "foyer":
                found["cpu"].append((foyer.cpu_seconds() - before) / number)
    return found


def _timed(register: Register, number: int, *, at_once: int) -> float:
    with ThreadPoolExecutor(at_once) as pool:
        begin = time.perf_counter()
        for done in [pool.submit(register) for _ in range(number)]:
            done.result()
        return time.perf_counter() - begin


def _through_foyer(port: int) -> Register:
    pool = urllib3.HTTPConnectionPool("127.0.0.1", port, maxsize=AT_ONCE, retries=False, timeout=60)
    requests = people.forms(INVITATIONS)
    lock = threading.Lock()

    def register() -> None:
        with lock:
            body = next(requests)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        _require_token(pool.request("POST", "/register", body=body, headers=headers))

    return register


def _directly(synapse: Synapse) -> Register:
    pool = urllib3.HTTPConnectionPool("127.0.0.1", synapse.port, maxsize=AT_ONCE, retries=False, timeout=60)

    def register() -> None:
        nonce, name = json.loads(pool.request("GET", _ADMIN).data)["nonce"], people.new_name()
        message = "\0".join((nonce, name, people.PASSWORD, "notadmin")).encode()
        mac = hmac.new(synapse.shared_secret.encode(), message, hashlib.sha1).hexdigest()
        body = {"nonce": nonce, "username": name, "password": people.PASSWORD, "admin": False, "mac": mac}
        _require_token(pool.request("POST", _ADMIN, body=json.dumps(body).encode()))

    return register


def _require_token(answer: urllib3.BaseHTTPResponse) -> None:
    """Raises: RuntimeError: it is no account with a token."""
    if answer.status != 200 or not json.loads(answer.data).get("access_token"):
        raise RuntimeError(f"No account was made: {answer.status} {answer.data[:500]!r}")


def _row(how: str, found: dict[str, list[float]]) -> Found:
    ours, theirs = found["foyer"], found["synapse"]
    return {
        "how": how,
        "foyer_ms": milliseconds(median(ours)),
        "synapse_ms": milliseconds(median(theirs)),
        "foyer_cpu_ms": milliseconds(mean(found["cpu"])),
        "ratio": ratio(theirs, ours).kept(),
        "rounds": len(ours),
    }


def text(found: Found) -> str:
    """The table."""
    rows = [
        [row["how"], row["synapse_ms"], row["foyer_ms"], row["foyer_cpu_ms"], spread(row["ratio"], digits=3)]
        for row in found["rows"]
    ]
    head = ["Registrations", "Synapse alone, ms each", "Through Foyer, ms each", "CPU of Foyer, ms each"]
    return table([*head, "Foyer's speed (1 is Synapse's)"], rows)
