"""A browser without JavaScript that keeps its connection and its cookies; forms are read by dev.demo_visitor."""

from __future__ import annotations

import http.cookies
from urllib.parse import urlencode, urljoin, urlsplit

import urllib3

from dev.bench import load
from dev.demo_visitor import Form, Page

_MOST_REDIRECTS = 5
_FORM = "application/x-www-form-urlencoded"


class Browser:
    """Somebody at a server on loopback."""

    def __init__(self, port: int) -> None:
        self._base = f"http://127.0.0.1:{port}"
        self._pool = urllib3.HTTPConnectionPool("127.0.0.1", port, maxsize=1, retries=False, timeout=60)
        self._cookies: dict[str, str] = {}

    @property
    def cookie(self) -> str:
        """The cookies as the header says them."""
        return "; ".join(f"{name}={value}" for name, value in self._cookies.items())

    def open(self, path: str) -> Page:
        """Open a page, after redirects."""
        return self._ask("GET", urljoin(self._base, path), "")

    def send(self, form: Form, **typed: str) -> Page:
        """Send a form with what was typed, and return the page that follows."""
        return self._ask("POST", form.action, urlencode(form.values | typed))

    def request(self, form: Form, **typed: str) -> bytes:
        """The same form as the bytes of a request, for the load generator."""
        return load.post(_target(form.action), urlencode(form.values | typed), accept="text/html", cookie=self.cookie)

    def _ask(self, method: str, url: str, body: str) -> Page:
        answer = self._ask_once(method, url, body)
        for _ in range(_MOST_REDIRECTS):
            if answer.status not in {301, 302, 303, 307, 308}:
                break
            url = urljoin(url, answer.headers["Location"])
            answer = self._ask_once("GET", url, "")
        return Page(answer.status, url, answer.data.decode(errors="replace"))

    def _ask_once(self, method: str, url: str, body: str) -> urllib3.BaseHTTPResponse:
        headers = {"Accept": "text/html", "Cookie": self.cookie} | ({"Content-Type": _FORM} if body else {})
        answer = self._pool.request(method, _target(url), body=body or None, headers=headers, redirect=False)
        self._keep(answer.headers.getlist("Set-Cookie"))
        return answer

    def _keep(self, headers: list[str]) -> None:
        for header in headers:
            for name, morsel in http.cookies.SimpleCookie(header).items():
                self._cookies[name] = morsel.value


def _target(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
