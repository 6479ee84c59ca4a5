"""What doctor says of one thing. The homeserver's room has the same words; these do without its imports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "fault"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: what was found, and for a warning or fault what the owner can do."""

    level: Level
    sentence: str
    remedy: str = ""


def ok(sentence: str) -> Finding:
    """Return that a thing is as it should be."""
    return Finding("ok", sentence)


def warning(sentence: str, remedy: str = "") -> Finding:
    """Return that something works, but not as well as it could."""
    return Finding("warning", sentence, remedy)


def fault(sentence: str, remedy: str = "") -> Finding:
    """Return that something keeps people out, or loses what they send."""
    return Finding("fault", sentence, remedy)
