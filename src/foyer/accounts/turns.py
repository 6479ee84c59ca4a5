"""How many requests of this process may wait for the homeserver at once.

A page needs one of the server's threads for a millisecond, a join one for as long as the homeserver takes. So
that a homeserver that hangs never takes the pages with it, joins get most of the threads, but not all.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from foyer.accounts.errors import DoorBusy

JOINS = 22
LOOKS = 2
PATIENCE_SECONDS = 0.3  # most turns end sooner, and few people notice
PATIENT = 4
"""How many may wait for a place; they take threads from the pages. Whoever comes beyond them is told at once."""

_joins = threading.BoundedSemaphore(JOINS)
_looks = threading.BoundedSemaphore(LOOKS)
_patient = threading.BoundedSemaphore(PATIENT)


@contextmanager
def _turn(places: threading.BoundedSemaphore) -> Iterator[None]:
    if not (places.acquire(blocking=False) or _comes_free(places)):
        raise DoorBusy
    try:
        yield
    finally:
        places.release()


def _comes_free(places: threading.BoundedSemaphore) -> bool:
    if not _patient.acquire(blocking=False):
        return False
    try:
        return places.acquire(timeout=PATIENCE_SECONDS)
    finally:
        _patient.release()


def join_turn() -> AbstractContextManager[None]:
    """Take a place for a join while the `with` block runs.

    Raises:
        DoorBusy: every place is taken.
    """
    return _turn(_joins)


def look_turn() -> AbstractContextManager[None]:
    """Take a place for a question (is this name free?) while the `with` block runs.

    Raises:
        DoorBusy: every place is taken.
    """
    return _turn(_looks)
