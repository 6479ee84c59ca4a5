"""Invitation codes and keyed digests.

A generated code is four words of the EFF's long list, each with a capital: readable aloud, about 51 bits,
and of the form that the predecessor's pages accept (`^([A-Z][a-z]+)+$`).
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import re
import secrets
from importlib import resources

WORDS_IN_A_CODE = 4
MAX_CODE_LENGTH = 64
# Browsers leave out a piece of a path that is a dot or two: no link could hold it.
CODE = re.compile(r"(?!\.+\Z)[A-Za-z0-9._~-]{1,64}")


@functools.cache
def words() -> tuple[str, ...]:
    """Return the distinct words that codes are made of, capitalised and without hyphens."""
    text = resources.files("xkcdpass").joinpath("static", "eff-long").read_text(encoding="ascii")
    return tuple(sorted({word.replace("-", "").capitalize() for word in text.split()}))


def new_code() -> str:
    """Return a fresh code such as `UnwindFrequencyStagnateTrophy`, from the system's secure randomness."""
    while True:
        code = "".join(secrets.choice(words()) for _ in range(WORDS_IN_A_CODE))
        if len(code) <= MAX_CODE_LENGTH:
            return code


def is_code(text: str) -> bool:
    """Say whether `text` could be a code: as a Matrix registration token, by characters and length; not dots alone."""
    return CODE.fullmatch(text) is not None


def keyed_digest(key: str, purpose: str, value: str) -> str:
    """Return the hex HMAC-SHA256 of `value`; the same value under another `purpose` has another digest."""
    return hmac.new(key.encode(), f"{purpose}\0{value}".encode(), hashlib.sha256).hexdigest()


def digests_match(left: str, right: str) -> bool:
    """Compare two digests or secrets in constant time."""
    return hmac.compare_digest(left.encode(), right.encode())
