"""People who ask for an account: a name, an email, a proof, some words, and then the wait for somebody's yes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email.message import EmailMessage
from functools import partial
from urllib.parse import urljoin

from dev.demo_visitor import Page, Wrong
from dev.mailcatcher import MailCatcher
from dev.soak.people import Outcome, Person, Typed, errors, form_with, heading, page_path
from dev.soak.visitor import Broken, path_of

REASON = "I grow tomatoes, and a friend of mine told me about this server."
LOOKS_AGAIN_SECONDS = 20.0
ALREADY = 409
_KEY = re.compile(r"/apply/([0-9a-f]{32})")
_CODE = re.compile(r"^\s*(\d{6})\s*$", re.MULTILINE)
_CONFIRM = re.compile(r"\S+/apply/confirm/\S+")
_INVITATION = re.compile(r"\S+/i/\S+")


@dataclass
class Applicant(Person):
    """Somebody who applies. Where they are is found out by opening their page: nothing else is remembered."""

    mails: MailCatcher = field(default=None, repr=False)  # type: ignore[assignment]
    key: str = ""
    was_denied: bool = False
    asked_to_withdraw: bool = False
    leaves_at: str = ""
    read: int = 0

    @property
    def email(self) -> str:
        """Nobody else has it."""
        return f"person{self.number}@example.net"

    def live(self) -> None:
        """Go on from wherever one is, until it is decided."""
        self.leaves_at = self.dice.choices(["", "verify", "about", "status", "withdraw"], [86, 3, 4, 3, 4])[0]
        page = self._begin()
        while True:
            place = _place(page)
            if place == self.leaves_at:
                return self.note(f"left at {place}")
            match place:
                case "verify":
                    page = self._verify(page)
                case "name":
                    page = self._rename(page)
                case "about":
                    page = self._tell(page)
                case "status":
                    following = self._status(page)
                    if following is None:
                        return None
                    page = following
                case _:
                    self.fault(f"an applicant was led to {page.status} {page.url} {heading(page)}")
                    return None

    def _begin(self) -> Page:
        """Fill in the first two steps, from the start each time that the connection breaks in between."""
        while True:
            first = self.patiently("opened the door", lambda: self.visitor.get("/apply"))
            wish = partial(self.visitor.send, first.form(field="username"), username=self.name)
            form = self.patiently("wished a name", wish).form(field="email")
            try:
                page = self.visitor.send(form, email=self.email)
            except Broken as broken:
                self.note(f"gave the email: {broken}")
                self.wait(0.2, 2.0)
                continue
            self.note(f"gave the email → {page.status} {page_path(page)} {heading(page)} {errors(page)}")
            if found := _KEY.search(page.url):
                self.key = found[1]
                return page
            if page.status == 500:
                self.fault("the email was answered with 500")
            self.wait(0.5, 2.0)

    def _look(self) -> Page:
        return self.patiently("looked", lambda: self.visitor.get(f"/apply/{self.key}"))

    def _verify(self, page: Page) -> Page:
        """Wait for the mail, and prove the email by its code or by its button."""
        mail = self._newest("is your code")
        if mail is None:
            self.wait(0.3, 0.6)
            return page
        text = text_of(mail)
        try:
            if self.dice.random() < 0.5 and (code := _CODE.search(text)):
                proved = self.visitor.send(page.form(field="code"), code=code[1])
                way = "typed the code"
            else:
                link = path_of(_CONFIRM.findall(text)[0])
                proved = self.visitor.send(self.visitor.get(link).form(action=link.rpartition("/")[2]))
                way = "pressed the button"
        except Broken as broken:
            self.note(f"proved the email: {broken}")
            self.wait(0.2, 2.0)
            return self._look()
        self.note(f"{way} → {proved.status} {page_path(proved)} {heading(proved)} {errors(proved)}")
        if found := _KEY.search(proved.url):
            self.key = found[1]  # the button may belong to an earlier try
        if proved.status == ALREADY and (mail := self._newest("already asked")):
            self.key = _KEY.findall(text_of(mail))[0]  # two clicks began two requests; one of them is proven
            return self._look()
        if proved.status >= 500 or _place(proved) in ("verify", "confirm"):
            self.wait(0.3, 1.0)
            return self._look()
        return proved

    def _rename(self, page: Page) -> Page:
        name, form = self.another_name(), form_with(page, "username")
        if form is None:
            return self._look()
        return self.patiently(f"chose {name}", lambda: self.visitor.send(form, username=name))

    def _tell(self, page: Page) -> Page:
        """Answer the questions, and choose a password where it is asked now."""
        form = page.form(field="q-reason")
        said = {"q-reason": REASON}
        named = re.search(r"@([a-z0-9._=/+-]+):", page.text)
        if named is not None:
            self.name = named[1]
        if "password" in form.values:
            said |= {"password": self.password}
            said |= {"confirm": self.password} if "confirm" in form.values else {}
            self.typed.append(Typed(self.name, self.password))
        try:
            after = self.visitor.send(form, **said)
        except Broken as broken:
            self.note(f"sent the answers: {broken}")
            self.wait(0.2, 2.0)
            return self._look()
        self.note(f"sent the answers → {after.status} {page_path(after)} {heading(after)} {errors(after)}")
        if after.status == 500:
            self.fault("the answers were met with 500")
        if after.status >= 500:
            self.wait(0.5, 2.5)
            return self._look()
        return after

    def _status(self, page: Page) -> Page | None:
        """Do what the page asks for, or wait for a mail. None: it is over."""
        said = heading(page)
        if "Welcome to" in said:
            self.told_in_as, self.outcome = self.name, Outcome.IN
        elif "not approved" in said:
            self.outcome, self.was_denied = Outcome.DENIED, True
        elif "withdrawn" in said:
            self.outcome = Outcome.WITHDRAWN
        elif self.leaves_at == "withdraw" and "reviewed" in said:
            return self._withdraw()
        elif "has a question" in said or "have a question" in said:
            form = page.form(field="text")
            return self.patiently("answered", lambda: self.visitor.send(form, text="Yes, and I like radishes."))
        elif found := re.search(r'href="([^"]*/i/[^"]+)"', page.text):
            link = urljoin(page.url, found[1].replace("&amp;", "&"))
            self.outcome = self._by_link(link, may_rename="another name" in said)
        elif "reviewed" in said or "approved" in said:
            self.outcome = Outcome.WAITING
            self._wait_for_mail()
            return self._look()
        else:
            self.fault(f"the status page says {said}")
        return None

    def _by_link(self, link: str, *, may_rename: bool) -> Outcome:
        outcome = self.join(path_of(link), self.name, may_rename=may_rename, is_stubborn=True)
        if outcome == Outcome.TOLD_NO and self._is_welcome():
            outcome = Outcome.IN
        if outcome != Outcome.IN:
            self.fault(f"the link of an approved applicant did not let them in: {outcome}")
        return outcome

    def _is_welcome(self) -> bool:
        """Used up? Then it was oneself, before an answer was lost; the status page knows after some seconds."""
        for _ in range(20):
            if "Welcome to" in heading(self._look()):
                self.told_in_as = self.typed[-1].localpart
                return True
            self.wait(1.0, 2.0)
        return False

    def _withdraw(self) -> Page:
        self.asked_to_withdraw = True
        page = self.patiently("wants to withdraw", lambda: self.visitor.get(f"/apply/{self.key}/withdraw"))
        self.leaves_at = ""
        try:
            self.visitor.send(page.form(action="/withdraw"))
        except Broken as broken:
            self.note(f"withdrew: {broken}")
        except Wrong:
            self.note("cannot withdraw any more")
        return self._look()

    def _wait_for_mail(self) -> None:
        """Return when there is a mail that was not read yet, or when one grows curious."""
        waited = 0.0
        while waited < LOOKS_AGAIN_SECONDS:
            mine = self._mine()
            if len(mine) > self.read:
                self.read = len(mine)
                self.note(f"read {str(mine[-1]['Subject'])!r}")
                return
            self.wait(0.5, 1.0)
            waited += 0.75

    def _mine(self) -> list[EmailMessage]:
        return [mail for mail in list(self.mails.messages) if str(mail["X-Envelope-To"]) == self.email]

    def _newest(self, subject: str) -> EmailMessage | None:
        found = [mail for mail in self._mine() if subject in str(mail["Subject"])]
        return found[-1] if found else None


def text_of(mail: EmailMessage) -> str:
    """The plain text of a mail."""
    body = mail.get_body(("plain",))
    return str(body.get_content()) if body is not None else ""


def _place(page: Page) -> str:
    """Which step of the way a page is."""
    path = page_path(page)
    if path.startswith("/apply/confirm/"):
        return "confirm"
    for step in ("verify", "name", "about"):
        if path.endswith(f"/{step}"):
            return step
    return "status" if _KEY.search(path) else ""
