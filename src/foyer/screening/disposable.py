"""Providers of mailboxes that are thrown away after ten minutes, by the list of the package disposable-email-domains.

The list is loaded when the first email is looked at: most processes never need it.
"""

from __future__ import annotations

import functools

ALL = "disposable"
"""As the pattern of a rule about domains: every provider on the list."""


def provider(email: str) -> str:
    """Return the provider of an email if it is on the list, or below one that is; empty otherwise."""
    domain = _ascii(email.strip().rpartition("@")[2].lower().rstrip("."))
    known, welcome = _lists()
    labels = domain.split(".")
    # The whole domain, then what it is below of; the last label alone is nobody's.
    for begin in range(len(labels) - 1):
        candidate = ".".join(labels[begin:])
        if candidate in welcome:
            return ""
        if candidate in known:
            return candidate
    return ""


@functools.cache
def _lists() -> tuple[frozenset[str], frozenset[str]]:
    from disposable_email_domains import allowlist, blocklist  # ten thousand names: a tenth of a second

    return frozenset(blocklist), frozenset(allowlist)


def _ascii(domain: str) -> str:
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        return domain
