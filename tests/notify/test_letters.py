"""Every message as people read it: the text of each beside this file, and each in a browser, light and dark.

After a change that is meant: FOYER_TEST_WRITE_LETTERS=1 pytest tests/notify/test_letters.py, then read the difference.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from foyer.notify.messages import Content, NewApplication, Verification
from tests.notify.letters import ADDRESS, DESK, KEY, letters
from tests.support.axe import findings, looks

SNAPSHOTS = Path(__file__).parent / "written"
NAMES = list(letters())
LANGUAGES = ("en", "de", "pt-br", "sv", "zh-hans")


@pytest.fixture(autouse=True)
def our_town(configure: Callable[..., object]) -> None:
    """Give the server a name."""
    configure(branding={"name": "Our Town"})


def sentences(content: Content) -> set[str]:
    """Return them, of the plain text."""
    return {part for line in content.text.splitlines() for part in re.split(r"(?<=[.:?!。：]) ?", line) if part}


@pytest.mark.parametrize("name", NAMES)
def test_letter_reads_as_it_did(name: str) -> None:
    content = letters()[name].content()
    now = f"Subject: {content.subject}\n\n{content.text}"
    kept = SNAPSHOTS / f"{name}.txt"
    if os.environ.get("FOYER_TEST_WRITE_LETTERS"):
        kept.write_text(now, encoding="utf-8")

    assert now == kept.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_letter_in_html_has_the_same_links_and_loads_nothing(name: str) -> None:
    content = letters()[name].content()

    links = set(re.findall(r'href="([^"]+)"', content.html))
    assert links == set(re.findall(r"https?://\S+", content.text)) - {"http://localhost:5000"}
    assert not re.search(r"<(img|link|script|iframe|style|form)|url\(|@import", content.html)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_letter_in_another_language_has_no_english_left(name: str, language: str) -> None:
    english, other = letters()[name].content(), letters(language)[name].content()

    assert other.language == language
    # Sentences of ours; not links, quotes, addresses and what is the same everywhere.
    own = {sentence for sentence in sentences(english) if re.match(r"[A-Z].* .* ", sentence)}
    asked = {question for question, _answer in getattr(letters()[name], "answers", ())}
    assert (own - asked) & sentences(other) == set()
    assert english.subject != other.subject or "request" not in english.subject


def test_letter_escapes_what_people_wrote_in_html_alone() -> None:
    content = letters()["new-application"].content()

    assert "I'd like to <join> the" in content.text
    assert "&lt;join&gt;" in content.html
    assert "<join>" not in content.html


def test_letter_leaves_out_characters_that_steer_terminals() -> None:
    message = replace(letters()["answered"], text="red \x1b[31m and \x00 and \x9b31m")  # type: ignore[call-arg]

    content = message.content()

    assert "> red [31m and  and 31m" in content.text
    assert not re.search("[\x00\x1b\x9b]", content.html)


def test_verification_says_nothing_that_whoever_asked_for_it_has_chosen() -> None:
    assert {field.name for field in fields(Verification)} == {"to", "language", "code", "link", "minutes"}


def test_secrets_of_a_message_stay_out_of_its_repr() -> None:
    for message in letters().values():
        assert KEY not in repr(message)
        assert "482913" not in repr(message)


def test_room_is_told_in_foyers_words_or_the_owners(configure: Callable[..., object]) -> None:
    message = letters()["new-application"]
    assert message.in_room() == f"New request: {ADDRESS}\n{DESK}"

    notice = "{address} asks {server}: {link} ({waiting} wait, {braces} too)"
    configure(branding={"name": "Our Town"}, moderators={"notice": notice.replace("{braces}", "{}")})

    assert message.in_room() == f"{ADDRESS} asks Our Town: {DESK} (3 wait, {{}} too)"


def test_new_application_alone_says_nothing_of_a_queue() -> None:
    message = letters()["new-application"]
    assert isinstance(message, NewApplication)

    text = replace(message, waiting=1, flags=()).content().text

    assert "waiting" not in text
    assert "stands out" not in text


@pytest.mark.browser
@pytest.mark.parametrize("accent", ["#0b6e4f", "#000000", "#ffdf9a"])
def test_letters_in_a_browser_fit_a_small_phone_and_can_be_read(
    browser: Browser, configure: Callable[..., object], accent: str
) -> None:
    configure(branding={"name": "Our Town", "accent": accent})
    context = browser.new_context()
    page = context.new_page()
    wrong: dict[str, Any] = {}
    for name, message in letters("de").items():
        page.set_content(message.content().html)
        # The mail leaves the ground to the program that shows it; axe asks the page.
        page.add_style_tag(content="html { background-color: Canvas; }")
        for width, scheme in looks(page):
            found = [finding for finding in findings(page) if not finding.startswith(PARTS_OF_A_PAGE)]
            if found or page.evaluate("document.documentElement.scrollWidth") > width:
                wrong[f"{name}, {width}, {scheme}"] = found or "too wide"
    context.close()

    assert wrong == {}


# Rules about the parts of a web page. A mail has none: it stands in the page of a mail program.
PARTS_OF_A_PAGE = ("landmark-one-main", "region")
