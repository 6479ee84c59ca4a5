"""People who come by invitation, and what all people have in common: patience, a memory, a diary."""

from __future__ import annotations

import json
import random
import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from dev.demo_visitor import Form, Page, Wrong
from dev.soak.visitor import Broken, Visitor, shown

WELCOME = "/register/welcome/"
REFUSED = (400, 409)
_HEADING = re.compile(r"<h1[^>]*>(.*?)</h1>", re.DOTALL)
_TAG = re.compile(r"<[^>]+>")
_ERROR = re.compile(r'<p class="error"[^>]*>(.*?)</p>', re.DOTALL)


class Outcome(StrEnum):
    """How somebody's day ended."""

    IN = "told that they are in"
    LEFT = "left"
    TOLD_NO = "told no"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    WAITING = "still waiting"
    GAVE_UP = "lost patience"


@dataclass(frozen=True)
class Typed:
    """What somebody pressed a button with: whoever typed it may come in with it."""

    localpart: str
    password: str = field(repr=False)
    code: str = ""


@dataclass
class Person:
    """Somebody, in a thread of their own. `live()` is their day."""

    number: int
    dice: random.Random
    ports: Sequence[int]
    arrives_at: float
    deadline: float
    is_over: threading.Event
    name: str
    outcome: Outcome = Outcome.LEFT
    typed: list[Typed] = field(default_factory=list, repr=False)
    told_in_as: str = ""
    faults: list[str] = field(default_factory=list)
    diary: list[str] = field(default_factory=list, repr=False)
    began: float = 0.0

    def __post_init__(self) -> None:
        self.visitor = Visitor(self.ports, self.dice)
        self.password = self.new_password()

    def new_password(self) -> str:
        """A password that nobody else has."""
        return f"{self.name} {self.number} {self.dice.randrange(16**8):08x}"

    def run(self) -> None:
        """Live, and write down how it ended."""
        try:
            self.live()
        except OutOfPatience:
            self.outcome = Outcome.GAVE_UP
        except (Wrong, AssertionError) as error:
            self.fault(f"{type(error).__name__}: {error}")
        self.note(f"the end: {self.outcome}")

    def live(self) -> None:
        """What this kind of person does all day."""
        raise NotImplementedError

    def note(self, sentence: str) -> None:
        """Write it into the diary."""
        self.diary.append(f"{time.monotonic() - self.began:7.2f} {sentence}")

    def fault(self, sentence: str) -> None:
        """Complain of something that no bad weather excuses."""
        self.note(f"FAULT: {sentence}")
        self.faults.append(sentence)

    def wait(self, least: float, most: float) -> None:
        """Do nothing for a while.

        Raises:
            OutOfPatience
        """
        time.sleep(self.dice.uniform(least, most))
        if time.monotonic() > self.deadline:
            raise OutOfPatience

    def patiently(self, what: str, act: Callable[[], Page]) -> Page:
        """Do it until a page comes that is not "later": the page, whatever else it says.

        Raises:
            OutOfPatience
        """
        while True:
            try:
                page = act()
            except Broken as broken:
                self.note(str(broken))
                self.wait(0.2, 2.0)
                continue
            self.note(f"{what} → {page.status} {shown(page.url.removeprefix('http://localhost'))} {heading(page)}")
            if page.status in (500, 404, 405):
                self.fault(f"{what} was answered with {page.status}")
            if page.status < 500:
                return page
            self.wait(0.5, 2.5)

    def join(self, path: str, name: str, *, may_rename: bool, is_stubborn: bool = False) -> Outcome:
        """Make an account by the invitation behind this path, pressing again as often as needed."""
        page = self.patiently("opened the invitation", lambda: self.visitor.get(path))
        while True:
            form = form_with(page, "password")
            if form is None:
                return Outcome.TOLD_NO
            page_or_none = self._press(form, name)
            if page_or_none is None:
                if self.dice.random() < 0.2:  # most reload, which sends the form again; some open the link again
                    page = self.patiently("opened the invitation again", lambda: self.visitor.get(path))
                continue
            page = page_or_none
            if WELCOME in page.url and page.status == 200 and f"@{name}:" in page.text:
                self.told_in_as = name
                return Outcome.IN
            if page.status == 503:
                self.wait(0.5, 3.0)
                page = page if form_with(page, "password") else Page(page.status, page.url, _as_before(form))
                continue
            if page.status in REFUSED and form_with(page, "username") is not None:
                if not may_rename or (not is_stubborn and self.dice.random() < 0.3):
                    return Outcome.TOLD_NO
                name = self.another_name()
                continue
            if form_with(page, "password") is None:
                return Outcome.TOLD_NO
            self.fault(f"the join form was answered with {page.status} {heading(page)}")
            return Outcome.TOLD_NO

    def _press(self, form: Form, name: str) -> Page | None:
        if self.dice.random() < 0.04:
            self.password = self.new_password()
        self.typed.append(Typed(name, self.password, form.values.get("token", "")))
        said = {"username": name, "password": self.password}
        if "confirm" in form.values:
            said["confirm"] = self.password
        try:
            page = self.visitor.send(form, **said)
        except Broken as broken:
            self.note(f"pressed as {name}: {broken}")
            self.wait(0.2, 2.0)
            return None
        self.note(f"pressed as {name} → {page.status} {page_path(page)} {heading(page)} {errors(page)}")
        if page.status == 500:
            self.fault("the join form was answered with 500")
        return page

    def another_name(self) -> str:
        """Think of another name."""
        self.name = f"{self.name.partition('-')[0]}-{self.number}-{self.dice.randrange(1000)}"
        return self.name


class OutOfPatience(Exception):
    """It took too long."""


@dataclass
class Newcomer(Person):
    """Somebody with an invitation. Some do not use a browser but a program."""

    code: str = ""

    def live(self) -> None:
        """Join."""
        if self.dice.random() < 0.04:
            return self.note("thought better of it")
        if self.dice.random() < 0.2:
            self.outcome = self._by_program()
        else:
            self.outcome = self.join(f"/i/{self.code}", self.name, may_rename=True)
        return None

    def _by_program(self) -> Outcome:
        """As the predecessor's page does: JSON, and nothing is opened before."""
        self.visitor.accept = "application/json"
        form = Form("/register", {"token": self.code})
        while True:
            page = self._press_again(form)
            answer = json.loads(page.text)
            if page.status == 200:
                self.told_in_as = self.name
                return Outcome.IN
            if page.status == 503:
                self.wait(0.5, 3.0)
                continue
            self.note(page.text)
            is_name = "username" in str(answer) or answer.get("errcode") == "M_USER_IN_USE"
            if not is_name or self.dice.random() < 0.3:
                return Outcome.TOLD_NO
            self.another_name()

    def _press_again(self, form: Form) -> Page:
        while True:
            form.values["confirm"] = ""
            page = self._press(form, self.name)
            if page is not None:
                return page


def form_with(page: Page, name: str) -> Form | None:
    """The form of a page that has such a field, if there is one."""
    try:
        return page.form(field=name)
    except Wrong:
        return None


def heading(page: Page) -> str:
    """What a page is about."""
    found = _HEADING.search(page.text)
    return repr(_TAG.sub("", found[1]).strip()) if found else ""


def errors(page: Page) -> str:
    """What is wrong with a form."""
    return " ".join(_TAG.sub("", found).strip() for found in _ERROR.findall(page.text))


def page_path(page: Page) -> str:
    """Where a page is."""
    return shown(page.url.removeprefix("http://localhost"))


def _as_before(form: Form) -> str:
    """A form as it stood in the page before: "back" in the browser."""
    fields = "".join(f'<input name="{name}" value="{value}">' for name, value in form.values.items())
    return f'<form method="post" action="{form.action}">{fields}</form>'
