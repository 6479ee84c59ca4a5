"""What a visitor of the demo does: opens pages, sends forms as a browser without JavaScript, signs in at Synapse."""

from __future__ import annotations

import secrets
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, Protocol
from urllib.parse import quote, urlencode, urljoin

from dev.mailcatcher import MailCatcher
from dev.processes import open_directly
from dev.synapse import Synapse

_SECONDS_TO_ANSWER = 60.0
_SECONDS_TO_JOIN_ROOMS = 60.0
_FORM = "application/x-www-form-urlencoded"


class Wrong(Exception):
    """A step of the journey went otherwise than it should."""


class Running(Protocol):
    """What the check needs of a demo."""

    homeserver: Synapse
    mails: MailCatcher

    @property
    def url(self) -> str:
        """Foyer's address."""

    def command(self, *words: str) -> str:
        """Run `foyer WORDS` as its owner does and return what it prints; raises NotReady."""

    def invite(self, number: int) -> list[dict[str, Any]]:
        """Make invitations; raises NotReady."""

    def choose_passwords(self, way: str) -> None:
        """Have this be `application.password`; raises NotReady."""


@dataclass
class Page:
    """A page as it came, after redirects."""

    status: int
    url: str
    text: str

    def form(self, *, field: str = "", action: str = "") -> Form:
        """The first form to send that has such a field, or goes to an address that ends so.

        Raises:
            Wrong: there is none.
        """
        for form in _Forms.of(self):
            if (field and field in form.values) or (action and form.action.partition("?")[0].endswith(action)):
                return form
        raise Wrong(f"{self.url} has no form with {field or action}.")


@dataclass
class Form:
    """A form as it stands in a page: where it goes, and what is in it."""

    action: str
    values: dict[str, str] = field(default_factory=dict)

    def send(self, **typed: str) -> Page:
        """Send it with what was typed, and return the page that follows."""
        return fetch(self.action, urlencode(self.values | typed).encode(), _FORM)


def fetch(
    url: str,
    body: bytes | None = None,
    content_type: str | None = None,
    *,
    accept: str = "text/html",
    method: str | None = None,
) -> Page:
    """Ask for a page.

    Raises:
        Wrong: nobody answers.
    """
    request = urllib.request.Request(url, data=body, headers={"Accept": accept}, method=method)
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


def multipart(values: dict[str, str]) -> tuple[bytes, str]:
    """The body and the content type that `curl -F` sends."""
    boundary = secrets.token_hex(16)
    parts = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in values.items()
    )
    return f"{''.join(parts)}--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


@dataclass
class _Forms(HTMLParser):
    """The forms of a page that are sent with POST."""

    base: str
    found: list[Form] = field(default_factory=list)
    is_open: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    @classmethod
    def of(cls, page: Page) -> list[Form]:
        parser = cls(page.url)
        parser.feed(page.text)
        return parser.found

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.is_open = given.get("method") == "post"
            if self.is_open:
                self.found.append(Form(urljoin(self.base, given.get("action") or "")))
        elif tag in {"input", "textarea", "select"} and self.is_open and given.get("name"):
            self.found[-1].values[str(given["name"])] = given.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.is_open = False


def sign_in(demo: Running, name: str, password: str) -> None:
    """Sign in at Synapse, and wait until the newcomer is in the room for newcomers.

    Raises:
        Wrong: one of the two does not come about.
    """
    status, answer = demo.homeserver.login(name, password)
    expect(status == 200, f"Synapse did not let {name} in: {status} {answer}")
    token = str(answer["access_token"])
    end = time.monotonic() + _SECONDS_TO_JOIN_ROOMS
    while not (rooms := _rooms(demo, token)):
        expect(time.monotonic() < end, f"{name} was not put into the room for newcomers.")
        time.sleep(0.2)
    say(f"signed in at Synapse as {answer['user_id']}, who is in {' and '.join(rooms)}")


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


def say(sentence: str) -> None:
    """Say what was done."""
    print(f"  ok  {sentence}", flush=True)


def expect(holds: bool, otherwise: str) -> None:
    """Go on only if it holds.

    Raises:
        Wrong: it does not; the text is `otherwise`.
    """
    if not holds:
        raise Wrong(otherwise)
