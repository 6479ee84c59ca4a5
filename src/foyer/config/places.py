"""Reading places: servers, URLs, networks, mail addresses, rooms. As in `values`, ValueError has the remedy."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

from foyer.config.values import NO, items, text
from foyer.kit.client_ip import Network

PRIVATE_NETWORKS: tuple[Network, ...] = tuple(
    ip_network(network)
    for network in ("127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fe80::/10")
)
LONGEST_SERVER_NAME = 230

_LABELS = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*")
_PORT = re.compile(r"[0-9]{1,5}")
_EMAIL = re.compile(r"[^\s@<>,;:\"()\[\]]{1,64}@[^\s@<>,;:\"()\[\]]{1,255}")
_NAMED_EMAIL = re.compile(r"[^<>\r\n]*<([^<>]*)>")
_LOCALPART = re.compile(r"[a-z0-9=_./+-]{1,255}")


@dataclass(frozen=True, slots=True)
class Listen:
    """The address that Foyer listens on."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _is_host(name: str) -> bool:
    if name.startswith("[") and name.endswith("]"):
        name = name[1:-1]
        if ":" not in name or "%" in name:
            return False
    try:
        ip_address(name)
    except ValueError:
        return len(name) <= 255 and ":" not in name and _LABELS.fullmatch(name) is not None
    return True


def _host_and_port(value: str) -> tuple[str, str | None]:
    """Split `host:port`, `[::1]:port`, `host`. The host is empty where it cannot be one."""
    host, colon, port = value.rpartition(":")
    if not colon or value.endswith("]"):
        host, port = value, ""
    if not _is_host(host) or (":" in host and not host.startswith("[")):
        return "", None
    if not colon or value.endswith("]"):
        return host, None
    return host if _PORT.fullmatch(port) and 1 <= int(port) <= 65_535 else "", port


def server_name(value: Any) -> str:
    """Return a Matrix server name: https://spec.matrix.org/v1.11/appendices/#server-name."""
    name = text(value)
    if not _host_and_port(name)[0] or "_" in name or len(name) > LONGEST_SERVER_NAME:
        raise ValueError("Write only what follows the colon in a Matrix address, such as example.org.")
    return name


def host(value: Any) -> str:
    """Return a host name or IP, in small letters, IPv6 in brackets as in a Host header."""
    name = text(value).lower()
    if not _is_host(name):
        raise ValueError("Write a host name alone, such as join.example.org: no scheme, no port, no *.")
    return f"[{name}]" if ":" in name and not name.startswith("[") else name


def mail_host(value: Any) -> str:
    """Return a host name or IP as a socket takes it."""
    return host(value).strip("[]")


def _web_url(value: Any, example: str) -> str:
    url = text(value)
    remedy = f"Write the whole URL, such as {example}."
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.lower() not in {"http", "https"} or re.search(r"[\s\\<>\"`{|}^]", rest):
        raise ValueError(remedy)
    try:
        parts = urlsplit(url)
        if "@" in parts.netloc:
            raise ValueError("Remove the user name and password from it.")
    except ValueError as error:
        raise ValueError(str(error) if "Remove" in str(error) else remedy) from None
    if not _host_and_port(parts.netloc)[0]:
        raise ValueError(remedy if url.isascii() else f"{remedy} Letters other than a-z are written in the xn-- form.")
    return f"{scheme.lower()}://{parts.netloc.lower()}{url[len(scheme) + 3 + len(parts.netloc) :]}"


def base_url(example: str) -> Callable[[Any], str]:
    """Return a reader of URLs that paths are added to: no query, no slash at the end."""

    def read(value: Any) -> str:
        url = _web_url(value, example).rstrip("/")
        path = urlsplit(url).path
        if "?" in url or "#" in url:
            raise ValueError("Remove everything from ? or # on.")
        if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)*", path) or {".", ".."} & set(path.split("/")):
            raise ValueError("The path may hold letters, digits, and . _ ~ - between single slashes.")
        return url

    return read


def homeserver_url(value: Any) -> str:
    """Return where the homeserver's client API begins."""
    url = base_url("http://127.0.0.1:8008")(value)
    if "/_matrix" in url or "/_synapse" in url:
        raise ValueError("Remove the path: Foyer adds /_matrix and /_synapse itself.")
    return url


def link(value: Any) -> str:
    """Return a URL that people follow."""
    return _web_url(value, "https://example.org/privacy")


def origin(value: Any) -> str:
    """Return the origin of web pages, or `*` for all."""
    if value == "*":
        return "*"
    url = base_url("https://example.org")(value)
    if urlsplit(url).path:
        raise ValueError("Write scheme and host alone, such as https://example.org, or *.")
    return without_default_port(url)


def without_default_port(url: str) -> str:
    """Return an origin as browsers write it."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.removesuffix(':443' if scheme == 'https' else ':80')}"


def email(value: Any) -> str:
    """Return an email address. That it can be reached only a mail can tell."""
    address = text(value)
    if not _EMAIL.fullmatch(address) or not _is_host(address.rpartition("@")[2]):
        raise ValueError("Write an email address, such as team@example.org.")
    return address


def sender(value: Any) -> str:
    """Return the From of a mail: `join@example.org` or `Example <join@example.org>`."""
    line = text(value)
    named = _NAMED_EMAIL.fullmatch(line)
    try:
        email(named[1] if named else line)
    except ValueError:
        raise ValueError("Write join@example.org, or Example <join@example.org>.") from None
    return line


def room(value: Any) -> str:
    """Return a room ID or a room alias."""
    name = text(value)
    known = name.startswith("!") and len(name) > 1 and not re.search(r"\s", name)
    alias, colon, server = name.partition(":")
    if name.startswith("#") and colon and len(alias) > 1 and not re.search(r"\s", name):
        known = bool(_host_and_port(server)[0])
    if not known or len(name.encode()) > 255:
        raise ValueError("Write a room alias such as '#welcome:example.org', or a room ID such as '!abc:example.org'.")
    return name


def localpart(value: Any) -> str:
    """Return a user name without @ and server."""
    name = text(value).lower().removeprefix("@")
    if not _LOCALPART.fullmatch(name):
        raise ValueError("Write a user name alone: letters from a to z, digits, and . _ = - / +.")
    return name


def listen(value: Any) -> Listen:
    """Return host and port to listen on."""
    if isinstance(value, Listen):
        return value
    name, port = _host_and_port(text(value))
    if not name or port is None:
        raise ValueError("Write host and port, such as 127.0.0.1:5000 or [::1]:5000.")
    return Listen(name.strip("[]"), int(port))


def networks(value: Any) -> tuple[Network, ...]:
    """Return the networks of trusted proxies; true stands for loopback and the private ones."""
    word = str(value).strip().lower()
    if word == "true" or word in NO:
        return PRIVATE_NETWORKS if word == "true" else ()
    return tuple(_network(item) for item in items(value))


def _network(value: Any) -> Network:
    try:
        found = ip_network(str(value).strip(), strict=False)
    except ValueError:
        raise ValueError("Write true, or a list of networks such as 127.0.0.1 and 10.0.0.0/8.") from None
    if found.prefixlen == 0:
        raise ValueError(f"{found} is everybody: anyone could then choose the IP they are known by. Name the proxy's.")
    return found
