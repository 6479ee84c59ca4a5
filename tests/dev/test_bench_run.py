"""One case that cannot be measured keeps no other from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dev.bench import run
from dev.bench.run import Case
from dev.bench.scale import Found, Scale
from dev.environments import SetupError


def cannot(_scale: Scale) -> Found:
    raise SetupError("There is no such program here.")


def breaks(_scale: Scale) -> Found:
    raise RuntimeError("Not every answer was 200.")


def works(scale: Scale) -> Found:
    (scale.folder / "kept").touch()
    return {"missing": scale.missing("A piece", SetupError("It is not here.\nInstall it."))}


def missing(found: Found) -> str:
    return str(found["missing"])


def test_case_that_cannot_be_measured_says_why_and_the_next_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, measure in {"cannot": cannot, "breaks": breaks, "works": works}.items():
        monkeypatch.setitem(run.CASES, name, Case(measure, missing))
    before = run.DOCUMENT.read_text()

    failed = run.measure_all(["cannot", "breaks", "works"], tmp_path, quick=True)

    said = capsys.readouterr()
    assert failed == ["cannot", "breaks"]
    assert list(tmp_path.iterdir()) == []
    assert "cannot was not measured: There is no such program here." in said.out
    assert "RuntimeError: Not every answer was 200." in said.err
    assert "\nA piece was not measured: It is not here.\n" in said.out
    assert said.out.splitlines()[-1] == "Not measured: cannot, breaks. What the page says of these is as it was."
    assert run.DOCUMENT.read_text() == before
