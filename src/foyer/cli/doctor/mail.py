"""Whether mails can be sent."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from foyer.cli.doctor.findings import Finding, fault, ok
from foyer.config.schema import Config
from foyer.notify import email
from foyer.notify.errors import MailError
from foyer.notify.messages import Content


@dataclass(frozen=True, slots=True)
class Trial:
    """A mail that says nothing but that it arrived."""

    to: str
    server: str
    delivery: str
    language: str = "en"

    def content(self) -> Content:
        """Return the words."""
        text = f"Foyer of {self.server} can send mail. Somebody ran `foyer doctor --mail-to` with your email."
        return Content(subject=f"A test from {self.server}", text=text + "\n", html=f"<p>{escape(text)}</p>")


def look(config: Config, *, mail_to: str | None) -> Iterator[Finding]:
    """Yield what is found."""
    if not email.is_configured():
        if mail_to:
            yield fault("No mail can be sent.", "Set `email` in foyer.yaml.")
        else:
            yield ok("Not set up: invitations work without, only `--send` does not.")
        return
    try:
        email.probe()
    except MailError as error:
        yield fault(f"{config.email.host}: {error.detail or error}", error.remedy)
        return
    hint = "" if mail_to else " `foyer doctor --mail-to you@example.org` sends one."
    yield ok(f"{config.email.host} lets Foyer in; mails come from {config.email.sender}.{hint}")
    if mail_to:
        yield from _send(config, mail_to)


def _send(config: Config, mail_to: str) -> Iterator[Finding]:
    try:
        email.send(Trial(mail_to, config.display_name, delivery=f"doctor {secrets.token_hex(8)}"))
    except MailError as error:
        yield fault(f"The mail to {mail_to} was not taken: {error.detail or error}", error.remedy)
    else:
        yield ok(f"A mail to {mail_to} was taken. Look whether it arrived, and in which folder.")
