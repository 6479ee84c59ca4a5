"""What a request may claim of its charset, through the whole application."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

import pytest

from dev.site import Site
from foyer.homeserver.memory import MemoryHomeserver

pytestmark = pytest.mark.django_db(transaction=True)
ODD = [
    "charset=hex",
    "charset=rot13",
    "charset=idna",
    "charset=undefined",
    "charset*=nothing''utf-8",
    "charset=latin-1",
]
FORM = b'--x\r\nContent-Disposition: form-data; name="token"\r\n\r\n\xff\r\n--x--\r\n'


def send(method: str, path: str, kind: str, body: bytes = b"") -> http.client.HTTPResponse:
    with Site() as site:
        connection = http.client.HTTPConnection(urlsplit(site.url).netloc, timeout=60)
        connection.request(method, path, body, {"Content-Type": kind, "Accept": "text/html"})
        answer = connection.getresponse()
        answer.read()
        connection.close()
    return answer


@pytest.mark.parametrize("charset", ODD)
def test_address_with_an_odd_charset_claimed_is_read_as_utf_8(homeserver: MemoryHomeserver, charset: str) -> None:
    answer = send("GET", "/register?token=%ff&lang=de", f"text/plain; {charset}")

    assert (answer.status, answer.headers["Content-Language"]) == (404, "de")


@pytest.mark.parametrize("charset", ODD)
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_form_in_another_charset_is_refused(homeserver: MemoryHomeserver, kind: str, charset: str) -> None:
    assert send("POST", "/register", f"{kind}; {charset}", FORM).status == 400


@pytest.mark.parametrize("charset", ["charset=UTF-8", 'charset="utf-8"'])
def test_form_in_utf_8_is_read(homeserver: MemoryHomeserver, charset: str) -> None:
    assert send("POST", "/register", f"application/x-www-form-urlencoded; {charset}", b"token=Nothing").status == 404
