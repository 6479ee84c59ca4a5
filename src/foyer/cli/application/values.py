"""From the words of the command line to applications and states."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from foyer.applications import queries
from foyer.applications.errors import ApplicationUnknown
from foyer.applications.models import Application, State
from foyer.cli.errors import CommandFailed

DIGITS_AT_MOST = 18


def numbers(words: Iterable[str]) -> list[int]:
    """Return the numbers, each once; `17`, `#17` and `application:17` are the same.

    Raises:
        CommandFailed: one of them is no number; exit status 2.
    """
    return list(dict.fromkeys(_number(word) for word in words))


def _number(word: str) -> int:
    digits = word.strip().removeprefix("application:").removeprefix("#")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > DIGITS_AT_MOST:
        raise CommandFailed(f"{word[:100]!r} is not the number of an application. {WHERE_NUMBERS_ARE}", exit_code=2)
    return int(digits)


WHERE_NUMBERS_ARE = "`foyer application list --all` shows them."


def application(word: str) -> Application:
    """Return the application with this number.

    Raises:
        CommandFailed: there is none.
    """
    (number,) = numbers([word])
    try:
        return queries.by_id(number)
    except ApplicationUnknown:
        raise CommandFailed(unknown(number)) from None


def unknown(number: int) -> str:
    """Return the sentence for a number that nobody has."""
    return f"There is no application {number}. {WHERE_NUMBERS_ARE}"


def states(words: Sequence[str]) -> list[str]:
    """Return the states; several may stand in one word, with commas.

    Raises:
        CommandFailed: there is no such state; exit status 2.
    """
    found = [part.strip().lower() for word in words for part in word.split(",") if part.strip()]
    for state in found:
        if state not in State.values:
            raise CommandFailed(f"--state {state}: Choose among {', '.join(State.values)}.", exit_code=2)
    return found
