"""Somebody with a browser and no JavaScript, for whom every host name leads to this machine."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

SECONDS = 30.0
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Answer:
    """What came back, before any redirect is followed."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


@dataclass
class Visitor:
    """Asks on loopback; `source` is the address that the other end sees, `headers` go with every request."""

    source: str = "127.0.0.1"
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def ask(self, url: str, form: Mapping[str, str] | None = None, **headers: str) -> Answer:
        """Get a URL, or post a form to it."""
        parts = urlsplit(url)
        self.asked.append(parts.path)
        connection = http.client.HTTPConnection(
            "127.0.0.1", parts.port, timeout=SECONDS, source_address=(self.source, 0)
        )
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        given = {"Host": parts.netloc, "Accept": "text/html", **self.headers, **headers}
        body = None if form is None else urlencode(form).encode()
        if form is not None:
            given["Content-Type"] = FORM
        try:
            connection.request("GET" if form is None else "POST", target or "/", body, given)
            response = connection.getresponse()
            return Answer(
                url, response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
            )
        finally:
            connection.close()

    def open(self, url: str) -> Page:
        """Open a page and load everything that it is made of.

        Raises:
            AssertionError: it, or one of its parts, is not there.
        """
        answer = self.ask(url)
        for _ in range(3):
            if answer.status in {301, 302, 303, 307, 308}:
                answer = self.ask(urljoin(answer.url, answer.headers["location"]))
        assert answer.status == 200, f"{answer.url}: {answer.status} {answer.text[:300]}"
        page = Page(answer)
        for part in page.parts:
            loaded = self.ask(part)
            assert loaded.status == 200, f"{part}: {loaded.status}"
            for imported in re.findall(r'from "(\./[^"]+)"', loaded.text) if part.endswith(".js") else []:
                assert self.ask(urljoin(part, imported)).status == 200, imported
        return page

    def send(self, page: Page, **typed: str) -> Page:
        """Fill in the page's form, send it, and open where it leads."""
        answer = self.ask(page.action, {**page.values, **typed})
        assert answer.status == 303, f"{page.action}: {answer.status} {answer.text[:300]}"
        return self.open(urljoin(answer.url, answer.headers["location"]))

    def name_is_free(self, page: Page, name: str) -> bool:
        """Ask what the page's script asks while a name is typed."""
        query = urlencode({"token": page.values["token"], "username": name})
        answer = self.ask(f"{page.available}?{query}", Accept="application/json")
        assert answer.status == 200, f"{page.available}: {answer.status} {answer.text}"
        said: dict[str, Any] = json.loads(answer.body)
        return bool(said["available"])


class Page(HTMLParser):
    """A page that came whole: its parts, and the form that it holds, with addresses as a browser reads them."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.url = answer.url
        self.text = answer.text
        self.parts: list[str] = []
        self.action = ""
        self.available = ""
        self.values: dict[str, str] = {}
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "script" or (tag == "link" and given.get("rel") in {"stylesheet", "icon"}):
            self.parts.append(urljoin(self.url, given.get("src") or given["href"]))
        elif tag == "form":
            self.action = urljoin(self.url, given["action"])
        elif tag == "input" and given.get("name"):
            self.values[given["name"]] = given.get("value", "")
        if "data-available" in given:
            self.available = urljoin(self.url, given["data-available"])
