"""What the pattern of a rule may be, and what it matches.

| about   | pattern                             | matches                                                            |
|---------|-------------------------------------|--------------------------------------------------------------------|
| name    | a regular expression                | the whole name, as it is or as it looks: `admin` matches `4dm1n`   |
| email   | a regular expression                | the whole email, as given or without its tag, in small letters     |
| domain  | a domain                            | emails of this domain, and of all below it                         |
| domain  | `disposable`                        | emails of every provider of throw-away mailboxes that is known     |
| network | an IP, or a network (`192.0.2.0/24`)| clients from there; one whose IP is not known is from nowhere      |
"""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network

import structlog

from foyer.kit.client_ip import ClientAddress
from foyer.kit.folding import SIGNS, folded, mailbox, skeleton
from foyer.screening import disposable
from foyer.screening.expressions import LONGEST_SUBJECT, compiled_folded, compiled_plain, names_a_sign, require_safe
from foyer.screening.models import About
from foyer.screening.rule_errors import (
    DomainMalformed,
    MatchesEverybody,
    NetworkMalformed,
    NetworkTooWide,
    PatternMissing,
    PatternRefused,
)

WIDEST = {4: 4, 6: 12}
ANYBODY = ("q7wzk", "marta.neumann", "xi-0")
DOMAIN = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9-]{1,63}(?<!-))*")
log = structlog.get_logger(__name__)


def checked(about: About, pattern: str) -> str:
    """Return the pattern as it is kept.

    Raises:
        PatternRefused: the kind that says why it cannot be.
    """
    text = pattern.strip().replace("\0", "")
    if not text:
        raise PatternMissing
    match about:
        case About.DOMAIN:
            return _checked_domain(text)
        case About.NETWORK:
            return _checked_network(text)
        case _:
            require_safe(text)
            if all(matches(about, text, name=name, email=f"{name}@{name}.example") for name in ANYBODY):
                raise MatchesEverybody
            return text


def _checked_domain(text: str) -> str:
    domain = text.rpartition("@")[2].removeprefix("*").strip(".").lower()
    try:
        domain = domain.encode("idna").decode()
    except UnicodeError:
        raise DomainMalformed from None
    if len(domain) > 253 or not DOMAIN.fullmatch(domain):
        raise DomainMalformed
    return domain


def _checked_network(text: str) -> str:
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise NetworkMalformed from None
    if network.prefixlen < WIDEST[network.version]:
        raise NetworkTooWide
    return str(network.network_address) if network.num_addresses == 1 else str(network)


def matches(about: str, pattern: str, *, name: str = "", email: str = "", client: ClientAddress | None = None) -> bool:
    """Say whether a kept pattern matches. What is empty, or not known, is never matched."""
    try:
        match about:
            case About.NAME:
                return bool(name) and _name_matches(pattern, name)
            case About.EMAIL:
                return bool(email) and _email_matches(pattern, email)
            case About.DOMAIN:
                if pattern == disposable.ALL:
                    return bool(email) and bool(disposable.provider(email))
                domain = _domain_of(email)
                return bool(domain) and (domain == pattern or domain.endswith(f".{pattern}"))
            case About.NETWORK:
                return client is not None and client.is_known and ip_address(client.ip) in ip_network(pattern)
    except (PatternRefused, ValueError):
        # Kept by another version, or put there by hand. One bad rule must not close the door.
        log.error("a rule cannot be read, and does nothing", about=about, pattern=pattern)
    return False


def _name_matches(pattern: str, name: str) -> bool:
    name = name.lower()[:LONGEST_SUBJECT]
    if compiled_plain(pattern).matches_whole(name):
        return True
    looks = _folded_with_signs(name) if names_a_sign(pattern) else skeleton(name)
    return bool(looks) and compiled_folded(pattern).matches_whole(looks)


def _folded_with_signs(name: str) -> str:
    return "".join(folded(part) for part in re.split(f"([{re.escape(SIGNS)}])", name))


def _email_matches(pattern: str, email: str) -> bool:
    compiled = compiled_plain(pattern)
    return any(compiled.matches_whole(text[:LONGEST_SUBJECT]) for text in {email.strip().casefold(), mailbox(email)})


def _domain_of(email: str) -> str:
    domain = email.strip().rpartition("@")[2].lower().rstrip(".")
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        return domain
