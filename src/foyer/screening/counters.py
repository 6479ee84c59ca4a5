"""Counting in a sliding window: the storages that the `limits` library asks.

Each counter is one row: the hits of the window under way and those of the one before, which count by the share of
them that a window ending now still covers. So a limit cannot be had twice by waiting for the clock to strike, and a
counter takes the same room whatever its limit is. Keys are digests: no row tells whose it is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from limits.storage import SlidingWindowCounterSupport, Storage

from foyer.kit.clock import now

TABLE = "screening_counter"
COLUMNS = """
    key varchar(200) NOT NULL PRIMARY KEY,
    slot bigint NOT NULL,
    hits integer NOT NULL,
    hits_before integer NOT NULL,
    until bigint NOT NULL
"""
SWEEP_AT_ONCE = 1000

# `slot` numbers the windows since 1970. A row may be one slot ahead: clocks of several machines differ a little.
_SAME = "{t}.slot IN (excluded.slot, excluded.slot + 1)"
_NEXT = "{t}.slot = excluded.slot - 1"
_HITS = f"CASE WHEN {_SAME} THEN {{t}}.hits ELSE 0 END"
_BEFORE = f"CASE WHEN {_SAME} THEN {{t}}.hits_before WHEN {_NEXT} THEN {{t}}.hits ELSE 0 END"
_COUNT = f"""
ON CONFLICT (key) DO UPDATE SET
    hits = {_HITS} + excluded.hits,
    hits_before = {_BEFORE},
    slot = CASE WHEN {_SAME} THEN {{t}}.slot ELSE excluded.slot END,
    until = excluded.until
WHERE ({_BEFORE}) * {{share}} + {_HITS} + excluded.hits < {{limit}} + 1
"""
_INSERT = "INSERT INTO {t} (key, slot, hits, hits_before, until)"
_HIT = f"{_INSERT} VALUES ({{key}}, {{slot}}, {{amount}}, 0, {{until}}){_COUNT}"
_READ = "SELECT slot, hits, hits_before FROM {t} WHERE key = {key}"
_FORGET = "DELETE FROM {t} WHERE key = {key}"
_SWEEP = "DELETE FROM {t} WHERE key IN (SELECT key FROM {t} WHERE until <= {moment} LIMIT {count})"
_RESET = "DELETE FROM {t}"


Entry = tuple[str, int, int]
"""A counter: its key, the limit, and the length of its window in seconds."""


def hit_each(rows: str, *, share: str, limit: str) -> str:
    """Return the statement that counts one for each of the selected `rows`, and returns the keys of those counted."""
    return f"{_INSERT} {rows}{_COUNT} RETURNING key".format(t=TABLE, share=share, limit=limit)


class _Reached(Exception):
    """The limit of this entry is."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@dataclass(frozen=True, slots=True)
class Statements:
    """The SQL of one database, with its own marks for parameters: `:name` or `%(name)s`."""

    hit: str
    read: str
    forget: str
    sweep: str
    reset: str

    @classmethod
    def marked(cls, mark: str) -> Statements:
        """Return the statements; `mark` has `name` where the parameter's name goes."""
        names = ("key", "slot", "amount", "until", "share", "limit", "moment", "count")
        marks = {name: mark.replace("name", name) for name in names}
        return cls(*(sql.format(t=TABLE, **marks) for sql in (_HIT, _READ, _FORGET, _SWEEP, _RESET)))


class Counters(Storage, SlidingWindowCounterSupport, ABC):
    """What both storages share. Subclasses run the SQL."""

    STORAGE_SCHEME = None
    statements: Statements

    @abstractmethod
    def run(self, sql: str, values: Mapping[str, Any]) -> int:
        """Run a statement that writes, and return how many rows it wrote."""

    @abstractmethod
    def read(self, sql: str, values: Mapping[str, Any]) -> tuple[int, int, int] | None:
        """Return one row."""

    @abstractmethod
    def together(self) -> AbstractContextManager[None]:
        """Let everything within stand, or (when an exception leaves) nothing of it."""

    def hit_all(self, entries: Sequence[Entry]) -> int | None:
        """Count one for each, or for none; returns which is the first whose limit is reached."""
        try:
            with self.together():
                for number, entry in enumerate(entries):
                    if not self.acquire_sliding_window_entry(*entry):
                        raise _Reached(number)
        except _Reached as reached:
            return reached.number
        return None

    def close(self) -> None:
        """Let go of what the storage has open; the next count opens it again."""

    def leave_to_parent(self) -> None:
        """After a fork: forget what belongs to the parent, without closing it."""

    def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count, if the limit allows; one statement, so that no two processes can both have the last one."""
        slot, left = window(expiry)
        values = {
            "key": key,
            "slot": slot,
            "amount": amount,
            "until": (slot + 2) * expiry,
            "share": left / expiry,
            "limit": limit,
        }
        return amount <= limit and self.run(self.statements.hit, values) == 1

    def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """Return the hits before, the seconds for which they count, the hits now, and the seconds for which they do."""
        slot, left = window(expiry)
        row = self.read(self.statements.read, {"key": key})
        if row is None or row[0] not in (slot - 1, slot, slot + 1):
            return 0, 0.0, 0, left + expiry
        stored_slot, hits, before = row
        if stored_slot == slot - 1:
            return hits, left, 0, left + expiry
        return before, left, hits, left + expiry

    def clear_sliding_window(self, key: str, expiry: int) -> None:  # noqa: ARG002 - the library's signature
        """Forget one counter."""
        self.run(self.statements.forget, {"key": key})

    def sweep(self) -> int:
        """Remove a batch of counters that count no more; returns how many."""
        moment = int(now().timestamp())
        return self.run(self.statements.sweep, {"moment": moment, "count": SWEEP_AT_ONCE})

    def reset(self) -> int | None:
        """Forget everything."""
        return self.run(self.statements.reset, {})

    def check(self) -> bool:
        """Say whether the storage answers."""
        self.read(self.statements.read, {"key": ""})
        return True

    def clear(self, key: str) -> None:
        """Forget one counter."""
        self.clear_sliding_window(key, 0)

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """The library's fixed windows are not kept."""
        raise NotImplementedError

    def get(self, key: str) -> int:
        """The library's fixed windows are not kept."""
        raise NotImplementedError

    def get_expiry(self, key: str) -> float:
        """The library's fixed windows are not kept."""
        raise NotImplementedError


def seconds_until_free(window: tuple[int, float, int, float], limit: int, expiry: int) -> float:
    """Return how long until one more hit is allowed, by what `get_sliding_window` returned; 0: at once."""
    before, left, hits, _ = window
    if before * left / expiry + hits + 1 < limit + 1:
        return 0.0
    if hits < limit:
        return left - (limit - hits) * expiry / before
    return left + expiry * (1 - limit / hits)


def window(expiry: int) -> tuple[int, float]:
    """Return the number of the window under way, and how many seconds of it are left."""
    moment = now().timestamp()
    slot = int(moment // expiry)
    return slot, (slot + 1) * expiry - moment
