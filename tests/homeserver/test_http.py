"""What each way of failing means for what was asked."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine

from dev.processes import free_port
from dev.proxy import ChaosProxy, Cut, Status
from foyer.homeserver.errors import Busy, HomeserverError, Misconfigured, Unreachable
from foyer.homeserver.http import Client, segment
from foyer.homeserver.wire import MAX_ANSWER_BYTES
from tests.homeserver.servers import AUTHORITY, sending, tls_in_front_of

TIMEOUT = timedelta(seconds=1)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.fixture
def proxy() -> Iterator[ChaosProxy]:
    """A proxy before nothing: it gives the answers that it is told to give."""
    with ChaosProxy("http://127.0.0.1:9") as running:
        yield running


def _ask(url: str, *, verify_tls: bool | Path = True, writes: bool = True) -> HomeserverError:
    client = Client(url, timeout=TIMEOUT, verify_tls=verify_tls)
    with pytest.raises(HomeserverError) as error:
        client.call("POST", "/_matrix/client/v3/login", {"password": "of-somebody"}, writes=writes)
    assert "of-somebody" not in f"{error.value!r} {error.value.detail}"
    return error.value


def _is_maybe_done(error: HomeserverError) -> bool:
    assert isinstance(error, Unreachable)
    return error.maybe_done


def test_call_to_a_closed_port_was_surely_not_done() -> None:
    error = _ask(f"http://127.0.0.1:{free_port()}")

    assert not _is_maybe_done(error)
    assert "Connection refused" in error.detail


def test_call_to_a_name_that_does_not_exist_was_surely_not_done() -> None:
    assert not _is_maybe_done(_ask("http://homeserver.invalid:8008"))


def test_call_to_a_server_that_takes_no_connection_times_out_and_was_surely_not_done() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        waiting = [socket.socket() for _ in range(3)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", port))
        begun = time.monotonic()

        error = _ask(f"http://127.0.0.1:{port}")

        assert not _is_maybe_done(error)
        assert time.monotonic() - begun < 60  # Linux itself gives up after two minutes
        for each in waiting:
            each.close()


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([], id="closed without a word"),
        pytest.param([b"\x16\x03\x01 this is not HTTP\r\n\r\n"], id="not HTTP"),
        pytest.param([HEAD + b"Content-Length: 20\r\n\r\n", b'{"user_id"'], id="cut off"),
        pytest.param([HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"zz\r\n"], id="broken chunk"),
        pytest.param([HEAD + b"Content-Length: 21\r\n\r\n<html>Hello!</html>  "], id="not JSON"),
        pytest.param([HEAD + b"Content-Length: 2\r\n\r\n[]"], id="not an object"),
        pytest.param([HEAD + b"Content-Length: 100000\r\n\r\n", b"[" * 100_000], id="too deep"),
        pytest.param([HEAD + b"\r\n", b'{"a": "' + b"x" * MAX_ANSWER_BYTES], id="too long"),
        pytest.param([HEAD + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"[:-2], b"\x1f\x8b"], id="packed"),
    ],
)
def test_call_answered_with_nonsense_may_have_been_done(pieces: list[bytes]) -> None:
    with sending(*pieces) as url:
        assert _is_maybe_done(_ask(url))
        assert not _is_maybe_done(_ask(url, writes=False))


def test_call_answered_in_drops_ends_in_time() -> None:
    begun = time.monotonic()

    with sending(HEAD + b"Content-Length: 100\r\n\r\n", *[b" "] * 600, pause=0.2) as url:
        assert _is_maybe_done(_ask(url))

    assert time.monotonic() - begun < 60


def test_call_cut_off_is_not_sent_again(proxy: ChaosProxy) -> None:
    proxy.add(Cut())

    assert _is_maybe_done(_ask(proxy.url))

    assert proxy.count() == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
def test_call_answered_with_a_server_error_may_have_been_done(proxy: ChaosProxy, status: int) -> None:
    proxy.add(Status(status, "<html>Bad gateway</html>"))

    assert _is_maybe_done(_ask(proxy.url))


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_call_redirected_is_not_followed_and_says_where_to(proxy: ChaosProxy, status: int) -> None:
    proxy.add(Status(status, "", {"Location": "https://hs.example.org/_matrix?access_token=hidden#x"}))

    error = _ask(proxy.url)

    assert isinstance(error, Misconfigured)
    assert "https://hs.example.org/_matrix)" in error.remedy
    assert "homeserver.url" in error.remedy
    assert "hidden" not in error.remedy
    assert proxy.count() == 1


@pytest.mark.parametrize(
    ("body", "headers", "seconds"),
    [
        ('{"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 2500}', {"Retry-After": "99"}, 2.5),
        ('{"errcode": "M_LIMIT_EXCEEDED"}', {"Retry-After": "42"}, 42.0),
        ('{"errcode": "M_LIMIT_EXCEEDED"}', {"Retry-After": "Fri, 01 Jan 2027 00:01:00 GMT"}, 60.0),
        ('{"errcode": "M_LIMIT_EXCEEDED"}', {}, 10.0),
        ('{"errcode": "M_LIMIT_EXCEEDED"}', {"Retry-After": "soon"}, 10.0),
        ('{"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 0}', {}, 1.0),
        ('{"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": -5}', {}, 1.0),
        ('{"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 1' + "0" * 400 + "}", {}, 3600.0),
        ('{"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": NaN}', {}, 10.0),
        ('{"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": "no number"}', {"Retry-After": "9" * 400}, 10.0),
        ("<html>Slow down</html>", {}, 10.0),
    ],
)
@time_machine.travel("2027-01-01T00:00:00Z", tick=False)
def test_call_answered_with_429_says_when_to_come_back(
    proxy: ChaosProxy, body: str, headers: dict[str, str], seconds: float
) -> None:
    proxy.add(Status(429, body, headers))

    error = _ask(proxy.url)

    assert isinstance(error, Busy)
    assert error.retry_after == seconds


def test_call_answered_with_an_error_is_an_answer(proxy: ChaosProxy) -> None:
    proxy.add(Status(403, '{"errcode": "M_FORBIDDEN", "error": "No."}'))

    answer = Client(proxy.url, timeout=TIMEOUT).call("POST", "/x", {})

    assert (answer.ok, answer.is_matrix, answer.status, answer.errcode, answer.error) == (
        False,
        True,
        403,
        "M_FORBIDDEN",
        "No.",
    )


def test_call_puts_the_path_of_the_url_first_and_encodes_ids(proxy: ChaosProxy) -> None:
    proxy.add(Status(200))

    Client(proxy.url + "/matrix/", timeout=TIMEOUT).get(f"/users/{segment('@a/b:example.org')}", query={"q": "ä&b"})

    assert [seen.path for seen in proxy.seen] == ["/matrix/users/%40a%2Fb%3Aexample.org?q=%C3%A4%26b"]


def test_call_that_fails_names_nobody_in_the_log(proxy: ChaosProxy) -> None:
    proxy.add(Cut())

    with pytest.raises(Unreachable) as error:
        Client(proxy.url, timeout=TIMEOUT).get(f"/users/{segment('@maria:example.org')}", token="a-secret-token")

    assert "GET /users/*" in error.value.detail
    assert "maria" not in error.value.detail
    assert "a-secret-token" not in repr(error.value)


def test_within_ends_several_calls_together(proxy: ChaosProxy) -> None:
    proxy.add(Status(200))
    client = Client(proxy.url, timeout=TIMEOUT)

    with client.within(0.2):
        assert client.get("/x").ok
        time.sleep(0.25)
        with pytest.raises(Unreachable) as error:
            client.call("POST", "/x", {})

    assert not error.value.maybe_done
    assert client.get("/x").ok
    assert proxy.count() == 2


def test_connection_that_was_quiet_for_long_is_not_used_again(
    proxy: ChaosProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy.add(Status(200, "{}"))
    client = Client(proxy.url, timeout=TIMEOUT)
    client.get("/")
    (first,) = client._idle

    monkeypatch.setattr("foyer.homeserver.http.LONGEST_IDLE_SECONDS", 0.0)
    client.get("/")

    assert first not in client._idle
    assert first.sock is None


def test_call_keeps_its_connection(proxy: ChaosProxy) -> None:
    proxy.add(Status(200))
    client = Client(proxy.url, timeout=TIMEOUT)

    begun = len(proxy._server.open_sockets) if proxy._server else 0
    for _ in range(5):
        client.get("/x")

    assert proxy._server
    assert len(proxy._server.open_sockets) - begun == 1


def test_tls_with_a_private_authority_works_when_it_is_named(proxy: ChaosProxy) -> None:
    proxy.add(Status(200))

    with tls_in_front_of(proxy.port, "good.pem") as url:
        assert Client(url, timeout=TIMEOUT, verify_tls=AUTHORITY).get("/x").ok


@pytest.mark.parametrize("certificate", ["good.pem", "expired.pem", "other-name.pem"])
def test_tls_unchecked_works_with_any_certificate(proxy: ChaosProxy, certificate: str) -> None:
    proxy.add(Status(200))

    with tls_in_front_of(proxy.port, certificate) as url:
        assert Client(url, timeout=TIMEOUT, verify_tls=False).get("/x").ok


@pytest.mark.parametrize(
    ("certificate", "verify_tls", "why"),
    [
        ("good.pem", True, "unable to get local issuer certificate"),
        ("expired.pem", AUTHORITY, "certificate has expired"),
        ("other-name.pem", AUTHORITY, "IP address mismatch"),
    ],
)
def test_tls_with_a_certificate_that_is_not_trusted_names_the_key_and_sends_nothing(
    proxy: ChaosProxy, certificate: str, verify_tls: bool | Path, why: str
) -> None:
    with tls_in_front_of(proxy.port, certificate) as url:
        error = _ask(url, verify_tls=verify_tls)

    assert isinstance(error, Misconfigured)
    assert why in error.remedy
    assert "homeserver.verify_tls" in error.remedy
    assert proxy.count() == 0


def test_tls_where_none_is_spoken_says_so(proxy: ChaosProxy) -> None:
    error = _ask(proxy.url.replace("http:", "https:"))

    assert isinstance(error, Misconfigured)
    assert "does not speak TLS" in error.remedy


def test_tls_server_asked_without_tls_was_surely_not_done_or_misconfigured(proxy: ChaosProxy) -> None:
    with tls_in_front_of(proxy.port, "good.pem") as url:
        error = _ask(url.replace("https:", "http:"))

    assert isinstance(error, Unreachable)
    assert proxy.count() == 0


def test_tls_with_an_authority_that_cannot_be_read_names_the_key(tmp_path: Path) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("this is no certificate")
    for path in (broken, tmp_path / "missing.pem"):
        error = _ask("https://127.0.0.1:1", verify_tls=path)

        assert isinstance(error, Misconfigured)
        assert error.remedy.startswith(f"homeserver.verify_tls: {path}")


DRIPS = {
    "status": [b"HTTP/1.1 20", *[b"0"] * 600],
    "headers": [b"HTTP/1.1 200 OK\r\n", *[b"X-A: b\r\n"] * 600],
    "chunks": [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *[b"0"] * 600],
    "body": [b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", *[b" "] * 600],
    "continue": [b"HTTP/1.1 100 Continue\r\n\r\n"] * 600,
}


@contextlib.contextmanager
def dripping(parts: Iterable[bytes], seconds: float) -> Iterator[str]:
    """A server that answers once, in parts that are so far apart."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection, contextlib.suppress(OSError):
                asked = b""
                while not asked.endswith(b"\r\n\r\n{}"):  # closing with something unread would reset the connection
                    asked += connection.recv(65536)
                for part in parts:
                    connection.sendall(part)
                    time.sleep(seconds)

        thread = threading.Thread(target=answer)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join()


@pytest.mark.parametrize("what", DRIPS)
def test_call_to_a_server_that_drips_ends_with_the_timeout(what: str) -> None:
    with dripping(DRIPS[what], 0.1) as url:
        begun = time.monotonic()

        with pytest.raises(Unreachable) as error:
            Client(url, timeout=timedelta(seconds=0.3)).call("POST", "/x", {})

        assert time.monotonic() - begun < 30  # it would go on for a minute
        assert error.value.maybe_done


def test_answer_that_closes_the_connection_is_read_to_its_end() -> None:
    parts = [b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", b'{"a": ', b'"b"}']

    with dripping(parts, 0.05) as url:
        assert Client(url, timeout=TIMEOUT).call("POST", "/x", {}).text("a") == "b"
