"""Patterns that are kept, patterns that are not, and how long the slowest of them may take."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foyer.screening.expressions import compiled_folded, compiled_plain, require_safe
from foyer.screening.models import About
from foyer.screening.patterns import checked, matches
from foyer.screening.rule_errors import (
    DomainMalformed,
    MatchesEverybody,
    NetworkMalformed,
    NetworkTooWide,
    PatternBroken,
    PatternMissing,
    PatternRefused,
    PatternSlow,
    PatternTooLong,
    PatternTooMuch,
)


@pytest.mark.parametrize(
    ("pattern", "refusal"),
    [
        ("", PatternMissing),
        ("   ", PatternMissing),
        ("a" * 201, PatternTooLong),
        ("(", PatternBroken),
        ("a)", PatternBroken),
        ("[a", PatternBroken),
        ("*a", PatternBroken),
        ("a**", PatternBroken),
        ("a{3,2}", PatternBroken),
        ("a\\", PatternBroken),
        ("[z-a]", PatternBroken),
        ("(?=a)b", PatternBroken),
        ("(?i)a", PatternBroken),
        ("(?P<name>a)", PatternBroken),
        (r"(a)\1", PatternTooMuch),
        (r"\A(a)", PatternTooMuch),
        ("a{256}", PatternTooMuch),
        (".*", MatchesEverybody),
        (".+|admin", MatchesEverybody),
        ("[^@]*@?.*", MatchesEverybody),
    ],
)
def test_expression_that_is_not_taken(pattern: str, refusal: type[PatternRefused]) -> None:
    with pytest.raises(refusal):
        checked(About.NAME, pattern)


CATASTROPHES = [
    "(a+)+b",
    "(a*)*b",
    "(a|a)*b",
    "(a|ab|b)*c",
    "([a-z]+)*1",
    "(?:a?){30}a{30}",
    "a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?aaaaaaaaaaaaaaaaaaaaaaaaa",
    "(.*)(.*)(.*)(.*)(.*)(.*)(.*)x",
    ".*.*.*.*.*.*x",
    "(x|y|xy)*z",
    "((ab)*)*c",
    "(foo|foobar|bar)*!",
]


@pytest.mark.parametrize("pattern", CATASTROPHES)
def test_expression_that_would_hang_is_refused_and_soon(pattern: str) -> None:
    begun = time.thread_time()
    with pytest.raises(PatternSlow):
        require_safe(pattern)

    assert time.thread_time() - begun < 2


@pytest.mark.parametrize(
    "pattern",
    [
        "admin",
        ".*admin.*",
        "(?:admin|root|support)[0-9]*",
        r"[a-z]+\d{4,}",
        r".*@(?:mail|smtp)\.example\.(?:com|net)",
        "bot-[a-f0-9]{8}",
        "x?y?z?",
        r"(\w|\d)*x",
        "(?:x?y)?z",
        "(?:ab){2,5}",
        "[^a-z].*",
        ".*spam.*bot.*",
        "[]a]b",
    ],
)
def test_expression_that_people_write_is_kept(pattern: str) -> None:
    assert checked(About.NAME, f" {pattern} ") == pattern


@pytest.mark.parametrize("typed", ["exa mple.com", "-a.example", "a..b", "ex_ample.com", "@", "a" * 300])
def test_domain_that_is_none_is_refused(typed: str) -> None:
    with pytest.raises((DomainMalformed, PatternMissing)):
        checked(About.DOMAIN, typed)


@pytest.mark.parametrize("typed", ["192.0.2.0/33", "example.com", "1.2.3", "192.0.2.1-9", "::g"])
def test_network_that_is_none_is_refused(typed: str) -> None:
    with pytest.raises(NetworkMalformed):
        checked(About.NETWORK, typed)


@pytest.mark.parametrize("typed", ["0.0.0.0/0", "::/0", "128.0.0.0/1"])
def test_network_as_large_as_the_internet_is_refused(typed: str) -> None:
    with pytest.raises(NetworkTooWide):
        checked(About.NETWORK, typed)


@given(pattern=st.text(alphabet="ab01i.|()[]{}*+?^$\\-,:é\n", max_size=30), name=st.from_regex("[a-z0-9._=/+-]{1,30}"))
@settings(deadline=None, max_examples=150)
def test_whatever_is_typed_is_refused_with_a_sentence_or_works(pattern: str, name: str) -> None:
    try:
        kept = checked(About.NAME, pattern)
    except PatternRefused:
        return
    compiled_plain(kept)
    compiled_folded(kept)
    matches("name", kept, name=name)


@given(name=st.from_regex(r"[a-z0-9._=/+-]{1,40}", fullmatch=True))
def test_name_is_matched_by_itself(name: str) -> None:
    assert matches("name", re.escape(name), name=name)
