from __future__ import annotations

from ipaddress import ip_network

import pytest

from foyer.kit.client_ip import client_ip

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("10.0.0.0/8"))


@pytest.mark.parametrize(
    ("peer", "header", "trusted", "ip", "known"),
    [
        ("203.0.113.9", "", (), "203.0.113.9", True),
        ("203.0.113.9", "1.2.3.4", (), "203.0.113.9", True),
        ("203.0.113.9", "1.2.3.4", LOOPBACK, "203.0.113.9", True),
        ("127.0.0.1", "", LOOPBACK, "127.0.0.1", False),
        ("127.0.0.1", "203.0.113.9", (), "127.0.0.1", False),
        ("127.0.0.1", "203.0.113.9", LOOPBACK, "203.0.113.9", True),
        ("127.0.0.1", "6.6.6.6, 203.0.113.9", LOOPBACK, "203.0.113.9", True),
        ("127.0.0.1", "203.0.113.9, 10.0.0.7", LOOPBACK, "203.0.113.9", True),
        ("127.0.0.1", "6.6.6.6, 203.0.113.9, 10.0.0.7", LOOPBACK, "203.0.113.9", True),
        ("127.0.0.1", "203.0.113.9, rubbish", LOOPBACK, "127.0.0.1", False),
        ("10.0.0.7", "", LOOPBACK, "10.0.0.7", False),
        ("127.0.0.1", "10.0.0.9", LOOPBACK, "10.0.0.9", True),
        ("127.0.0.1", "[2001:db8::1]:443", LOOPBACK, "2001:db8::1", True),
        ("127.0.0.1", "203.0.113.9:5123", LOOPBACK, "203.0.113.9", True),
        ("::ffff:203.0.113.9", "", LOOPBACK, "203.0.113.9", True),
        ("", "", (), "0.0.0.0", True),
    ],
)
def test_client_ip_behind_proxies_is_the_rightmost_one_outside_them(
    peer: str, header: str, trusted: tuple[object, ...], ip: str, known: bool
) -> None:
    address = client_ip(peer, header, trusted)  # type: ignore[arg-type]

    assert (address.ip, address.is_known) == (ip, known)


def test_subnet_of_ipv6_is_the_64_and_of_ipv4_the_address() -> None:
    assert client_ip("2001:db8:1:2:3:4:5:6", "", ()).subnet == "2001:db8:1:2::/64"
    assert client_ip("203.0.113.9", "", ()).subnet == "203.0.113.9"
