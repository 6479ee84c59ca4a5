"""Who kills, whom, and when: at any time, or at the worst moments that there are."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass

from dev.soak.house import Machine
from dev.soak.plan import Plan
from dev.soak.weather import Network, Post

STRIKES_WITHIN_SECONDS = 4.0
MOMENTS = ("at any time", "as the homeserver had done it", "as a mail was taken")


@dataclass(frozen=True)
class Kill:
    """One that was done."""

    at: float
    machine: int
    what: str
    moment: str

    def __str__(self) -> str:
        """Say it."""
        return f"{self.at:.1f} s: {self.what} of machine {self.machine}, {self.moment}"


class Reaper:
    """Strikes at the moments of the plan. Call `turn()` often."""

    def __init__(self, plan: Plan, machines: list[Machine], network: Network, post: Post) -> None:
        """Sharpen the scythe."""
        self._machines, self._network, self._post = machines, network, post
        self._dice = plan.chance("reaper")
        self._moments = plan.moments()
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self._next: tuple[Machine, str, float] | None = None
        self.kills: list[Kill] = []

    @property
    def is_done(self) -> bool:
        """Every kill of the plan was done."""
        return not self._moments and self._next is None

    def begin(self) -> None:
        """The day begins now."""
        self._began = time.monotonic()

    def counts(self) -> Counter[str]:
        """How often what was killed."""
        return Counter(kill.what for kill in self.kills)

    def turn(self) -> None:
        """Prepare the kill that is due; strike where the wanted moment does not come."""
        if self._next is not None:
            if time.monotonic() > self._next[2]:
                self._strike(MOMENTS[0])
            return
        if not self._moments or time.monotonic() - self._began < self._moments[0]:
            return
        del self._moments[0]
        machine = self._dice.choice(self._machines)
        moment = self._dice.choice(MOMENTS)
        what = self._dice.choices(["pages", "worker", "machine"], [4, 4, 3])[0]
        if moment == MOMENTS[2] and what == "pages":
            what = "worker"  # it is the worker that mails
        self._next = (machine, what, time.monotonic() + STRIKES_WITHIN_SECONDS)
        if moment == MOMENTS[0]:
            self._strike(moment)
        elif moment == MOMENTS[1]:
            self._network.watcher = self._strike
        else:
            self._post.watcher = self._strike

    def _strike(self, moment: str) -> None:
        with self._lock:
            if self._next is None:
                return
            machine, what, until = self._next
            if machine.kill(what):
                self.kills.append(Kill(time.monotonic() - self._began, machine.number, what, moment))
                self._next = None
            else:  # it is not up again yet from the last time
                self._next = (machine, what, max(until, time.monotonic() + 0.2))
