"""The words of mails."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foyer.notify import email
from foyer.notify.messages import Invitation, Message
from foyer.notify.rendering import text_on

Configure = Callable[..., object]
SMTP = {"host": "localhost", "from": "foyer@example.test"}
LINK = "http://localhost:5000/i/UnwindTrophy?key=0123"


def mail(**facts: object) -> Invitation:
    return Invitation(to="maria@example.net", link=LINK, **facts)  # type: ignore[arg-type]


def compose(message: Message) -> EmailMessage:
    return email.compose(message.content(), to=message.to, message_id="<1@example.test>")


class Words(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_invitation_says_who_invites_until_when_and_as_whom(configure: Configure) -> None:
    configure(branding={"name": "Our Town"})
    until = datetime(2026, 11, 28, 14, 0, tzinfo=UTC)

    content = mail(inviter="Ana", message="Come in!\nWe have cake.", localpart="maria", expires_at=until).content()

    assert content.subject == "You’re invited to join Our Town"
    for words in (content.text, content.html):
        assert "Ana invites you" in words
        assert "@maria:example.test" in words
        assert "Open until November 28, 2026" in words
        assert "Choose a password" in words
    assert "> Come in!\n> We have cake.\n" in content.text


def test_invitation_speaks_its_language(configure: Configure) -> None:
    configure()

    content = mail(language="de", expires_at=datetime(2026, 11, 28, tzinfo=UTC)).content()

    assert '<html lang="de" dir="ltr">' in content.html
    assert "28. November 2026" in content.text


def test_invitation_in_html_loads_nothing_and_carries_its_style_in_the_elements(configure: Configure) -> None:
    configure(branding={"accent": "#ffdf9a"})

    html = mail().content().html

    assert "border-radius: 8px;background-color: #ffdf9a;color: #0a0c0b" in html
    assert "<style" not in html
    assert not {"img", "link", "script", "iframe"} & {*Words(html).tags}
    assert "url(" not in html
    assert '<meta name="color-scheme" content="light dark">' in html


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=200))
def test_invitation_with_any_words_stays_whole(configure: Configure, text: str) -> None:
    configure(email=SMTP)
    plain = Words(mail(inviter="x", message="y").content().html)

    composed = compose(mail(inviter=f"x{text}x", message=f"y{text}y"))

    html = Words(composed.get_body(("html",)).get_content())  # type: ignore[union-attr]
    assert html.tags == plain.tags
    assert f"y{text}y" in html.text
    assert bytes(composed)


def test_subject_of_a_long_name_with_odd_spaces_is_read_back_as_one_line(configure: Configure) -> None:
    configure(branding={"name": "Our  Tówn"}, email=SMTP)

    assert compose(mail())["Subject"] == "You’re invited to join Our Tówn"


@pytest.mark.parametrize(
    ("ground", "text"), [("#0b6e4f", "#ffffff"), ("#fff", "#0a0c0b"), ("#000000", "#ffffff"), ("#ffdf9a", "#0a0c0b")]
)
def test_text_on_a_colour_is_the_one_that_can_be_read(ground: str, text: str) -> None:
    assert text_on(ground) == text
