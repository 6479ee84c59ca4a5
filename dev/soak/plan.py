"""How bad a day it shall be. Everything that is left to chance comes from the seed.

Threads and the disk keep a timing of their own, so the same seed makes the same people, the same kinds of trouble and
the same moments for them, but not the same interleaving to the millisecond.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

Database = Literal["sqlite", "postgresql"]
Credentials = Literal["both", "token"]

SECONDS_TO_SETTLE = 60.0
"""So long after the last kill, and the last fault of the network, nothing may be half done any more."""


@dataclass(frozen=True)
class Plan:
    """One run. `people` come by invitation, and as many apply."""

    database: Database
    seed: int
    people: int = 200
    kills: int = 20
    seconds: float = 160.0
    timeout: str = "10s"
    credentials: Credentials = "both"
    has_desk: bool = True
    patience_seconds: float = 420.0

    @property
    def machines(self) -> int:
        """SQLite lives on one machine. On PostgreSQL there are two: two processes for pages, two workers."""
        return 1 if self.database == "sqlite" else 2

    def chance(self, whose: str) -> random.Random:
        """The dice of one part of the day; each part has its own, so that one does not move the other's."""
        return random.Random(f"{self.seed} {whose}")  # noqa: S311 - no secret is made of it

    def moments(self) -> list[float]:
        """When the kills come, in seconds from the beginning; the last one ends the bad weather."""
        dice = self.chance("kills")
        quiet = 0.06 if self.kills > 10 else 0.2  # first some people must be there
        each = self.seconds * (1 - quiet) / max(1, self.kills)
        return [self.seconds * quiet + each * (number + dice.uniform(0.1, 0.9)) for number in range(self.kills)]


def short(database: Database, seed: int) -> Plan:
    """The form that runs with every change: under a minute."""
    return Plan(database, seed, people=20, kills=4, seconds=22.0, timeout="2s", has_desk=False, patience_seconds=150.0)
