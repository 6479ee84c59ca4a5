"""Which IP a request comes from, when proxies stand between.

Every proxy appends the peer it saw to X-Forwarded-For, so only the right end can be believed, and only
as far as the proxies are ours. What stands further left is the client's own claim.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network
IPV6_SUBNET_BITS = 64


@dataclass(frozen=True, slots=True)
class ClientAddress:
    """The client's IP, as far as it can be believed.

    `is_known` is false where a proxy hides the client: the peer is loopback, or one of our proxies, and no
    believed header tells more. Then every visitor looks alike, and limits for one IP must not be applied.
    """

    ip: str
    is_known: bool

    @property
    def subnet(self) -> str:
        """Return what one subscriber usually holds: the IPv4 address itself, or the IPv6 /64."""
        address = ip_address(self.ip)
        if isinstance(address, IPv4Address):
            return str(address)
        return str(ip_network((address, IPV6_SUBNET_BITS), strict=False))


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def client_ip(peer: str, forwarded_for: str, trusted: tuple[Network, ...]) -> ClientAddress:
    """Return the rightmost IP that is not one of our proxies.

    `peer` is the other end of the connection, `forwarded_for` the X-Forwarded-For header (several
    headers joined by commas), `trusted` the networks whose word is believed. Without a trusted peer the
    header is the client's own claim and is not read.
    """
    current = _parse(peer) or IPv4Address("0.0.0.0")  # noqa: S104 - an unreadable peer, not a place to listen
    is_told = not any(current in network for network in trusted)
    for hop in reversed([hop for hop in forwarded_for.split(",") if hop.strip()]):
        if not any(current in network for network in trusted):
            break
        address = _parse(hop)
        if address is None:
            break
        current, is_told = address, True
    return ClientAddress(str(current), is_known=is_told and not current.is_loopback)
