from __future__ import annotations

from dev.messages import gather, problems


def test_catalogues_are_complete_and_in_step() -> None:
    assert list(problems()) == []


def test_gathered_strings_hold_those_of_pages_and_of_refusals() -> None:
    gathered = gather()

    assert "Create your account" in gathered
    assert "This invitation has been used up. Ask the person who sent it for another." in gathered
