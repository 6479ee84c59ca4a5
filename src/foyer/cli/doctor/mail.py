"""Whether mails can be sent."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from foyer.cli.doctor.findings import Finding, fault, ok
from foyer.config.schema import Config
from foyer.notify import email
from foyer.notify.errors import MailError
from foyer.notify.messages import Content


def _trial(server: str) -> Content:
    """Return a mail that says nothing but that it arrived."""
    text = f"Foyer of {server} can send mail. Somebody ran `foyer doctor --mail-to` with your email."
    return Content(subject=f"A test from {server}", text=text + "\n", html=f"<p>{escape(text)}</p>")


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
        email.send(_trial(config.display_name), to=mail_to, message_id=email.new_message_id())
    except MailError as error:
        yield fault(f"The mail to {mail_to} was not taken: {error.detail or error}", error.remedy)
    else:
        yield ok(f"A mail to {mail_to} was taken. Look whether it arrived, and in which folder.")
