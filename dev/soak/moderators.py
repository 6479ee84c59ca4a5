"""Moderators, who say yes or no to whoever waits: one on the command line, one at the desk. They do not agree."""

from __future__ import annotations

import contextlib
import json
import random
import re
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from dev.demo_visitor import Page, Wrong
from dev.processes import NotReady
from dev.soak.house import Machine
from dev.soak.people import form_with
from dev.soak.visitor import Broken, Visitor

DECISIONS = {"approve": 62, "deny": 28, "ask": 10}
QUESTION = "Do you like radishes as well?"
DESK_NAME, DESK_PASSWORD = "anna", "lantern orchard willow"
_REQUEST = re.compile(r"/desk/requests/(\d+)\"")


@dataclass
class Moderator:
    """Somebody who decides until `is_over`, in a thread of their own."""

    dice: random.Random
    is_over: threading.Event
    deeds: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Look at what waits every few seconds."""
        while not self.is_over.wait(self.dice.uniform(1.0, 2.5)):
            try:
                self.turn()
            except Broken:
                continue
            except (Wrong, AssertionError) as error:
                self.faults.append(f"{type(error).__name__}: {error}")

    def turn(self) -> None:
        """Decide on some of what waits."""
        raise NotImplementedError

    def choose(self) -> str:
        """Throw the dice for one request."""
        return self.dice.choices(list(DECISIONS), list(DECISIONS.values()))[0]


@dataclass
class ByCommand(Moderator):
    """`foyer application …`, which takes effect at once."""

    machines: Sequence[Machine] = ()

    def turn(self) -> None:
        """One command for each kind of decision."""
        machine = self.dice.choice(self.machines)
        rows = json.loads(machine.command("application", "list", "--json"))
        chosen: dict[str, list[str]] = {}
        for row in rows:
            if row["state"] == "waiting" and self.dice.random() < 0.8:
                chosen.setdefault(self.choose(), []).append(str(row["id"]))
        for decision, numbers in chosen.items():
            words = ["--message", QUESTION] if decision == "ask" else []
            for some in [numbers] if decision != "ask" else [[number] for number in numbers]:
                try:
                    machine.command("application", decision, *some, *words)
                    self.deeds[decision] += len(some)
                except NotReady as error:  # somebody else was quicker, or withdrew: it says so, and did the others
                    self.deeds[f"{decision} came late"] += 1
                    if "Traceback" in str(error):
                        self.faults.append(str(error))


@dataclass
class AtTheDesk(Moderator):
    """The pages at /desk, where a decision can be taken back for a minute."""

    visitor: Visitor = field(default=None, repr=False)  # type: ignore[assignment]

    def turn(self) -> None:
        """Sign in where needed; decide on a few; take one back now and then."""
        page = self._open("/desk/queue")
        waiting = list(dict.fromkeys(_REQUEST.findall(page.text)))
        for number in waiting[: self.dice.randint(0, 10)]:
            decision = self.choose()
            page = self._open(f"/desk/requests/{number}/{decision}")
            form = form_with(page, "message")
            if form is None:  # the other one has decided meanwhile, and the page says so
                self.deeds[f"{decision} came late"] += 1
                continue
            form.values.pop("silent", None)
            page = self.visitor.send(form, message=QUESTION if decision == "ask" else "")
            if page.status == 500:
                raise Wrong(f"the desk answered {decision} with 500")
            self.deeds[decision if page.status == 200 else f"{decision} came late"] += 1
            if decision != "ask" and self.dice.random() < 0.1:
                self._take_back(number)

    def _open(self, path: str) -> Page:
        page = self.visitor.get(path)
        if page.status >= 500:
            raise Broken(f"{path}: {page.status}")
        if 'name="login"' in page.text:
            page = self.visitor.send(page.form(field="login"), login=DESK_NAME, password=DESK_PASSWORD)
            page = self.visitor.get(path)
        if page.status >= 500:
            raise Broken(f"{path}: {page.status}")
        return page

    def _take_back(self, number: str) -> None:
        page = self._open(f"/desk/requests/{number}")
        with contextlib.suppress(Wrong):  # the minute is over
            self.visitor.send(page.form(action="/act/undo"))
            self.deeds["undo"] += 1
