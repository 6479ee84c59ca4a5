"""What people paste or type where a code is asked for."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, unquote, urlsplit

from foyer.kit.codes import is_code

LONGEST = 2000
WORD = re.compile(r"[A-Za-z]+")


def code_in(text: str) -> str:
    """Return the code that somebody meant: a code, a whole link, or the words of a code read aloud.

    `https://join.example.org/i/UnwindTrophy`, `…/register?token=UnwindTrophy` and `unwind trophy` are all
    `UnwindTrophy`. Whatever else it may be is returned as it came, without space around it.
    """
    text = text.strip()[:LONGEST].strip("<>\"'“”„«»").strip()
    if is_code(text):
        return text
    if "/" in text or "token=" in text:
        found = _code_in_link(text)
        if found:
            return found
    words = re.split(r"[\s,]+", text)
    if len(words) > 1 and all(WORD.fullmatch(word) for word in words):
        return "".join(
            word[0].upper() + word[1:].lower() if word.islower() or word.isupper() else word for word in words
        )
    return text


def key_in(text: str) -> str:
    """Return the extra key that a mailed link carries; nothing where there is none."""
    return _parameter(text, "key")


def _parameter(text: str, name: str) -> str:
    if "?" not in text:
        return ""
    try:
        values = parse_qs(urlsplit(text.strip()[:LONGEST]).query).get(name, [""])
    except ValueError:
        return ""
    return values[0].strip()


def _code_in_link(text: str) -> str:
    named = _parameter(text, "token")
    if is_code(named):
        return named
    path = re.split(r"[?#]", text, maxsplit=1)[0].rstrip("/")
    before, _, last = path.rpartition("/")
    # Only what stands after /i/ is a code; the last part of any other address is not.
    return unquote(last) if before.endswith("/i") and is_code(unquote(last)) else ""
