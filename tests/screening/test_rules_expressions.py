"""Patterns that are kept, patterns that are not, and how long the slowest of them may take."""

from __future__ import annotations

import re
import sys

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from foyer.screening.automaton import FLAGS, MOST_PLACES, Automaton
from foyer.screening.expressions import LONGEST_SUBJECT, compiled_folded, compiled_plain, require_safe
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


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+b",
        "(a*)*b",
        "([a-z]+)*1",
        "(?:a?){30}a{30}",
        "((ab)*)*c",
        "(?:a+|b)*c",
        "a{255}" * 5,
        "(?:a|aa|aaa){255}",
    ],
)
def test_expression_that_repeats_what_repeats_or_too_much_is_refused(pattern: str) -> None:
    with pytest.raises(PatternSlow):
        require_safe(pattern)


WORDS = "casino|crypto|viagra|cialis|poker|slots|forex|token|promo|escort|pills|loans|deals|shops|sales|bot|bots|s"
# With `re` each of these goes on for minutes at one text or another, and some for as long as the universe.
CATASTROPHES = [
    f"(?:{WORDS})*",
    "(?:a|aa){40}",
    "(?:a|a){255}",
    "(a|a)*b",
    "(a|ab|b)*c",
    "a?" * 25 + "a{25}",
    "(.*)(.*)(.*)(.*)(.*)(.*)(.*)x",
    ".*" * 99 + "x",
    "(x|y|xy)*z",
    "(foo|foobar|bar)*!",
    r"(?:\b|a|b|ab)*" * 10,
    "[ab]{0,255}[ab]{0,255}[ab]{0,255}[ab]{0,200}x",
]


def calls_to_match(automaton: Automaton, text: str) -> int:
    """Return how many functions were called to match a text, those of Python itself too."""
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        automaton.matches_whole(text)
    finally:
        sys.setprofile(before)
    return calls


def most_calls(automaton: Automaton, text: str) -> int:
    """Return how many it may be: some for each letter, with each place of the expression in turn, and anchors."""
    return 20 * (len(text) + 1) * automaton.places


@pytest.mark.parametrize("unit", ["a", "ab", "bots", "foobar", "xy"])
@pytest.mark.parametrize("pattern", CATASTROPHES)
def test_expression_that_re_would_hang_at_takes_few_steps(pattern: str, unit: str) -> None:
    require_safe(pattern)
    text = (unit * LONGEST_SUBJECT)[: LONGEST_SUBJECT - 1] + "-"

    for automaton in (compiled_plain(pattern), compiled_folded(pattern)):
        assert automaton.places <= MOST_PLACES + 1
        assert calls_to_match(automaton, text) <= most_calls(automaton, text)


LETTERS = st.sampled_from(["a", "b", "ab", "ba", ".", "[ab]", r"\w", r"\b", "^", "$", "-", "é"])
REPEATS = st.sampled_from(["*", "+", "?", "{2}", "{0,3}", "{1,}", "*?"])
EXPRESSIONS = st.recursive(
    LETTERS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4).map("".join),
        st.lists(inner, min_size=1, max_size=4).map(lambda branches: f"(?:{'|'.join(branches)})"),
        st.tuples(inner, REPEATS).map(lambda it: f"(?:{it[0]}){it[1]}"),
    ),
    max_leaves=8,
)


@given(pattern=EXPRESSIONS, text=st.text(alphabet="abABé-\n", max_size=7))
@settings(deadline=None, max_examples=300)
def test_expression_that_is_kept_matches_what_re_matches(pattern: str, text: str) -> None:
    try:
        require_safe(pattern)
    except PatternRefused:
        assume(False)

    assert compiled_plain(pattern).matches_whole(text) == (re.fullmatch(pattern, text, FLAGS) is not None)


@given(pattern=EXPRESSIONS, unit=st.text(alphabet="ab-", min_size=1, max_size=4), end=st.sampled_from(["", "!", "\n"]))
@settings(deadline=None, max_examples=100)
def test_expression_that_is_kept_takes_few_steps_at_the_longest_text(pattern: str, unit: str, end: str) -> None:
    try:
        require_safe(pattern)
    except PatternRefused:
        assume(False)
    text = (unit * LONGEST_SUBJECT)[:LONGEST_SUBJECT] + end

    assert calls_to_match(compiled_plain(pattern), text) <= most_calls(compiled_plain(pattern), text)


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
