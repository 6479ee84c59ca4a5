"""Applicants and moderators as browsers without JavaScript see them, over HTTP; and what the tables say meanwhile."""

from __future__ import annotations

import http.cookiejar
import re
import sqlite3
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from tests.support.server import RunningFoyer
from tests.support.smtp import Sink, Taken

PASSWORD = "correct horse battery"
STAFF_PASSWORD = "lantern orchard willow"
REASON = "I grow tomatoes, and a friend told me about this server."
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@dataclass(frozen=True)
class Page:
    """What a browser got, before it follows any redirect."""

    status: int
    text: str
    place: str
    """Where it leads; empty where it leads nowhere."""


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


@dataclass
class Browser:
    """One person's browser, with cookies of its own."""

    foyer: RunningFoyer
    _opener: urllib.request.OpenerDirector = field(init=False, repr=False)
    _token: str = field(init=False, default="", repr=False)

    def __post_init__(self) -> None:
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), jar, _Stay())

    def ask(self, method: str, path: str, fields: dict[str, str] | None = None, *, seconds: float = 60) -> Page:
        """Send one request; a form carries the token of the page that was read last."""
        host = f"http://localhost:{self.foyer.port}"
        body = None if fields is None else urllib.parse.urlencode({"csrfmiddlewaretoken": self._token, **fields})
        request = urllib.request.Request(f"{host}{path}", body.encode() if body else None, method=method)
        request.add_header("Accept", "text/html")
        request.add_header("Origin", host)
        try:
            with self._opener.open(request, timeout=seconds) as answer:
                page = Page(answer.status, answer.read().decode(errors="replace"), answer.headers.get("Location", ""))
        except urllib.error.HTTPError as error:
            with error:
                page = Page(error.code, error.read().decode(errors="replace"), error.headers.get("Location", ""))
        if found := _TOKEN.search(page.text):
            self._token = found[1]
        return page

    def get(self, path: str) -> Page:
        """Open a page."""
        return self.ask("GET", path)

    def post(self, path: str, **fields: str) -> Page:
        """Send a form."""
        return self.ask("POST", path, fields)

    def sign_in(self, name: str) -> None:
        """Sign in at the desk."""
        self.get("/desk/sign-in")
        done = self.post("/desk/sign-in", login=name, password=STAFF_PASSWORD)
        assert done.status in (302, 303), done.text
        assert self.get("/desk/").status == 200


def add_staff(foyer: RunningFoyer, name: str, role: str) -> None:
    """Make somebody who may sign in at the desk."""
    foyer.cli("staff", "create", name, "--role", role, "--password-stdin", stdin=f"{STAFF_PASSWORD}\n")


@dataclass
class Applicant:
    """Somebody who asks for an account."""

    foyer: RunningFoyer
    sink: Sink
    name: str
    key: str = ""

    @property
    def email(self) -> str:
        """Where the mails go."""
        return f"{self.name}@example.net"

    @property
    def browser(self) -> Browser:
        """The applicant's pages need no cookie, so a new browser each time will do."""
        return Browser(self.foyer)

    def begin(self) -> Applicant:
        """Give name and email; the mail with the code is owed."""
        page = self.browser.post("/apply/email", username=self.name, email=self.email)
        assert page.status == 303, page.text
        found = re.search(r"apply/([^/?]+)/verify", page.place)
        assert found is not None, page.place
        self.key = found[1]
        return self

    def verify(self) -> Applicant:
        """Type the code from the mail."""
        digits = re.search(r"^\s*(\d{6})\s*$", self.mail("code").text, re.MULTILINE)
        assert digits is not None
        page = self.browser.post(f"/apply/{self.key}/verify", code=digits[1])
        assert page.status == 303, page.text
        return self

    def submit(self) -> Applicant:
        """Send the form's last page."""
        fields = {"q-reason": REASON, "password": PASSWORD, "confirm": PASSWORD}
        page = self.browser.post(f"/apply/{self.key}/about", **fields)
        assert page.status == 303, page.text
        return self

    def reply(self) -> Page:
        """Answer a question."""
        return self.browser.post(f"/apply/{self.key}/reply", text="Anna, from the choir.")

    def mails(self) -> list[Letter]:
        """The mails that arrived."""
        return [letter for taken in list(self.sink.taken) if (letter := Letter(taken)).to == self.email]

    def mail(self, sign: str, seconds: float = 90) -> Letter:
        """The first mail whose text has this in it, once it is there."""
        end = time.monotonic() + seconds
        while True:
            for letter in self.mails():
                if sign in letter.text:
                    return letter
            assert time.monotonic() < end, f"no mail with {sign!r} came to {self.email}"
            time.sleep(0.05)

    @property
    def number(self) -> int:
        """The number that the desk calls the request by; of those with this name, the newest."""
        found = rows(self.foyer, "SELECT max(id) FROM applications_application WHERE localpart = ?", self.name)
        return int(found[0][0])

    @property
    def state(self) -> str:
        """Where the request stands."""
        return str(rows(self.foyer, "SELECT state FROM applications_application WHERE id = ?", self.number)[0][0])


@dataclass(frozen=True)
class Letter:
    """One mail that arrived."""

    taken: Taken

    @property
    def to(self) -> str:
        """To whom."""
        return self.taken.recipients[0]

    @property
    def message_id(self) -> str:
        """By which mail programs tell a copy."""
        return str(self.taken.message["Message-ID"])

    @property
    def text(self) -> str:
        """What it says, without HTML."""
        body = self.taken.message.get_body(("plain",))
        return "" if body is None else str(body.get_content())

    def links(self) -> list[str]:
        """Every address in it, in both of its forms."""
        html = self.taken.message.get_body(("html",))
        both = self.text + ("" if html is None else str(html.get_content()).replace("&amp;", "&"))
        return sorted(set(re.findall(r"https?://[^\s<>\"']+", both)))


def rows(foyer: RunningFoyer, sql: str, *values: object) -> list[tuple[Any, ...]]:
    """Ask Foyer's SQLite database."""
    with closing(sqlite3.connect(foyer.folder / "foyer.sqlite3", timeout=30)) as connection:
        return connection.execute(sql, values).fetchall()


def a_minute_passes(foyer: RunningFoyer) -> None:
    """Let decisions take effect, waits end, and the leases of the dead run out: what time would do by itself."""
    past = "2000-01-01 00:00:00"
    with closing(sqlite3.connect(foyer.folder / "foyer.sqlite3", timeout=30)) as connection, connection:
        connection.execute("UPDATE applications_application SET effects_at = ? WHERE effects_at IS NOT NULL", (past,))
        connection.execute("UPDATE jobs_job SET next_attempt_at = ? WHERE leased_until IS NULL", (past,))


def nothing_is_owed(foyer: RunningFoyer) -> bool:
    """Let a minute pass, and say whether everything was done in it."""
    a_minute_passes(foyer)
    return not owed(foyer)


def leases_run_out(foyer: RunningFoyer) -> None:
    """Let the half minute pass for which a dead worker's jobs are still taken to be its own."""
    with closing(sqlite3.connect(foyer.folder / "foyer.sqlite3", timeout=30)) as connection, connection:
        connection.execute("UPDATE jobs_job SET leased_until = '2000-01-01 00:00:00' WHERE leased_until IS NOT NULL")


def owed(foyer: RunningFoyer) -> list[tuple[Any, ...]]:
    """What is not done yet, the schedule apart."""
    return rows(foyer, "SELECT kind, subject, last_error, gave_up_at FROM jobs_job WHERE subject <> ''")


def eventually(question: Callable[[], object], foyer: RunningFoyer | None = None, *, seconds: float = 90) -> None:
    """Wait until it is so."""
    end = time.monotonic() + seconds
    while not question():
        more = "" if foyer is None else f" {owed(foyer)} {foyer.log[-3000:]}"
        assert time.monotonic() < end, f"it did not happen in time.{more}"
        time.sleep(0.1)


def all_at_once(deeds: Iterable[Callable[[], object]]) -> None:
    """Do these side by side; the first failure is raised."""
    failures: list[BaseException] = []

    def run(deed: Callable[[], object]) -> None:
        try:
            deed()
        except BaseException as error:  # noqa: BLE001 - raised again below
            failures.append(error)

    threads = [threading.Thread(target=run, args=(deed,)) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
