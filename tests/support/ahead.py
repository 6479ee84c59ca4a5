"""The worker's work in a test's own thread, by a clock that runs ahead: what is tried again later is tried at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine

from foyer.kit.clock import now

_STEPS_GROW, _PAUSES_GROW = 2, 1.3
_SLOW = frozenset({"slow", "stuck", "hang"})


def work_until(is_done: Callable[[], bool], work: Callable[[], None], *, within: timedelta) -> bool:
    """Call `work()` again and again, each time later by our clock, until it is done.

    False: it was not, within this time. Other programs' clocks stand nearly still meanwhile.
    """
    ahead, step, pause_seconds = timedelta(0), timedelta(seconds=1), 0.03
    while ahead <= within:
        with time_machine.travel(now() + ahead):
            work()
            if is_done():
                return True
        ahead += step
        time.sleep(pause_seconds)
        step, pause_seconds = step * _STEPS_GROW, pause_seconds * _PAUSES_GROW
    return False


def time_out(request: pytest.FixtureRequest) -> str:
    """How long Foyer waits for its homeserver: not long where the test's parameters make it slow, and long elsewhere.

    A machine that has much to do shall not look like a homeserver that is down.
    """
    case = getattr(request.node, "callspec", None)
    return "1s" if case is not None and not _SLOW.isdisjoint(map(str, case.params.values())) else "15s"
