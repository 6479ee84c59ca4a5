"""A browser of somebody on a bad connection: it follows redirects, and now and then loses an answer or clicks twice."""

from __future__ import annotations

import contextlib
import http.client
import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode, urljoin, urlsplit

from dev.demo_visitor import Form, Page

WAITS_SECONDS = 75.0
MOST_REDIRECTS = 6
REDIRECTS = (301, 302, 303, 307)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Broken(Exception):
    """The connection broke, or none came about: nobody can say what became of the request."""


@dataclass
class Visitor:
    """One browser. Each request goes to any of the machines, as a load balancer would have it."""

    ports: Sequence[int]
    dice: random.Random
    hangs_up: float = 0.04
    clicks_twice: float = 0.05
    accept: str = "text/html"
    cookies: dict[str, str] = field(default_factory=dict, repr=False)

    def get(self, path: str) -> Page:
        """Open a page, and follow where it leads.

        Raises:
            Broken
        """
        return self._follow("GET", path, None)

    def send(self, form: Form, **typed: str) -> Page:
        """Send a form, and open the page that follows.

        Raises:
            Broken
        """
        body = urlencode(form.values | typed).encode()
        path = path_of(form.action)
        if self.dice.random() < self.hangs_up:
            self._post_and_leave(path, body)
        if self.dice.random() < self.clicks_twice:
            first = threading.Thread(target=self._post_and_ignore, args=(path, body), daemon=True)
            first.start()
            time.sleep(self.dice.uniform(0, 0.08))
        return self._follow("POST", path, body)

    def _follow(self, method: str, path: str, body: bytes | None) -> Page:
        for _ in range(MOST_REDIRECTS):
            status, headers, text = self._ask(method, path, body)
            if status not in REDIRECTS:
                return Page(status, f"http://localhost{path}", text)
            method, body, path = "GET", None, path_of(urljoin(path, headers["location"]))
        raise AssertionError(f"{path}: more than {MOST_REDIRECTS} redirects")

    def _ask(self, method: str, path: str, body: bytes | None) -> tuple[int, dict[str, str], str]:
        port = self.dice.choice(self.ports)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAITS_SECONDS)
        try:
            with contextlib.closing(connection):
                connection.request(method, path, body=body, headers=self._headers(port, body))
                answer = connection.getresponse()
                headers = {name.lower(): value for name, value in answer.getheaders()}
                self._keep_cookies(answer.headers.get_all("Set-Cookie") or [])
                return answer.status, headers, answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            raise Broken(f"{method} {shown(path)}: {type(error).__name__}") from error

    def _headers(self, port: int, body: bytes | None) -> dict[str, str]:
        cookies = (
            {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}
        )
        mine = {"Host": f"localhost:{port}", "Accept": self.accept, "Origin": f"http://localhost:{port}", **cookies}
        return {**mine, **(FORM if body is not None else {})}

    def _keep_cookies(self, lines: list[str]) -> None:
        for line in lines:
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value

    def _post_and_leave(self, path: str, body: bytes) -> None:
        """Send it, and lose the answer.

        Raises:
            Broken: always.
        """
        port = self.dice.choice(self.ports)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAITS_SECONDS)
        with contextlib.closing(connection), contextlib.suppress(OSError):
            connection.request("POST", path, body=body, headers=self._headers(port, body))
            time.sleep(self.dice.uniform(0, 0.6))
        raise Broken(f"POST {shown(path)}: the answer was lost on the way")

    def _post_and_ignore(self, path: str, body: bytes) -> None:
        with contextlib.suppress(Broken):
            self._ask("POST", path, body)


def path_of(address: str) -> str:
    """The path and the query of an address, whatever machine it names."""
    parts = urlsplit(address)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def shown(path: str) -> str:
    """A path for a diary."""
    return path.partition("?")[0]
