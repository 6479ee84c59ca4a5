"""What is wrong with a configuration, in words for its owner. Light: the command line imports it at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

LONGEST_KEY = 100


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend.

    `key` is dotted as in the documentation (`homeserver.url`), empty where the file as a whole is wrong.
    `value` is what was given, fit to be shown: never a secret. `sentence` says what to do.
    `where` is the file and line, or the name of the environment variable.
    """

    key: str
    value: str
    sentence: str
    where: str = ""

    def __str__(self) -> str:
        head = f"{self.key} = {self.value}" if self.key and self.value else self.key or self.value
        where = f"({self.where})" if head and self.where else self.where
        head = " ".join(part for part in (head, where) if part)
        return f"{head}: {self.sentence}" if head else self.sentence


class ConfigError(Exception):
    """The configuration cannot be used. `problems` are all that were found; the text has a line for each."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(*problems)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


def key_and_entry(path: Sequence[str | int]) -> tuple[str, str]:
    """Return the dotted key of a path, and "Entry 2: " where the path leads into a list."""
    names = ".".join(part for part in path if isinstance(part, str))
    printable = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in names[:LONGEST_KEY])
    return printable, "".join(f"Entry {part + 1}: " for part in path if isinstance(part, int))
