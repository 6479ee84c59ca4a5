from __future__ import annotations

import io
import re
import tracemalloc
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from foyer.kit.client_ip import ClientAddress
from foyer.kit.refusal import Refusal
from foyer.web import edge, errors
from foyer.web.middleware import Edge
from foyer.web.public import join
from tests.conftest import Configure
from tests.web.conftest import CODE, MakeInvite

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def empty(request: HttpRequest) -> HttpResponse:
    """Answer with nothing."""
    return HttpResponse()


def seen_by(request: HttpRequest) -> HttpRequest:
    """Return a request as views see it."""
    kept: list[HttpRequest] = []

    def view(request: HttpRequest) -> HttpResponse:
        kept.append(request)
        return HttpResponse()

    Edge(view)(request)
    return kept[0]


@pytest.mark.parametrize("path", ["/", "/register", "/nowhere", "/register/theme.css", "/register/available"])
def test_every_answer_has_the_headers(client: Client, db: None, path: str) -> None:
    answer = client.get(path)

    assert answer["Content-Security-Policy"] == POLICY
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert re.fullmatch(r"[0-9a-f]{16}", answer["X-Request-Id"])
    assert "Cache-Control" in answer


def test_pages_have_no_inline_script_or_style(client: Client, db: None) -> None:
    for path in ("/", "/register/apps", "/nowhere", "/i/Nothing"):
        text = client.get(path).text
        assert not re.search(r"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son[a-z]+=|javascript:", text)


def test_request_id_from_outside_is_not_taken(client: Client, configure: Configure, db: None) -> None:
    configure(trusted_proxies=["127.0.0.1"])

    assert client.get("/", headers={"X-Request-Id": "forged-by-somebody"})["X-Request-Id"] != "forged-by-somebody"


def test_client_behind_a_trusted_proxy_is_the_rightmost_other(configure: Configure) -> None:
    configure(trusted_proxies=["127.0.0.1"])
    request = RequestFactory().get("/", headers={"X-Forwarded-For": "198.51.100.1, 203.0.113.9"})

    assert edge.client(seen_by(request)) == ClientAddress("203.0.113.9", is_known=True)


def test_client_without_a_trusted_proxy_is_the_peer() -> None:
    request = RequestFactory().get("/", headers={"X-Forwarded-For": "203.0.113.9"})

    assert edge.client(seen_by(request)) == ClientAddress("127.0.0.1", is_known=False)


def test_client_behind_a_proxy_is_found_at_the_right_end_of_a_long_header(configure: Configure) -> None:
    configure(trusted_proxies=["127.0.0.1", "10.0.0.0/8"])
    claimed = ", ".join(f"198.51.100.{number % 250}" for number in range(4000))
    request = RequestFactory().get("/", headers={"X-Forwarded-For": f"{claimed}, 203.0.113.9, 10.0.0.7"})

    assert edge.client(seen_by(request)) == ClientAddress("203.0.113.9", is_known=True)


@pytest.mark.parametrize("peer", ["127.0.0.1", "203.0.113.9"])
def test_headers_as_long_as_they_may_be_are_not_kept_in_memory(configure: Configure, peer: str) -> None:
    configure(trusted_proxies=["127.0.0.1"])
    seen_by(RequestFactory().get("/", headers={"X-Forwarded-For": "192.0.2.1"}, REMOTE_ADDR=peer))
    tracemalloc.start()
    for number in range(50):
        claimed = f"{number}, " + "192.0.2.1, " * 5000 + "192.0.2.2"
        seen_by(RequestFactory().get("/", headers={"X-Forwarded-For": claimed}, REMOTE_ADDR=peer))
    kept, _peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert kept < 1_000_000  # the headers together: 2.7 MB


def test_unknown_host_is_refused_with_the_remedy(client: Client, db: None) -> None:
    answer = client.get("/", headers={"Host": "evil.example"})

    assert answer.status_code == 400
    assert "add the name evil.example to hosts in foyer.yaml" in answer.text
    assert answer["Content-Security-Policy"] == POLICY


@pytest.mark.parametrize("host", ["localhost", "localhost:5000", "127.0.0.1:8080", "[::1]:5000"])
def test_loopback_host_always_works(client: Client, db: None, host: str) -> None:
    assert client.get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_probes_may_ask_by_any_name(client: Client, db: None, path: str) -> None:
    assert client.get(path, headers={"Host": "10.1.2.3"}).status_code != 400


def test_body_that_is_too_large_is_refused_before_it_is_read(client: Client, db: None) -> None:
    answer = client.post("/register", {"username": "x" * 70_000}, headers={"Accept": "text/html"})

    assert answer.status_code == 413
    assert "You sent more than this form takes." in answer.text


def test_body_without_a_length_is_refused() -> None:
    request = RequestFactory().post("/register", headers={"Transfer-Encoding": "chunked", "Accept": "text/html"})
    del request.META["CONTENT_LENGTH"]

    assert Edge(empty)(request).status_code == 411


@pytest.mark.parametrize("length", ["-1", "ten", "٣"])
def test_length_that_is_no_number_is_refused(length: str) -> None:
    request = RequestFactory().post("/register")
    request.META["CONTENT_LENGTH"] = length

    assert Edge(empty)(request).status_code == 400


def test_program_that_is_refused_gets_json(client: Client, db: None) -> None:
    answer = client.post("/register", {"username": "x" * 70_000})

    assert answer.status_code == 413
    assert answer.json() == {
        "code": "body-too-large",
        "sentence": "You sent more than this form takes. Go back and shorten it.",
        "request_id": answer["X-Request-Id"],
    }


def test_page_that_does_not_exist_says_so_and_leads_on(client: Client, db: None) -> None:
    answer = client.get("/some/where/else")

    assert answer.status_code == 404
    assert "<h1>There is nothing here</h1>" in answer.text
    assert answer["X-Request-Id"] in answer.text
    assert 'href="../../register"' in answer.text


def test_view_that_breaks_shows_no_traceback(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def break_down(*args: object, **more: object) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr(join, "code_in", break_down)
    client.raise_request_exception = False

    answer = client.get("/register", headers={"Accept-Language": "de"})

    assert answer.status_code == 500
    assert "a secret detail" not in answer.text
    assert answer["X-Request-Id"] in answer.text
    assert '<html lang="de"' in answer.text
    assert answer["Content-Security-Policy"] == POLICY


class TooMany(Refusal):
    code = "too-many-tries"
    status = 429
    sentence = "Too many tries."

    def __init__(self, retry_after: float) -> None:
        super().__init__()
        self.retry_after = retry_after


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "in 1 second."), (42.2, "in 43 seconds."), (600, "in 10 minutes."), (7200, "in 2 hours.")],
)
def test_refusal_for_too_many_tries_says_when_to_come_back(seconds: float, words: str) -> None:
    request = RequestFactory().get("/register")

    answer = errors.refused(request, TooMany(seconds))

    assert answer.status_code == 429
    assert int(answer["Retry-After"]) >= seconds
    assert f"Try again {words}" in answer.text
    assert "Too many tries." in answer.text


def test_refusal_of_403_has_the_page_of_a_closed_door() -> None:
    assert "This door stays closed" in errors.forbidden(RequestFactory().get("/x"), Exception()).text


def test_refusal_writes_no_invitation_into_the_log(
    client: Client, make_invite: MakeInvite, caplog: pytest.LogCaptureFixture
) -> None:
    make_invite(used=1)

    assert client.get(f"/i/{CODE}").status_code == 410
    assert CODE not in caplog.text


def test_form_that_broke_off_makes_no_account_with_half_a_password(
    client: Client, make_invite: MakeInvite, db: None
) -> None:
    make_invite()
    body = f"token={CODE}&username=maria&password=correct horse"

    broken_off: dict[str, Any] = {"CONTENT_LENGTH": str(len(body) + 20), "wsgi.input": io.BytesIO(body.encode())}
    kind = "application/x-www-form-urlencoded"

    answer = client.generic("POST", "/register", body, kind, headers={"Accept": "text/html"}, **broken_off)

    assert answer.status_code == 400
    assert "sent something we cannot read" in answer.text
