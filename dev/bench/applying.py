"""Asking for an account at Foyer and at synapse_registration: the same journey over HTTP, in turns.

A person opens the first page, gives a name and an email, waits for the mail, proves the email, and sends the reasons.
That is a journey; the last of these forms is the submit. Both ask the same stub whether the name is free, send to the
same mail server, and choose the password once approved. synapse_registration sends its mails before it answers; Foyer
owes them, and its worker sends them: the CPU of Foyer is counted until all that is due was sent.
"""

from __future__ import annotations

import contextlib
import email
import email.policy
import re
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import Any

import urllib3

from dev import processes
from dev.bench import load, people, predecessors, servers
from dev.bench.browser import Browser
from dev.bench.figures import median, milliseconds, percentile, ratio, rounded
from dev.bench.predecessors import Service
from dev.bench.scale import Found, Scale
from dev.bench.servers import Foyer
from dev.bench.tables import table
from dev.demo_visitor import Form, Wrong
from dev.environments import ROOT, SetupError
from dev.processes import NotReady

AT_ONCE = 8
CONNECTIONS = 16
REASON = "I grow tomatoes, and a friend told me about this server; we would like to talk about seeds."
LONGEST_WAIT_SECONDS = 60.0
FOYER, THEIRS = "Foyer", "synapse_registration"
Step = Callable[["Sink", Browser, str], tuple[Form, dict[str, str]]]


@dataclass(frozen=True)
class Sink:
    """The mail server, and who renders MJML."""

    smtp: int
    port: int
    pool: urllib3.HTTPConnectionPool = field(repr=False)

    def find(self, pattern: str, to: str) -> str:
        """What the mail to an email has in this place, once it is there.

        Raises:
            TimeoutError: none came.
        """
        end = time.monotonic() + LONGEST_WAIT_SECONDS
        while time.monotonic() < end:
            answer = self.pool.request("GET", f"/mail/{to}")
            if answer.status == 200 and (found := re.search(pattern, _plain(answer.data), re.MULTILINE)):
                return found[1]
            time.sleep(0.01)
        raise TimeoutError(f"No mail came to {to}.")

    def count(self) -> int:
        """How many mails came."""
        return int(self.pool.request("GET", "/count").data)


def _plain(mail: bytes) -> str:
    body = email.message_from_bytes(mail, policy=email.policy.default).get_body(("plain",))
    return str(body.get_content()) if body is not None else ""


@contextlib.contextmanager
def sink(scale: Scale) -> Iterator[Sink]:
    """Run the sink until the `with` block ends."""
    smtp, port, log = processes.free_port(), processes.free_port(), scale.folder / "sink.log"
    command = [sys.executable, "-m", "dev.bench.sink", str(smtp), str(port)]
    process = processes.spawn(command, log=log, cwd=ROOT)
    made = Sink(smtp, port, urllib3.HTTPConnectionPool("127.0.0.1", port, maxsize=AT_ONCE, retries=False))

    def answers() -> bool:
        with contextlib.suppress(urllib3.exceptions.HTTPError):
            return made.count() == 0
        return False

    try:
        processes.wait_until(answers, process, log=log, seconds=10)
        yield made
    finally:
        processes.stop(process)


def at_foyer(sink: Sink, browser: Browser, name: str) -> tuple[Form, dict[str, str]]:
    """Go as far as the last form; returns it, and what to type."""
    page = browser.send(browser.open("/apply").form(field="username"), username=name)
    page = browser.send(page.form(field="email"), email=f"{name}@example.org")
    code = sink.find(r"^\s*(\d{6})\s*$", f"{name}@example.org")
    page = browser.send(page.form(field="code"), code=code)
    return page.form(field="q-reason"), {"q-reason": REASON}


def at_synapse_registration(sink: Sink, browser: Browser, name: str) -> tuple[Form, dict[str, str]]:
    """The same there."""
    page = browser.send(browser.open("/check-username/").form(field="username"), username=name)
    browser.send(page.form(field="email"), email=f"{name}@example.org")
    page = browser.open(sink.find(r"(/verify-email/\S+)", f"{name}@example.org"))
    return page.form(field="registration_reason"), {"registration_reason": REASON}


@dataclass
class Side:
    """One of the two, and what was measured of it, round by round."""

    name: str
    door: Foyer | Service
    journey: Step
    redirect: int
    journeys: list[float] = field(default_factory=list)
    submits: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    mails: list[float] = field(default_factory=list)
    failed: int = 0
    """Journeys that ended at an error. One at Foyer ends the measurement: it is a fault to mend."""

    def round(self, sink: Sink, number: int) -> None:
        """Let so many people apply."""
        cpu, mails, begin = self.door.cpu_seconds(), sink.count(), time.perf_counter()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            requests = [it for it in pool.map(lambda _: self._prepare(sink), range(number)) if it is not None]
        prepared = time.perf_counter() - begin
        outcome = load.run(self.door.port, iter(requests), connections=CONNECTIONS)
        if isinstance(self.door, Foyer):
            outcome.require_all(self.redirect)
        done = outcome.statuses[self.redirect]
        self.failed += number - done
        self.journeys.append(done / (prepared + outcome.seconds))
        self.submits.append(outcome.per_second)
        self.latencies += outcome.latencies
        if isinstance(self.door, Foyer):
            wait_until_idle(self.door)
        self.cpu.append((self.door.cpu_seconds() - cpu) / number)
        self.mails.append((sink.count() - mails) / number)

    def forget(self) -> None:
        """What was measured so far was only to warm up."""
        self.failed = 0
        for series in (self.journeys, self.submits, self.latencies, self.cpu, self.mails):
            series.clear()

    def _prepare(self, sink: Sink) -> bytes | None:
        browser = Browser(self.door.port)
        try:
            form, typed = self.journey(sink, browser, people.new_name())
        except (Wrong, TimeoutError):
            if isinstance(self.door, Foyer):
                raise
            return None
        return browser.request(form, **typed)

    def figures(self) -> Found:
        """The medians over the rounds."""
        return {
            "who": self.name,
            "submits_per_second": rounded(median(self.submits)),
            "submit_p50_ms": milliseconds(median(self.latencies)),
            "submit_p99_ms": milliseconds(percentile(self.latencies, 0.99)),
            "journeys_per_second": rounded(median(self.journeys)),
            "cpu_ms": milliseconds(median(self.cpu)),
            "mails": rounded(median(self.mails)),
            "failed": self.failed,
        }


def wait_until_idle(foyer: Foyer) -> None:
    """Return once the worker has no work that is due."""
    end = time.monotonic() + LONGEST_WAIT_SECONDS
    path = foyer.database.removeprefix("sqlite:///")
    question = "SELECT COUNT(*) FROM jobs_job WHERE next_attempt_at <= strftime('%Y-%m-%d %H:%M:%f', 'now')"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        while connection.execute(question).fetchone()[0] and time.monotonic() < end:
            time.sleep(0.05)


def mail_keys(sink_port: int) -> dict[str, Any]:
    """The keys that open the door for applications, with this mail server."""
    return {
        "email": {"host": "127.0.0.1", "port": sink_port, "security": "none", "from": "join@example.org"},
        "moderators": {"emails": ["team@example.org"]},
    }


def measure(scale: Scale) -> Found:
    """Let people apply, in turns."""
    with ExitStack() as stack:
        stub = stack.enter_context(servers.stub_homeserver(scale.folder))
        mails = stack.enter_context(sink(scale))
        door = servers.foyer(scale.folder, servers.by_secret(stub), **mail_keys(mails.smtp))
        sides = [Side(FOYER, stack.enter_context(door), at_foyer, 303)]
        missing = ""
        try:
            mjml = f"http://127.0.0.1:{mails.port}/render"
            other = predecessors.synapse_registration(scale.folder, stub, smtp=mails.smtp, mjml=mjml)
            sides.append(Side(THEIRS, stack.enter_context(other), at_synapse_registration, 302))
        except (SetupError, NotReady) as error:
            missing = scale.missing(predecessors.SYNAPSE_REGISTRATION, error)
        _run(scale, sides, mails)
    return {"rows": [side.figures() for side in sides], "missing": missing, **_ratios(sides)}


def _run(scale: Scale, sides: list[Side], mails: Sink) -> None:
    for number in range(1 + (rounds := scale.of(5, 2))):
        scale.say(f"Applying: round {number} of {rounds}")
        for side in sides:
            side.round(mails, scale.of(150, 12))
            if not number:
                side.forget()


def _ratios(sides: list[Side]) -> Found:
    if len(sides) < 2:
        return {}
    ours, theirs = sides
    return {
        "submit_ratio": ratio(ours.submits, theirs.submits).kept(),
        "journey_ratio": ratio(ours.journeys, theirs.journeys).kept(),
        "cpu_ratio": ratio(ours.cpu, theirs.cpu).kept(),
    }


def text(found: Found) -> str:
    """The table."""
    columns = {
        "who": "Who",
        "submits_per_second": "submits a second",
        "submit_p50_ms": "p50, ms",
        "submit_p99_ms": "p99, ms",
        "journeys_per_second": "journeys a second",
        "cpu_ms": "CPU seconds per thousand journeys",
        "mails": "mails a journey",
        "failed": "failed",
    }
    parts = [found["missing"], table([*columns.values()], [[row[key] for key in columns] for row in found["rows"]])]
    if "submit_ratio" in found:
        times = {key: f"{found[f'{key}_ratio']['median']:.2f}" for key in ("submit", "journey", "cpu")}
        parts.append(
            f"Foyer takes {times['submit']} times as many submits a second, {times['journey']} times as many whole "
            f"journeys, and {times['cpu']} times the CPU for a journey."
        )
    return "\n\n".join(part for part in parts if part)
