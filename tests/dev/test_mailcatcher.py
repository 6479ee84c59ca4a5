"""The mail catcher takes what Python's own client sends."""

from __future__ import annotations

import io
import smtplib
import urllib.request
from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from dev.mailcatcher import MailCatcher


@pytest.fixture
def terminal() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def catcher(terminal: io.StringIO) -> Iterator[MailCatcher]:
    with MailCatcher.start(terminal=terminal) as running:
        yield running


def send(catcher: MailCatcher, text: str) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "foyer@example.org", "maria@example.org", "Grüße"
    message.set_content(text)
    with smtplib.SMTP("127.0.0.1", catcher.port, timeout=60) as client:
        client.send_message(message)


def test_mail_sent_arrives_whole(catcher: MailCatcher) -> None:
    send(catcher, "Hello,\n.\n..two dots\nüber")

    message = catcher.wait_for(1)[0]

    assert message["Subject"] == "Grüße"
    assert message["X-Envelope-To"] == "maria@example.org"
    assert message.get_content() == "Hello,\n.\n..two dots\nüber\n"


def test_mail_sent_is_shown_in_the_terminal(catcher: MailCatcher, terminal: io.StringIO) -> None:
    send(catcher, "Come in.")

    assert terminal.getvalue() == "\nMail to maria@example.org: Grüße\n    Come in.\n\n"


def test_mail_page_links_addresses_and_escapes_the_rest(catcher: MailCatcher) -> None:
    send(catcher, "<b>Open</b> <http://localhost:5000/i/A?x=1&y=2> now.")

    with urllib.request.urlopen(catcher.url, timeout=60) as answer:
        page = answer.read().decode()

    link = '<a href="http://localhost:5000/i/A?x=1&amp;y=2">http://localhost:5000/i/A?x=1&amp;y=2</a>'
    assert f"&lt;b&gt;Open&lt;/b&gt; &lt;{link}&gt; now." in page
