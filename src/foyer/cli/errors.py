"""What went wrong, in one sentence with the next step.

CommandFailed    a command cannot do what it was asked; the text is for the person who asked
"""

from __future__ import annotations

import sys


class CommandFailed(Exception):
    """The command ends here. The text says what happened and what to do; `exit_code` is the process's."""

    def __init__(self, sentence: str, *, exit_code: int = 1) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code


def explain(error: BaseException) -> str | None:
    """Return the sentence for an error that its person can mend; None for a fault of ours."""
    if isinstance(error, CommandFailed):
        return str(error)
    if isinstance(error, OSError):
        return _system(error)
    for module, reader in (
        ("foyer.config.errors", _configuration),
        ("foyer.kit.refusal", _refusal),
        ("django.db", _database),
        ("django.core.management", _management),
    ):
        # An error of a library that was never imported cannot have been raised.
        if module in sys.modules and (sentence := reader(error)) is not None:
            return sentence
    return None


def _system(error: OSError) -> str:
    reason = error.strerror or str(error) or type(error).__name__
    return f"{error.filename}: {reason}." if error.filename else f"{reason}."


def _configuration(error: BaseException) -> str | None:
    from foyer.config.errors import ConfigError

    return str(error) if isinstance(error, ConfigError) else None


def _refusal(error: BaseException) -> str | None:
    from foyer.kit.refusal import Refusal

    if not isinstance(error, Refusal):
        return None
    return " ".join(part for part in (str(error), getattr(error, "remedy", "")) if part)


def _database(error: BaseException) -> str | None:
    from django.db import DatabaseError, InterfaceError

    if not isinstance(error, DatabaseError | InterfaceError):
        return None
    from foyer.config.database_errors import sentence_for

    return sentence_for(error)


def _management(error: BaseException) -> str | None:
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import CommandError

    return str(error) if isinstance(error, CommandError | ImproperlyConfigured) else None
