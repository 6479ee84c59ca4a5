from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foyer.web.pasted import code_in, key_in


@pytest.mark.parametrize(
    "text",
    [
        "UnwindTrophy",
        "  UnwindTrophy\n",
        "https://join.example.org/i/UnwindTrophy",
        "https://join.example.org/some/path/i/UnwindTrophy/",
        "https://join.example.org/i/UnwindTrophy?lang=de#top",
        "join.example.org/i/UnwindTrophy",
        "http://localhost:5000/register?token=UnwindTrophy",
        "https://join.example.org/register?lang=de&token=UnwindTrophy&key=abc",
        "<https://join.example.org/i/UnwindTrophy>",
        "„https://join.example.org/i/UnwindTrophy“",
        "unwind trophy",
        "UNWIND  TROPHY",
        "Unwind, Trophy",
    ],
)
def test_code_in_what_people_paste_is_the_code(text: str) -> None:
    assert code_in(text) == "UnwindTrophy"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ""),
        ("my-own.code_~1", "my-own.code_~1"),
        ("https://example.org/somewhere/Else", "https://example.org/somewhere/Else"),
        ("https://[broken", "https://[broken"),
        ("drop table; users", "drop table; users"),
    ],
)
def test_code_in_anything_else_is_left_as_it_came(text: str, found: str) -> None:
    assert code_in(text) == found


def test_key_in_a_mailed_link_is_found() -> None:
    assert key_in("https://join.example.org/i/UnwindTrophy?key=0a1b") == "0a1b"
    assert key_in("UnwindTrophy") == ""


@given(st.text())
def test_reading_of_any_text_never_fails(text: str) -> None:
    assert isinstance(code_in(text), str)
    assert isinstance(key_in(text), str)
