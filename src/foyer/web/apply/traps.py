"""Two traps for programs that fill in forms: a field that nobody sees, and how soon the form comes back.

They never refuse anybody. A browser extension may fill in any field, and somebody whose password manager does all the
typing may be quick: a moderator who reads such a request sees the flag beside it and decides. So nobody is locked out
by a tool that helps them, and a program is not told what gave it away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.core.signing import BadSignature, TimestampSigner

SALT = "foyer.apply.traps"
SUBJECT = "form"
SINCE_FIELD = "since"
# None that a browser or a password manager has something to fill in for.
TRAP_FIELD = "topic_line"
TOO_SOON = timedelta(seconds=3)

FILLED = "trap-filled"
SENT_AT_ONCE = "sent-at-once"


@dataclass(frozen=True, slots=True)
class Marks:
    """What a form carries for the traps."""

    since: str
    since_field: str = SINCE_FIELD
    trap_field: str = TRAP_FIELD


def marks(form: Mapping[str, str] | None = None) -> Marks:
    """Return them for a new form; or, for one that is shown again, those that it came with."""
    came = form.get(SINCE_FIELD, "") if form else ""
    return Marks(came if came and _is_ours(came) else TimestampSigner(salt=SALT).sign(SUBJECT))


def sprung(form: Mapping[str, str]) -> tuple[str, ...]:
    """Return which traps a form that was sent has sprung, by the codes that moderators see explained."""
    found = []
    if form.get(TRAP_FIELD, "").strip():
        found.append(FILLED)
    if not _is_ours(form.get(SINCE_FIELD, "")) or _is_ours(form.get(SINCE_FIELD, ""), younger_than=TOO_SOON):
        found.append(SENT_AT_ONCE)
    return tuple(found)


def _is_ours(since: str, *, younger_than: timedelta | None = None) -> bool:
    try:
        TimestampSigner(salt=SALT).unsign(since[:200], max_age=younger_than)
    except BadSignature:
        return False
    return True
