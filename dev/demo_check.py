"""Walk a newcomer's journey over HTTP, as a browser without JavaScript and as the predecessor's curl line do."""

from __future__ import annotations

import json
import secrets
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, Protocol
from urllib.parse import quote, urlencode, urljoin

from dev.processes import open_directly
from dev.synapse import Synapse

_SECONDS_TO_ANSWER = 30.0
_SECONDS_TO_JOIN_ROOMS = 20.0


class Wrong(Exception):
    """A step of the journey went otherwise than it should."""


class Running(Protocol):
    """What the check needs of a demo."""

    homeserver: Synapse

    @property
    def url(self) -> str:
        """Foyer's address."""

    def invite(self, number: int) -> list[dict[str, Any]]:
        """Make invitations; raises NotReady."""


@dataclass
class Page:
    """A page as it came, after redirects."""

    status: int
    url: str
    text: str


def walk(demo: Running) -> int:
    """Go through all steps, say each, and return 0 if every one went as it should."""
    begin = time.monotonic()
    try:
        invitation, other = demo.invite(2)
        _say(f"made two invitations: {invitation['link']} and {other['link']}")
        _join_by_page(demo, invitation["link"])
        _join_by_command(demo, other["code"])
    except Wrong as error:
        print(f"WRONG {error}", flush=True)
        return 1
    print(f"The journey works ({time.monotonic() - begin:.1f} s).", flush=True)
    return 0


def _join_by_page(demo: Running, link: str) -> None:
    page = _fetch(link)
    _expect(page.status == 200, f"{link} answered {page.status}.")
    form = _JoinForm.in_page(page)
    _say("opened the first: a page with a form for a name and a password")
    name, password = f"maria-{secrets.token_hex(3)}", secrets.token_urlsafe(12)
    values = form.values | {"username": name, "password": password}
    if "confirm" in form.values:
        values["confirm"] = password
    welcome = _fetch(form.action, urlencode(values).encode(), "application/x-www-form-urlencoded")
    mxid = f"@{name}:{demo.homeserver.server_name}"
    _expect(welcome.status == 200 and mxid in welcome.text, f"{form.action} answered {welcome.status} without {mxid}.")
    _say(f"sent the form: the welcome page {welcome.url.partition('?')[0]} greets {mxid}")
    _sign_in(demo, name, password)
    spent = _fetch(link)
    _expect(spent.status != 200, "The invitation was for one person, and its page still has a form.")
    _say("opened it again: it is used up")


def _join_by_command(demo: Running, code: str) -> None:
    name, password = f"test-{secrets.token_hex(3)}", "verysecure"
    values = {"username": name, "password": password, "confirm": password, "token": code}
    body, content_type = _multipart(values)
    answer = _fetch(f"{demo.url}/register", body, content_type, accept="*/*")
    _expect(answer.status == 200, f"/register answered {answer.status}: {answer.text[:300]}")
    said = json.loads(answer.text)
    _expect(said.get("status") == "success", f"/register did not say success: {sorted(said)}")
    _say(f"sent the second to POST /register as curl does: {said['user_id']}")
    _sign_in(demo, name, password)


def _sign_in(demo: Running, name: str, password: str) -> None:
    status, answer = demo.homeserver.login(name, password)
    _expect(status == 200, f"Synapse did not let {name} in: {status} {answer}")
    token = str(answer["access_token"])
    end = time.monotonic() + _SECONDS_TO_JOIN_ROOMS
    while not (rooms := _rooms(demo, token)):
        _expect(time.monotonic() < end, f"{name} was not put into the room for newcomers.")
        time.sleep(0.2)
    _say(f"signed in at Synapse as {answer['user_id']}, who is in {' and '.join(rooms)}")


def _rooms(demo: Running, token: str) -> list[str]:
    """The aliases of the rooms that the owner of this token is in."""
    joined = demo.homeserver.request("GET", "/_matrix/client/v3/joined_rooms", token=token)[1]
    aliases = []
    for room in joined.get("joined_rooms", []):
        path = f"/_matrix/client/v3/rooms/{quote(room)}/state/m.room.canonical_alias"
        status, state = demo.homeserver.request("GET", path, token=token)
        if status == 200:
            aliases.append(str(state["alias"]))
    return aliases


def _fetch(url: str, body: bytes | None = None, content_type: str | None = None, *, accept: str = "text/html") -> Page:
    request = urllib.request.Request(url, data=body, headers={"Accept": accept})
    if content_type:
        request.add_header("Content-Type", content_type)
    try:
        with open_directly(request, seconds=_SECONDS_TO_ANSWER) as answer:
            return Page(answer.status, answer.url, answer.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            return Page(error.code, url, error.read().decode(errors="replace"))
    except OSError as error:
        raise Wrong(f"{url} cannot be reached: {error}") from error


def _multipart(values: dict[str, str]) -> tuple[bytes, str]:
    """The body and the content type that `curl -F` sends."""
    boundary = secrets.token_hex(16)
    parts = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in values.items()
    )
    return f"{''.join(parts)}--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


@dataclass
class _JoinForm(HTMLParser):
    """The form of a page that asks for a user name: where it goes, and what is in it."""

    action: str = ""
    values: dict[str, str] = field(default_factory=dict)
    is_open: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    @classmethod
    def in_page(cls, page: Page) -> _JoinForm:
        parser = cls()
        parser.feed(page.text)
        _expect("username" in parser.values, f"{page.url} has no form that asks for a user name.")
        parser.action = urljoin(page.url, parser.action)
        return parser

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form" and given.get("method") == "post" and "username" not in self.values:
            self.is_open, self.action, self.values = True, given.get("action") or "", {}
        elif tag == "input" and self.is_open and given.get("name"):
            self.values[str(given["name"])] = given.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.is_open = False


def _say(sentence: str) -> None:
    print(f"  ok  {sentence}", flush=True)


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Wrong(otherwise)
