"""Which function does which kind of job. Rooms register theirs in their `jobs.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

Lane = Literal["homeserver", "mail", "house"]
Deed = Callable[[str], Callable[[], object] | None]
"""What is done, for a subject. What it returns is called in the transaction that crosses the job off."""

LANES: tuple[Lane, ...] = ("homeserver", "mail", "house")
BACKOFF_FIRST = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Handler:
    """How one kind of job is done, and how its failures are met.

    `passing` are the errors that time may heal: they are tried again, with a growing wait of at most
    `longest_wait`, until the job is `give_up_after` old (None: never). `lasting` errors, where they are not
    passing ones, end it at once. Anything else is a fault of ours: it is logged, and tried again like a passing error.
    """

    kind: str
    lane: Lane
    deed: Deed
    passing: tuple[type[Exception], ...]
    lasting: tuple[type[Exception], ...]
    longest_wait: timedelta
    give_up_after: timedelta | None
    every: timedelta | None


_handlers: dict[str, Handler] = {}
_rests: dict[Lane, list[Callable[[], None]]] = {}


def handler(
    kind: str,
    *,
    lane: Lane,
    passing: tuple[type[Exception], ...] = (),
    lasting: tuple[type[Exception], ...] = (),
    longest_wait: timedelta = timedelta(minutes=10),
    give_up_after: timedelta | None = timedelta(days=3),
    every: timedelta | None = None,
) -> Callable[[Deed], Deed]:
    """Register the decorated `deed(subject)` for `kind`; with `every`, the schedule asks for it by itself."""

    def register(deed: Deed) -> Deed:
        _handlers[kind] = Handler(kind, lane, deed, passing, lasting, longest_wait, give_up_after, every)
        return deed

    return register


def find(kind: str) -> Handler | None:
    """Return the handler, or None for a kind that this version does not know."""
    return _handlers.get(kind)


def scheduled() -> list[Handler]:
    """Return every handler that the schedule runs."""
    return [known for known in _handlers.values() if known.every is not None]


def when_idle(lane: Lane) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Register the decorated function: each thread of the lane calls it once it has nothing (more) to do."""

    def register(rest: Callable[[], None]) -> Callable[[], None]:
        _rests.setdefault(lane, []).append(rest)
        return rest

    return register


def rest(lane: Lane) -> None:
    """Call what is registered for a thread of this lane that has nothing to do."""
    for each in _rests.get(lane, ()):
        each()
