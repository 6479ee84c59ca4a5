"""YAML, taken by its text."""

from __future__ import annotations

import pytest

from foyer.config.file import Source, read_yaml


def read(text: str) -> Source:
    source = Source("foyer.yaml")
    read_yaml(text, source)
    return source


def complaints(text: str) -> list[str]:
    return [str(problem) for problem in read(text).problems]


def test_yaml_values_stay_the_text_that_was_written() -> None:
    source = read("a: 0123\nb: no\nc: 2027-01-31\nd: 1:30\ne: 'null'\nf: 1_000\ng: .inf\n")

    assert source.tree == {
        "a": "0123",
        "b": "no",
        "c": "2027-01-31",
        "d": "1:30",
        "e": "null",
        "f": "1_000",
        "g": ".inf",
    }


def test_yaml_nothing_is_none() -> None:
    assert read("a:\nb: ~\nc: null\nd: [~, x]\n").tree == {"a": None, "b": None, "c": None, "d": [None, "x"]}


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "~"])
def test_yaml_empty_file_is_an_empty_configuration(text: str) -> None:
    assert (read(text).tree, read(text).problems) == ({}, [])


def test_yaml_lines_are_known_also_within_lists() -> None:
    assert read("a:\n  b: 1\nc:\n  - d: 1\n    e: 2\n").lines == {
        ("a",): 1,
        ("a", "b"): 2,
        ("c",): 3,
        ("c", 0): 4,
        ("c", 0, "d"): 4,
        ("c", 0, "e"): 5,
    }


def test_yaml_key_that_stands_twice_names_both_lines() -> None:
    assert complaints("a: 1\nb: {c: 1, c: 2}\na: 2\n") == [
        "b.c (foyer.yaml, line 2): This key stands twice, first in line 2. Remove one.",
        "a (foyer.yaml, line 3): This key stands twice, first in line 1. Remove one.",
    ]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("accent: #ff0000\n", "accent (foyer.yaml, line 1): "),
        ("a: 1\nrooms:\n  - x\n  - #welcome:example.org\n", "rooms (foyer.yaml, line 4): Entry 2: "),
    ],
)
def test_yaml_value_taken_for_a_comment_is_noticed(text: str, place: str) -> None:
    assert complaints(text) == [f"{place}YAML takes what follows # for a comment. Put the value in quotes."]


def test_yaml_ordinary_comments_are_left_alone() -> None:
    assert complaints("a: # a comment\nb:\n  #c: 1\nd: ## x\ne: null #x\nf: '' #x\ng: x#y\n") == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            "a: 1\nb: [1\nc: 2",
            (
                "foyer.yaml, line 3: This is not valid YAML at column 2: expected ',' or ']', but got ':'. "
                "Check the indentation, the quotes and the brackets there."
            ),
        ),
        (
            "a: 1\n\tb: 1",
            (
                "foyer.yaml, line 2: This is not valid YAML at column 1: found character '\\t' "
                "that cannot start any token. Use spaces, not tabs."
            ),
        ),
        (
            "password: *hunter2",
            (
                "foyer.yaml, line 1: This is not valid YAML at column 11: found undefined alias. "
                "A value with signs such as * & ! @ % ` # or a colon in it needs quotes."
            ),
        ),
        (
            "password: a: hunter2",
            (
                "foyer.yaml, line 1: This is not valid YAML at column 12: mapping values are not allowed here. "
                "A value with signs such as * & ! @ % ` # or a colon in it needs quotes."
            ),
        ),
        ("password: !hunter2 x", "password (foyer.yaml, line 1): A value that begins with ! needs quotes."),
        ("- a\n", "foyer.yaml, line 1: A configuration is keys with values, such as server_name: example.org."),
        ("words", "foyer.yaml, line 1: A configuration is keys with values, such as server_name: example.org."),
        ("? [a]\n: b\n", "foyer.yaml, line 1: A key must be a word."),
        ("a: &x [*x]\n", "a (foyer.yaml, line 1): Entry 1: This block contains itself through an alias. Write it out."),
        ('a: "\\ud800"\n', "a (foyer.yaml, line 1): This holds half of a character. Retype it."),
        ("a: \x01\n", "foyer.yaml: This file has a character that YAML forbids. Retype the value that it is in."),
        (
            "[" * 3000,
            "foyer.yaml: This file is nested too deeply, or has a number in an escape that is no character.",
        ),
    ],
)
def test_yaml_that_is_wrong_is_explained_without_its_content(text: str, complaint: str) -> None:
    assert complaints(text) == [complaint]


def test_yaml_two_documents_are_refused() -> None:
    assert complaints("a: 1\n---\nb: 1\n") == [
        (
            "foyer.yaml, line 2: This is not valid YAML at column 1: but found another document. "
            "Check the indentation, the quotes and the brackets there."
        )
    ]
