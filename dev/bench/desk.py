"""The desk with a million requests: its pages and searches for a moderator who is signed in, and a bulk decision.

One request after the other over one connection, so that a latency is what the server took.
"""

from __future__ import annotations

import itertools
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from dev.bench import applicants, filling, load, servers
from dev.bench.applicants import Past
from dev.bench.applying import mail_keys
from dev.bench.browser import Browser
from dev.bench.figures import milliseconds, rounded
from dev.bench.scale import Found, Scale
from dev.bench.servers import Foyer
from dev.bench.tables import table
from dev.environments import SetupError
from dev.processes import NotReady

MODERATOR, PASSWORD = "anna", "lantern orchard willow"
LONG = "3650d"
OVERVIEW = "overview"


@dataclass(frozen=True)
class Question:
    """A page of the desk."""

    name: str
    path: str


def questions(past: Past) -> list[Question]:
    """What is asked of the desk."""
    number = past.total // 2 + 1
    sentence = past.sentences[number % applicants.SENTENCES].split()
    words = {
        "a rare word": applicants.RARE,
        "a frequent word": applicants.FREQUENT,
        "a phrase": " ".join(sentence[4:8]),
        "a name": past.localpart(number),
        "an email": past.email(number),
        "frequent words that never stand so": f"{applicants.FREQUENT} {applicants.FREQUENT}",
    }
    searches = [Question(f"search the decided: {what}", _queue("decided", text)) for what, text in words.items()]
    return [
        Question("queue: waiting, first page", _queue("waiting")),
        Question("queue: decided, first page", _queue("decided")),
        Question("search the waiting: a frequent word", _queue("waiting", applicants.FREQUENT)),
        *searches,
        Question(OVERVIEW, "/desk/"),
    ]


def _queue(tab: str, words: str = "") -> str:
    return f"/desk/queue?{urlencode({'tab': tab, 'q': words} if words else {'tab': tab})}"


def measure(scale: Scale) -> Found:
    """Fill, sign in, ask, decide; on SQLite and on PostgreSQL."""
    past = Past(scale.of(1_000_000, 4_000))
    with ExitStack() as stack:
        doors, missing = _open(scale, stack)
        scale.say(f"Applications: filling {' and '.join(doors)} with {past.total:,}")
        begin = time.monotonic()
        databases = [door.database for door in doors.values()]
        filling.fill(filling.APPLICANTS, databases, past.total, folder=scale.folder)
        scale.say(f"Applications: filled in {time.monotonic() - begin:.0f} s")
        rows = [_measure(scale, kind, door, past) for kind, door in doors.items()]
    return {"total": past.total, "rows": rows, "missing": missing}


def _open(scale: Scale, stack: ExitStack) -> tuple[dict[str, Foyer], str]:
    """Make every Foyer, not started, with empty tables; returns them, and why there is none with PostgreSQL, if so."""
    keys: dict[str, Any] = {
        **mail_keys(9),  # nobody is mailed within the measurement
        # Older than what is kept by default: its deletion would be measured too.
        "retention": {"unverified": LONG, "decided": LONG, "ips": LONG, "denial_digests": LONG},
    }
    databases, missing = {"SQLite": ""}, ""
    try:
        databases["PostgreSQL"] = stack.enter_context(servers.durable_postgres()).create_database("desk")
    except (SetupError, NotReady) as error:
        missing = scale.missing("PostgreSQL", error)
    homeserver = servers.by_secret("http://127.0.0.1:9")
    doors = {
        kind: stack.enter_context(servers.foyer(scale.folder, homeserver, database=database, start=False, **keys))
        for kind, database in databases.items()
    }
    return doors, missing


def _measure(scale: Scale, kind: str, foyer: Foyer, past: Past) -> Found:
    foyer.run("staff", "create", MODERATOR, "--role", "moderator", "--password-stdin", typed=f"{PASSWORD}\n")
    foyer.start()
    scale.say(f"Applications: asking {kind}")
    browser = _signed_in(foyer)
    pages = [_ask(foyer, browser, question, scale.of(150, 8)) for question in questions(past)]
    scale.say(f"Applications: deciding on {applicants.WAITING:,} at once on {kind}")
    decided = _decide(browser)
    foyer.stop()
    return {"database": kind, "pages": pages, **decided}


def _signed_in(foyer: Foyer) -> Browser:
    browser = Browser(foyer.port)
    page = browser.send(browser.open("/desk/sign-in").form(field="login"), login=MODERATOR, password=PASSWORD)
    if page.status != 200 or "/desk/sign-in" in page.url:
        raise NotReady(f"The moderator could not sign in: {page.status} at {page.url}.")
    return browser


def _ask(foyer: Foyer, browser: Browser, question: Question, count: int) -> Found:
    request = load.get(question.path, cookie=browser.cookie)
    load.run(foyer.port, iter([request] * 3), connections=1).require_all()  # to warm up
    outcome = load.run(foyer.port, itertools.repeat(request), connections=1, count=count).require_all()
    return {
        "page": question.name,
        "found": browser.open(question.path).text.count('<li class="request"'),
        "p50_ms": milliseconds(outcome.p50),
        "p99_ms": milliseconds(outcome.p99),
    }


def _decide(browser: Browser) -> Found:
    """Approve all that wait by the desk's own form."""
    begin = time.perf_counter()
    form = browser.open("/desk/decide?tab=waiting&all=yes&decision=approve").form(field="ids")
    shown = time.perf_counter()
    page = browser.send(form, message="Welcome!")
    done = time.perf_counter()
    left = browser.open("/desk/queue?tab=waiting").text.count('<li class="request"')
    if page.status != 200 or left:
        raise NotReady(f"The bulk decision did not work: {page.status}, {left} still wait.")
    return {
        "bulk": form.values["ids"].count(",") + 1,
        "form_s": rounded(shown - begin),
        "bulk_s": rounded(done - shown),
    }


def text(found: Found) -> str:
    """The tables."""
    kinds = [row["database"] for row in found["rows"]]
    shown = [
        [first["page"], *(figure for row in found["rows"] for figure in _of(row, first["page"]))]
        for first in found["rows"][0]["pages"]
    ]
    head = ["Page", *(f"{kind}: {what}" for kind in kinds for what in ("p50, ms", "p99, ms"))]
    bulk = [[row["database"], row["bulk"], row["form_s"], row["bulk_s"]] for row in found["rows"]]
    decided = table(["A bulk decision on", "requests", "the form, s", "the decision, s"], bulk)
    return "\n\n".join(part for part in (found["missing"], table(head, shown), decided) if part)


def _of(row: Found, page: str) -> list[float]:
    return next([one["p50_ms"], one["p99_ms"]] for one in row["pages"] if one["page"] == page)
