"""Reading one value."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from foyer.config import clients, places, values
from foyer.config.places import Listen
from foyer.config.values import Rate

DAY = timedelta(days=1)
Reader = Callable[[Any], Any]


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        (values.text, "  a  b ", "a  b"),
        (values.lines, "a\n\nb\n", "a\n\nb"),
        (values.notice, "{address} wants in:\n{link} {}", "{address} wants in:\n{link} {}"),
        (values.flag, "YES", True),
        (values.flag, False, False),
        (values.flag, "off", False),
        (values.whole(1, 10), " 10 ", 10),
        (values.whole_or("unlimited", 1, 10), "Unlimited", None),
        (values.whole_or("unlimited", 1, 10), None, None),
        (values.whole_or("unlimited", 1, 10), 3, 3),
        (values.duration(DAY, 9 * DAY), "36h", timedelta(hours=36)),
        (values.duration(DAY, 9 * DAY), 2 * DAY, 2 * DAY),
        (values.duration_or("never", DAY, 9 * DAY), "never", None),
        (values.duration_or("never", DAY, 9 * DAY), "1w", 7 * DAY),
        (values.items, "a, b,", ["a", "b"]),
        (values.items, '["a,b", "c"]', ["a,b", "c"]),
        (values.items, "", []),
        (values.items, "[::1]", ["[::1]"]),
        (values.ways, "application,invitation,application", ["application", "invitation"]),
        (values.patterns, "[a-z]{1,3}", ["[a-z]{1,3}"]),
        (values.patterns, '["[a-z]{1,3}"]', ["[a-z]{1,3}"]),
        (values.rates, "10/minute, 100 per day", (Rate(10, 60), Rate(100, 86_400))),
        (values.rates, [Rate(1, 1)], (Rate(1, 1),)),
        (values.colour, "#AbC", "#aabbcc"),
        (values.slug, "reason_2", "reason_2"),
        (places.server_name, "example.org:8448", "example.org:8448"),
        (places.server_name, "[2001:db8::1]:8448", "[2001:db8::1]:8448"),
        (places.server_name, "192.0.2.1", "192.0.2.1"),
        (places.host, "Join.Example.org", "join.example.org"),
        (places.host, "2001:db8::1", "[2001:db8::1]"),
        (places.mail_host, "2001:db8::1", "2001:db8::1"),
        (places.base_url("x"), "HTTPS://Join.Example.org/Front/", "https://join.example.org/Front"),
        (places.base_url("x"), "http://[::1]:5000", "http://[::1]:5000"),
        (places.homeserver_url, "http://localhost:8008/", "http://localhost:8008"),
        (places.link, "https://example.org/a?b=c#d", "https://example.org/a?b=c#d"),
        (places.origin, "https://example.org:443", "https://example.org"),
        (places.origin, "*", "*"),
        (places.email, "team@example.org", "team@example.org"),
        (places.sender, "Example <join@example.org>", "Example <join@example.org>"),
        (places.room, "#welcome:example.org", "#welcome:example.org"),
        (places.room, "!31hneApxJ_1o-63DmFrpeqnkFfWppnzWso1JvH3ogLM", "!31hneApxJ_1o-63DmFrpeqnkFfWppnzWso1JvH3ogLM"),
        (places.localpart, "@Admin", "admin"),
        (places.listen, "[::1]:80", Listen("::1", 80)),
        (places.listen, Listen("a", 1), Listen("a", 1)),
        (places.networks, "TRUE", places.PRIVATE_NETWORKS),
        (places.networks, False, ()),
        (clients.client, "element-x", "element-x"),
        (clients.client, {"name": "Ours", "url": "https://a.b"}, clients.OwnClient("Ours", "https://a.b")),
        (clients.client, clients.OwnClient("Ours", "https://a.b"), clients.OwnClient("Ours", "https://a.b")),
    ],
)
def test_value_that_is_right_is_read(read: Reader, value: Any, expected: Any) -> None:
    assert read(value) == expected


@pytest.mark.parametrize(
    ("read", "wrong", "sentence"),
    [
        (values.text, ["  "], "This is empty. Give a value, or remove the line."),
        (values.text, ["a\nb", "\x1b[31m"], "Write it on one line, without control characters."),
        (values.text, [3, True, 0.1], "Text is meant here. Put the value in quotes."),
        (values.text, [None, [], {}], "Give one value here."),
        (values.secret, [""], "This is empty. Give the secret, or remove the line."),
        (values.secret, ["a\nb", "a\0"], "The secret must be one line, without control characters."),
        (values.secret, [12], "Text is meant here. Put the value in quotes."),
        (values.flag, ["maybe", None, 2, []], "Write true or false."),
        (values.whole(1, 9), ["0", "10", "1.5", "x", True, None, "9" * 5000], "Write a whole number from 1 to 9."),
        (values.whole_or("none", 1, 9), ["0", "nine"], "Write a whole number from 1 to 9, or none."),
        (
            values.duration(DAY, 9 * DAY),
            ["1", "x", "1y", [], None],
            "Write a number and a unit: 90s, 15m, 12h, 7d or 2w.",
        ),
        (values.duration(DAY, 9 * DAY), ["1h", "10d"], "Write a duration from 1d to 9d."),
        (values.duration_or("never", DAY, 9 * DAY), ["1h"], "Write a duration from 1d to 9d, or never."),
        (values.items, [3, {}, None], "Give a list here: a line for each entry, each beginning with a dash."),
        (values.items, ['["a"', "[{}", '{"a": 1}'], 'This list is not valid JSON. Write it as ["one", "two"].'),
        (values.ways, [[], "", ","], "Nobody could come in. Write invitation, application, or both."),
        (
            values.pattern,
            ["[a-z"],
            "This is not a regular expression of Python's: unterminated character set at position 0.",
        ),
        (values.pattern, ["a{99999999999}"], "This regular expression is too big."),
        (
            values.rates,
            ["", "10", "0/minute", "10/year", "x", [3]],
            "Write how many, a slash, and second, minute, hour or day, such as 10/minute, 100/day.",
        ),
        (values.colour, ["red", "#12345", "0b6e4f"], 'Write a colour in quotes, such as "#0b6e4f".'),
        (values.slug, ["B", "1a", "a" * 33], "Write up to 32 small letters, digits, _ and -, beginning with a letter."),
        (
            places.server_name,
            [
                "https://a.b",
                "@a:b.c",
                "a_b.c",
                "a b",
                "a..b",
                "-a.b",
                "a.b:0",
                "a.b:99999",
                "a.b:x",
                "2001:db8::1",
                "[::1",
                "ü.de",
            ],
            "Write only what follows the colon in a Matrix address, such as example.org.",
        ),
        (
            places.host,
            ["https://a.b", "a.b:80", "*", "*.a.b", "a/b", "[::1%25eth0]"],
            "Write a host name alone, such as join.example.org: no scheme, no port, no *.",
        ),
        (
            places.homeserver_url,
            [
                "localhost:8008",
                "ftp://a.b",
                "http://",
                "//a.b",
                "http://a b",
                "http://[::1",
                "http://a.b:0",
                "http://:80",
            ],
            "Write the whole URL, such as http://127.0.0.1:8008.",
        ),
        (
            places.homeserver_url,
            ["http://bücher.example"],
            "Write the whole URL, such as http://127.0.0.1:8008. Letters other than a-z are written in the xn-- form.",
        ),
        (places.homeserver_url, ["http://u:p@a.b", "http://u@a.b"], "Remove the user name and password from it."),
        (places.homeserver_url, ["http://a.b/?c", "http://a.b#"], "Remove everything from ? or # on."),
        (
            places.homeserver_url,
            ["http://a.b/_matrix", "http://a.b/_synapse/admin"],
            "Remove the path: Foyer adds /_matrix and /_synapse itself.",
        ),
        (
            places.base_url("x"),
            ["http://a.b//c", "http://a.b/../c", "http://a.b/%41", "http://a.b/ü"],
            "The path may hold letters, digits, and . _ ~ - between single slashes.",
        ),
        (places.origin, ["https://a.b/c"], "Write scheme and host alone, such as https://example.org, or *."),
        (places.email, ["a", "a@", "@b.c", "a b@c.d", "<a@b.c>"], "Write an email address, such as team@example.org."),
        (places.sender, ["foyer", "A <b>", "A <a@b.c"], "Write join@example.org, or Example <join@example.org>."),
        (
            places.room,
            ["welcome", "#a", "#:b.c", "!", "!a b", "#a:b c", "@a:b.c", "#" + "a" * 255 + ":b.c"],
            "Write a room alias such as '#welcome:example.org', or a room ID such as '!abc:example.org'.",
        ),
        (places.localpart, ["@", "a b", "ü"], "Write a user name alone: letters from a to z, digits, and . _ = - / +."),
        (
            places.listen,
            ["5000", ":5000", "127.0.0.1", "a:b", "::1:80", "a:0", "a b:80"],
            "Write host and port, such as 127.0.0.1:5000 or [::1]:5000.",
        ),
        (
            places.networks,
            ["yes", "10.0.0.0/99", [None]],
            "Write true, or a list of networks such as 127.0.0.1 and 10.0.0.0/8.",
        ),
        (
            places.networks,
            ["0.0.0.0/0"],
            "0.0.0.0/0 is everybody: anyone could then choose the IP they are known by. Name the proxy's.",
        ),
        (clients.client, [{"name": "a"}, {}], "A client of your own has two keys, name and url."),
        (
            clients.client,
            ["Element"],
            "Choose of element-x, element, cinny, fluffychat, nheko, schildichat, or give name and url of another.",
        ),
        (
            values.notice,
            ["{adress}", "{address} {adress}"],
            "{adress} is not known here. These are: {address}, {link}, {server}, {waiting}.",
        ),
    ],
)
def test_value_that_is_wrong_is_refused_with_the_remedy(read: Reader, wrong: list[Any], sentence: str) -> None:
    for value in wrong:
        with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
            read(value)


def test_own_file_that_is_missing_or_elsewhere_is_refused(tmp_path: Path) -> None:
    info: Any = SimpleNamespace(context={"folder": tmp_path})

    with pytest.raises(ValueError, match=f"^There is no file {tmp_path}/logo.svg that Foyer may read. Check"):
        values.own_file("logo.svg", info)
    with pytest.raises(ValueError, match=r"^Write the path of a file on this machine"):
        values.own_file("https://example.org/logo.svg", info)
    with pytest.raises(ValueError, match=r"^There is no file"):
        values.own_file("a" * 5000, info)


def test_verify_tls_is_a_flag_or_a_file(tmp_path: Path) -> None:
    info: Any = SimpleNamespace(context={"folder": tmp_path})
    (tmp_path / "ca.pem").touch()

    assert values.verify_tls("no", info) is False
    assert values.verify_tls(True, info) is True
    assert values.verify_tls("ca.pem", info) == tmp_path / "ca.pem"


def test_rate_is_written_as_it_is_read() -> None:
    assert [str(rate) for rate in values.rates("1/second,2/minute,3/hour,4/day")] == [
        "1/second",
        "2/minute",
        "3/hour",
        "4/day",
    ]


def test_networks_with_host_bits_are_those_around_the_host() -> None:
    assert [str(network) for network in places.networks("10.1.2.3/8, 192.0.2.1")] == ["10.0.0.0/8", "192.0.2.1/32"]
