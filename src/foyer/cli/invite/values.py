"""From the words of options to what an invitation keeps. Each reader refuses with a sentence and exit status 2."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from foyer.accounts.rules import allowed_localpart
from foyer.cli.errors import CommandFailed
from foyer.cli.local_time import zone
from foyer.config import places
from foyer.invites.models import Invite
from foyer.invites.queries import find
from foyer.kit.clock import now
from foyer.kit.durations import parse_duration
from foyer.web.pasted import code_in

MOST_USES = 1_000_000
LONGEST = {"--label": 200, "--inviter": 200, "--message": 4000}
FORMS_OF_AN_END = "Write how long, such as 12h or 7d, a day such as 2027-01-31, or never."


def _refuse(option: str, value: str, sentence: str) -> CommandFailed:
    return CommandFailed(f"{option} {value}: {sentence}", exit_code=2)


def uses(text: str) -> int | None:
    """Return how many may join, None for any number."""
    if text.strip().lower() == "unlimited":
        return None
    if not (text.isascii() and text.strip().isdigit()) or not 1 <= int(text.strip()[:9]) <= MOST_USES:
        raise _refuse("--uses", text, f"Write a whole number from 1 to {MOST_USES}, or unlimited.")
    return int(text)


def expires(text: str) -> datetime | None:
    """Return when it ends, None for never. A day counts whole, in the time zone of this terminal."""
    word = text.strip()
    if word.lower() == "never":
        return None
    moment = _after(word) or _at(word)
    if moment is None:
        raise _refuse("--expires", text, FORMS_OF_AN_END)
    if moment <= now():
        raise _refuse("--expires", text, "That has passed. Choose a later time.")
    return moment


def _after(word: str) -> datetime | None:
    try:
        return now() + parse_duration(word)
    except ValueError:
        return None


def _at(word: str) -> datetime | None:
    try:
        if len(word) == len("2027-01-31"):
            day = date.fromisoformat(word)
            return datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=zone())
        moment = datetime.fromisoformat(word)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone())


def text_of(option: str, value: str) -> str:
    """Return a text that is short enough and holds nothing unprintable."""
    value = value.strip()
    if len(value) > LONGEST[option]:
        raise _refuse(option, f"({len(value)} characters)", f"Use at most {LONGEST[option]}.")
    if not all(sign.isprintable() or sign == "\n" for sign in value):
        raise _refuse(option, "", "Leave out control characters.")
    return value


def rooms(values: Sequence[str]) -> list[str]:
    """Return rooms as aliases or IDs, each once."""
    found = []
    for value in values:
        try:
            found.append(places.room(value))
        except ValueError as error:
            raise _refuse("--room", value, str(error)) from None
    return list(dict.fromkeys(found))


def localpart(text: str) -> str:
    """Return the name that only this invitation's person may take; empty: any.

    Raises:
        Refusal: nobody could join by that name.
    """
    return allowed_localpart(text) if text.strip() else ""


def email(text: str) -> str:
    """Return an email address that is well formed; empty: any."""
    if not text.strip():
        return ""
    from email_validator import EmailNotValidError, validate_email  # only where there is one

    try:
        return validate_email(text.strip(), check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise _refuse("--email", text, f"This is not an email address: {str(error).rstrip('.')}.") from None


def invitation(code: str) -> Invite:
    """Return the invitation of a code, or of a whole link that holds it.

    Raises:
        CommandFailed: there is none.
    """
    from foyer.invites.errors import InviteMissing, InviteUnknown

    try:
        return find(code_in(code))
    except (InviteMissing, InviteUnknown):
        raise CommandFailed(
            f"There is no invitation {code[:100]!r}. Capitals count. `foyer invite list --all` shows those there are."
        ) from None
