from __future__ import annotations

import pytest

from foyer.kit.guessing import READ_AT_MOST, score, to_be_judged


@pytest.mark.parametrize(
    ("password", "expected"), [("", 0), ("password", 0), ("garden12", 1), ("quarzlampe nebel tragen ufer", 4)]
)
def test_score_tells_weak_from_strong(password: str, expected: int) -> None:
    assert score(password) == expected


def test_to_be_judged_is_no_longer_and_no_harder_to_read_than_what_takes_a_moment() -> None:
    judged = to_be_judged("4@8({[<369&#!1/|0$5+7%2" * 20)

    assert len(judged) == READ_AT_MOST
    assert judged[:8] == "4@8({[--"
