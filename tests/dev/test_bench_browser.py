"""What the measured journeys are walked with: a browser with cookies, and a mail server that keeps what it takes."""

from __future__ import annotations

import smtplib
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import urllib3

from dev import processes
from dev.bench.applying import Sink
from dev.bench.browser import Browser
from dev.environments import ROOT

FORM = '<form method="post" action="/sent?a=1"><input name="token" value="t"><input name="name"></form>'


class Shop(BaseHTTPRequestHandler):
    """Gives a cookie with the form, and shows what came after the redirect."""

    protocol_version = "HTTP/1.1"
    sent = ""

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        text = FORM if self.path == "/" else f"{Shop.sent} {self.headers.get('Cookie')}"
        self.answer(200, text, ("Set-Cookie", "visit=7; Path=/; HttpOnly"))

    def do_POST(self) -> None:
        Shop.sent = f"{self.path} {self.rfile.read(int(self.headers['Content-Length'])).decode()}"
        self.answer(303, "", ("Location", "after"))

    def answer(self, status: int, text: str, header: tuple[str, str]) -> None:
        self.send_response(status)
        self.send_header(*header)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())


@pytest.fixture
def shop() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Shop) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_browser_sends_a_form_with_its_cookies_and_follows(shop: int) -> None:
    browser = Browser(shop)
    form = browser.open("/").form(field="token")

    page = browser.send(form, name="maria")

    assert (page.status, page.url) == (200, f"http://127.0.0.1:{shop}/after")
    assert page.text == "/sent?a=1 token=t&name=maria visit=7"


def test_browser_request_is_the_same_form_for_the_load_generator(shop: int) -> None:
    browser = Browser(shop)
    form = browser.open("/").form(field="token")

    head, _, body = browser.request(form, name="maria").partition(b"\r\n\r\n")

    assert body == b"token=t&name=maria"
    assert head.splitlines()[0] == b"POST /sent?a=1 HTTP/1.1"
    assert b"Cookie: visit=7" in head.splitlines()


def test_sink_keeps_the_last_mail_to_each_email(tmp_path: Path) -> None:
    smtp, port, log = processes.free_port(), processes.free_port(), tmp_path / "sink.log"
    process = processes.spawn([sys.executable, "-m", "dev.bench.sink", str(smtp), str(port)], log=log, cwd=ROOT)
    pool = urllib3.HTTPConnectionPool("127.0.0.1", port, retries=urllib3.Retry(20, backoff_factor=0.02))
    sink = Sink(smtp, port, pool)
    try:
        assert sink.count() == 0
        with smtplib.SMTP("127.0.0.1", smtp) as server:
            for code in ("111111", "222222"):
                server.sendmail("a@example.org", ["maria@example.org"], f"Subject: Code\r\n\r\n  {code}\r\n")

        assert (sink.find(r"(\d{6})", "maria@example.org"), sink.count()) == ("222222", 2)
        assert pool.request("GET", "/mail/nobody@example.org").status == 404
        rendered = pool.request("POST", "/render", json={"mjml": "<mjml/>"}).json()
        assert sorted(rendered) == ["errors", "html", "mjml", "mjml_version"]
    finally:
        processes.stop(process)
