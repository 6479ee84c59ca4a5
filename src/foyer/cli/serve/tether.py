"""A child must not outlive its parent: a killed `foyer serve` would leave a worker and an open port behind."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time

PARENT = "_FOYER_SERVE_PID"
PR_SET_PDEATHSIG = 1
LOOK_EVERY_SECONDS = 1.0


def hold(how: signal.Signals = signal.SIGTERM) -> None:
    """Die by `how` when the `foyer serve` that started this process does. Without one nothing is done."""
    parent = int(os.environ.pop(PARENT, "") or 0)
    if not parent:
        return
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(how), 0, 0, 0)
    else:
        threading.Thread(target=_watch, args=(parent, how), name="tether", daemon=True).start()
    if os.getppid() != parent:  # it died before the kernel was asked
        os.kill(os.getpid(), how)


def _watch(parent: int, how: signal.Signals) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_EVERY_SECONDS)
    os.kill(os.getpid(), how)
