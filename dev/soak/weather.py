"""The network to the homeserver, and the mail server, on a bad day. After `clear()` both behave."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable

from dev.mailcatcher import MailCatcher
from dev.proxy import ChaosProxy, Cut, Delay, Lose, Mode, Pass, Repeat, Seen, Status
from dev.soak.plan import Plan

Watcher = Callable[[str], None]
GOOD, DOWN, GRUMPY = "good", "down", "grumpy"
WRITES = ("POST", "PUT")


class Network(ChaosProxy):
    """Passes most requests to the homeserver; delays, cuts and repeats the others, and loses answers."""

    def __init__(self, target: str, plan: Plan) -> None:
        """Stand in front of this address."""
        self._dice = plan.chance("network")
        self._longest = float(plan.timeout.rstrip("s")) * 1.3
        self.is_bad = False
        self.done: Counter[str] = Counter()
        self.watcher: Watcher | None = None
        """Called once, as soon as a request that changes something has been answered by the homeserver."""
        super().__init__(target)

    def note(self, method: str, path: str, body: bytes) -> Mode:
        """Throw the dice for one request."""
        with self._lock:
            self.seen.append(Seen(method, path, body, Pass()))
            mode = self._mode() if self.is_bad else Pass()
            self.done[_NAMES.get(type(mode), "passed")] += 1
        return mode

    def forward(self, method: str, path: str, headers: dict[str, str], body: bytes) -> object:  # type: ignore[override]
        """Ask the homeserver; then whoever wanted to strike at this moment may."""
        answer = super().forward(method, path, headers, body)
        if method in WRITES and self.watcher is not None:
            with self._lock:
                watcher, self.watcher = self.watcher, None
            if watcher is not None:
                watcher("as the homeserver had done it")
        return answer

    def _mode(self) -> Mode:
        throw = self._dice.random()
        if throw < 0.74:
            return Pass()
        if throw < 0.84:
            return Delay(self._dice.uniform(0.02, 0.8), after=self._dice.random() < 0.5)
        if throw < 0.86:
            return Delay(self._longest, after=self._dice.random() < 0.5)
        if throw < 0.90:
            return Cut()
        if throw < 0.95:
            return Lose()
        if throw < 0.99:
            return Repeat()
        return Status(502, "<html>Bad gateway</html>")


_NAMES: dict[type, str] = {Delay: "delayed", Cut: "cut before", Lose: "answer lost", Repeat: "repeated", Status: "502"}


class Post:
    """The mail server: by turns good, down, and grumpy (4xx, or it hangs up once it has the mail)."""

    def __init__(self, mails: MailCatcher, plan: Plan) -> None:
        """Take charge of this one; it is good until `begin()`."""
        self.mails = mails
        self.done: Counter[str] = Counter()
        self.watcher: Watcher | None = None
        """Called once, as soon as a mail is kept and before its sender hears of it."""
        self._dice = plan.chance("mail")
        self._lock = threading.Lock()
        self._mood, self._until = GOOD, 0.0
        self._is_over = True
        mails.before = self._answer

    def begin(self) -> None:
        """From now on it misbehaves."""
        self._is_over = False

    def turn(self) -> None:
        """Change the mood when its time is over. Call often, from one thread."""
        if self._is_over or time.monotonic() < self._until:
            return
        self._mood = self._dice.choices([GOOD, GRUMPY, DOWN], [4, 3, 2])[0]
        self._until = time.monotonic() + self._dice.uniform(1.0, 4.0)
        if self._mood == DOWN:
            self.done["down"] += 1
            self.mails.go_down()
        else:
            self.mails.come_up()

    def clear(self) -> None:
        """From now on it behaves."""
        self._is_over, self._mood = True, GOOD
        self.mails.come_up()

    def _answer(self, step: str) -> str | None:
        if step == "TAKEN" and self.watcher is not None:
            with self._lock:
                watcher, self.watcher = self.watcher, None
            if watcher is not None:
                watcher("as a mail was taken")
        if self._mood != GRUMPY:
            return None
        with self._lock:
            throw = self._dice.random()
        if step == "TAKEN" and throw < 0.15:
            self.done["answer lost"] += 1
            return ""
        if step != "TAKEN" and throw < 0.12:
            self.done["4xx"] += 1
            return "421 4.3.2 Come back later" if step == "CONNECT" else "451 4.3.0 Come back later"
        return None
