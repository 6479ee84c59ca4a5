"""What the set-up decides before it installs anything."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dev import bootstrap, environments, pieces


def test_stale_catalogues_are_those_without_a_newer_compiled_one(tmp_path: Path) -> None:
    for language, age in (("de", -10), ("sv", 10), ("fr", None)):
        folder = tmp_path / language / "LC_MESSAGES"
        folder.mkdir(parents=True)
        (folder / "django.po").touch()
        if age is not None:
            (folder / "django.mo").touch()
            now = (folder / "django.po").stat().st_mtime
            os.utime(folder / "django.mo", (now + age, now + age))

    assert [path.parts[-3] for path in bootstrap.stale_catalogues(tmp_path)] == ["de", "fr"]


def test_run_a_step_that_fails_shows_what_it_printed() -> None:
    with pytest.raises(environments.SetupError, match=r"(?s)failed with code 4: sh .*out of paper"):
        environments.run("sh", "-c", "echo out of paper; exit 4")


def test_get_a_piece_that_could_not_be_had_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FOYER_TEST_NGINX", raising=False)
    monkeypatch.setenv("FOYER_TEST_NO_NGINX", "nginx is not installed.")

    with pytest.raises(environments.SetupError, match=r"^nginx is not installed\.$"):
        pieces.get("nginx")
