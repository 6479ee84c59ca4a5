"""The limits of a real server with two processes."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.support.server import running_foyer

FORM = b"username=maria&password=verysecure&confirm=verysecure&token=NoSuchToken"


def post(url: str, forwarded_for: str = "") -> int:
    """Try to register, and return the status; -1 for a 429 that does not say when to come back."""
    headers = {"Accept": "application/json"} | ({"X-Forwarded-For": forwarded_for} if forwarded_for else {})
    request = urllib.request.Request(f"{url}/register", data=FORM, headers=headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            says_when = error.code != 429 or int(error.headers["Retry-After"]) > 0
            return error.code if says_when else -1


def test_two_processes_let_exactly_as_many_through_as_the_rate_says(tmp_path: Path) -> None:
    with (
        running_foyer(
            tmp_path,
            processes=2,
            screening={"join_per_ip": "10/day", "join_overall": "25/day"},
            trusted_proxies=["127.0.0.1"],
        ) as foyer,
        ThreadPoolExecutor(12) as pool,
    ):
        one = Counter(pool.map(lambda _: post(foyer.url, "192.0.2.1"), range(30)))
        # Somebody who claims another IP each time is still known by what the proxy adds.
        liar = Counter(pool.map(lambda number: post(foyer.url, f"10.0.0.{number}, 192.0.2.2"), range(30)))
        hidden = Counter(pool.map(lambda _: post(foyer.url), range(30)))

    assert one == {400: 10, 429: 20}
    assert liar == {400: 10, 429: 20}
    assert hidden == {400: 5, 429: 25}
