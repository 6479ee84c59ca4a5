from __future__ import annotations

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foyer.kit.codes import digests_match, is_code, keyed_digest, new_code, words
from foyer.kit.durations import format_duration, parse_duration
from foyer.kit.matrix import NameElsewhere, NameMalformed, NameMissing, NameTooLong, mxid, parse_localpart


@pytest.mark.parametrize("text", ["maria", " Maria ", "@maria", "@maria:example.org", "MARIA:Example.org"])
def test_parse_localpart_of_every_way_to_write_a_name_is_the_same(text: str) -> None:
    assert parse_localpart(text, "example.org") == "maria"


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("", NameMissing),
        ("@", NameMissing),
        ("mar ia", NameMalformed),
        ("märia", NameMalformed),
        ("maria:other.org", NameElsewhere),
        ("a" * 243, NameTooLong),
        ("a\n", None),
        ("a\0b", NameMalformed),
    ],
)
def test_parse_localpart_of_a_bad_name_says_which(text: str, refusal: type[NameMalformed] | None) -> None:
    if refusal is None:
        assert parse_localpart(text, "example.org") == "a"
        return
    with pytest.raises(refusal) as caught:
        parse_localpart(text, "example.org")
    assert type(caught.value) is refusal


@given(st.text(max_size=300))
def test_parse_localpart_of_any_text_is_a_localpart_or_a_refusal(text: str) -> None:
    try:
        name = parse_localpart(text, "example.org")
    except NameMalformed:
        return
    assert len(mxid(name, "example.org")) <= 255
    assert re.fullmatch(r"[a-z0-9=_./+-]+", name)


def test_new_code_is_four_words_that_old_pages_accept() -> None:
    code = new_code()

    assert re.fullmatch(r"([A-Z][a-z]+){4}", code)
    assert is_code(code)


@pytest.mark.parametrize("text", [".", "..", "...", "", "a b", "a/b", "a" * 65])
def test_code_that_no_link_can_hold_is_none(text: str) -> None:
    assert not is_code(text)


@pytest.mark.parametrize("text", [".a", "a.", "~", "-", "..-", "a" * 64])
def test_code_of_signs_is_one(text: str) -> None:
    assert is_code(text)


def test_words_are_enough_for_48_bits_and_no_two_alike() -> None:
    assert len(words()) ** 4 > 2**48
    assert all(re.fullmatch(r"[A-Z][a-z]+", word) for word in words())


def test_keyed_digest_of_another_key_or_purpose_differs() -> None:
    digest = keyed_digest("key", "mail", "value")

    assert digests_match(digest, keyed_digest("key", "mail", "value"))
    assert not digests_match(digest, keyed_digest("key", "link", "value"))
    assert not digests_match(digest, keyed_digest("other", "mail", "value"))


@given(st.integers(min_value=0, max_value=10**9))
def test_format_duration_is_read_back_the_same(seconds: int) -> None:
    assert parse_duration(format_duration(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "7", "d", "1.5h", "-3d", "7 days", "99999999999w", "9999999999w"])
def test_parse_duration_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)
