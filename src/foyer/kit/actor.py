"""Who does a thing: a value that services take and the audit keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["person", "staff", "key", "chat", "command-line", "job"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody or something that acts; `name` tells which one, where there are several."""

    kind: Kind
    name: str = ""

    def __str__(self) -> str:
        """Return `kind` or `kind:name`."""
        return f"{self.kind}:{self.name}" if self.name else self.kind

    @classmethod
    def person(cls) -> Actor:
        """Return the actor for somebody at the public door."""
        return cls("person")

    @classmethod
    def staff(cls, name: str) -> Actor:
        """Return the actor for a moderator or admin who is signed in."""
        return cls("staff", name)

    @classmethod
    def key(cls, name: str) -> Actor:
        """Return the actor for a program that holds an API key or the legacy secret."""
        return cls("key", name)

    @classmethod
    def command_line(cls) -> Actor:
        """Return the actor for whoever runs the `foyer` command."""
        return cls("command-line")

    @classmethod
    def job(cls) -> Actor:
        """Return the actor for work done after a commit, or by the schedule."""
        return cls("job")
