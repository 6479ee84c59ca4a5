from __future__ import annotations

import os
from pathlib import Path

import pytest

from foyer.cli.serve import cores


def test_processes_unless_said_are_one_a_core_and_at_most_four() -> None:
    assert 1 <= cores.one_a_core() <= min(len(os.sched_getaffinity(0)), 4)


@pytest.mark.parametrize(
    ("written", "allowed"),
    [("max 100000\n", 4), ("100000 100000\n", 1), ("150000 100000\n", 2), ("50000 100000\n", 1), ("", 4)],
)
def test_processes_unless_said_fit_into_what_a_container_gets(tmp_path: Path, written: str, allowed: int) -> None:
    (tmp_path / "cpu.max").write_text(written)

    assert cores._allowed(tmp_path / "cpu.max") == allowed


def test_processes_where_no_container_says_anything_are_not_held_down(tmp_path: Path) -> None:
    assert cores._allowed(tmp_path / "cpu.max") == 4
