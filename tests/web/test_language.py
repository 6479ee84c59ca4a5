from __future__ import annotations

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from foyer.web.language import choose, match, tag


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ("de", "de"),
        ("de-DE", "de"),
        ("de_AT", "de"),
        ("pt", "pt-br"),
        ("pt-PT", "pt-br"),
        ("pt_BR", "pt-br"),
        ("zh-CN", "zh-hans"),
        ("zh_Hans", "zh-hans"),
        ("zh", "zh-hans"),
        ("sv-FI", "sv"),
        ("en-US", "en"),
        ("zh-TW", None),
        ("zh-Hant-HK", None),
        ("tlh", None),
        ("", None),
    ],
)
def test_match_of_a_region_falls_back_to_its_language(wanted: str, code: str | None) -> None:
    assert match(wanted) == code


@pytest.mark.parametrize(
    ("asked", "cookie", "header", "code"),
    [
        ("", "", "", "en"),
        ("", "", "de-DE,de;q=0.9,en;q=0.8", "de"),
        ("", "", "fr-FR,fr;q=0.9", "en"),
        ("", "", "fr,pt;q=0.5,en;q=0.1", "pt-br"),
        ("", "sv", "de", "sv"),
        ("zh-Hans", "sv", "de", "zh-hans"),
        ("klingon", "sv", "de", "sv"),
        ("", "nonsense", "de", "de"),
        ("", "", "*", "en"),
    ],
)
def test_choose_takes_url_then_cookie_then_browser(asked: str, cookie: str, header: str, code: str) -> None:
    assert choose(asked=asked, cookie=cookie, header=header).code == code


@pytest.mark.parametrize(("code", "written"), [("de", "de"), ("pt-br", "pt-BR"), ("zh-hans", "zh-Hans")])
def test_tag_is_spelled_as_browsers_know_it(code: str, written: str) -> None:
    assert tag(code) == written


@given(st.text(), st.text(), st.text())
def test_choose_of_any_text_is_one_of_ours(asked: str, cookie: str, header: str) -> None:
    assert choose(asked=asked, cookie=cookie, header=header).code in {"en", "de", "pt-br", "sv", "zh-hans"}


def test_page_asked_for_in_german_says_so_and_remembers(client: Client) -> None:
    answer = client.get("/register?lang=de")

    assert answer["Content-Language"] == "de"
    assert '<html lang="de" dir="ltr">' in answer.text
    assert answer.cookies["foyer_language"].value == "de"
    assert client.get("/register")["Content-Language"] == "de"


def test_page_chosen_by_the_browser_sets_no_cookie(client: Client) -> None:
    answer = client.get("/register", headers={"Accept-Language": "de-AT"})

    assert answer["Content-Language"] == "de"
    assert not answer.cookies
    assert {"Accept-Language", "Cookie"} <= {name.strip() for name in answer["Vary"].split(",")}


def test_switcher_keeps_the_rest_of_the_query(client: Client) -> None:
    answer = client.get("/register?x=1&lang=de")

    assert 'href="?x=1&amp;lang=sv" lang="sv" hreflang="sv"' in answer.text
