from __future__ import annotations

import sys
from types import FrameType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foyer.web.strength import judge


@pytest.mark.parametrize(
    ("password", "score"),
    [("", 0), ("password", 0), ("garden12", 1), ("quarzlampe nebel tragen ufer", 4)],
)
def test_judge_tells_weak_from_strong(password: str, score: int) -> None:
    assert judge(password).score == score


@pytest.mark.parametrize(
    ("password", "advice"),
    [
        ("qwertzuiop1", "Common words"),
        ("abcdefgh", "Sequences"),
        ("bvcxdfgt", "Rows of keys"),
        ("example.org", "It contains your name"),
        ("1999-12-31", "Dates"),
    ],
)
def test_judge_says_what_is_weak(password: str, advice: str) -> None:
    assert judge(password, ["example.org"]).advice.startswith(advice)


def test_judge_of_a_good_password_has_no_advice() -> None:
    assert judge("quarzlampe nebel tragen ufer").advice == ""


def steps(password: str, related: list[str]) -> int:
    """Return how many calls judging takes: what seconds would say on a machine that does nothing else."""
    count = 0

    def step(_frame: FrameType, _event: str, _argument: object) -> None:
        nonlocal count
        count += 1

    sys.setprofile(step)
    try:
        judge(password, related)
    finally:
        sys.setprofile(None)
    return count


def test_judge_of_a_long_password_reads_only_its_beginning() -> None:
    assert steps("Aa1!" * 15_000, []) < 2 * steps("Aa1!" * 18, [])


@pytest.mark.parametrize("signs", ["4@8({[<369&#!1/|0$5+7%2", "1|!7$5%+0369({[<pq", "aeiost1|!7$5%+0"])
def test_judge_of_signs_that_stand_for_letters_takes_few_steps(signs: str) -> None:
    assert steps(signs * 20, ["a" * 255]) < 1_000_000


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=100), st.text(max_size=300))
def test_judge_of_any_text_never_fails(password: str, related: str) -> None:
    assert judge(password, [related]).score in range(5)
