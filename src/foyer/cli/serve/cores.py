"""How many processes answer when nobody says how many."""

from __future__ import annotations

import os
from pathlib import Path

MOST_UNASKED = 4
"""Each takes about a hundred megabytes, and four carry more than any homeserver keeps up with."""
QUOTA = Path("/sys/fs/cgroup/cpu.max")


def one_a_core() -> int:
    """Return one for each core that this process may use, and at most `MOST_UNASKED`.

    Python's threads share one core, so that a second process is what uses the second. A container may be given fewer
    cores than the machine has: in which of them it runs, or how much time of them it gets.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, _allowed(), MOST_UNASKED))


def _allowed(quota: Path = QUOTA) -> int:
    """Return how many cores' time a container gets, rounded up (Linux, cgroup v2: `max 100000`, `150000 100000`)."""
    try:
        time, period = quota.read_text().split()
        return -(-int(time) // int(period))
    except (OSError, ValueError):
        return MOST_UNASKED
