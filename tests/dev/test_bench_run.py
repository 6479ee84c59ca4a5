"""One case that cannot be measured keeps no other from it, and Ctrl-C ends all of it at once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dev.bench import run
from dev.bench.run import Case
from dev.bench.scale import Found, Scale
from dev.environments import ROOT, SetupError

STOPPED = """
import os, signal, sys, time
from dev.bench import run

def waits(scale):
    print(scale.folder, flush=True)
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(60)

signal.signal(signal.SIGINT, signal.default_int_handler)  # Who runs tests in the background has it ignored.
run.CASES = {"waits": run.Case(waits, str), "next": run.Case(waits, str)}
sys.exit(run.main(["--quick"]))
"""


def cannot(_scale: Scale) -> Found:
    raise SetupError("There is no such program here.")


def breaks(_scale: Scale) -> Found:
    raise RuntimeError("Not every answer was 200.")


def works(scale: Scale) -> Found:
    (scale.folder / "kept").touch()
    return {"missing": scale.missing("A piece", SetupError("It is not here.\nInstall it."))}


def missing(found: Found) -> str:
    return str(found["missing"])


def unshowable(found: Found) -> str:
    return str(found["something else"])


def test_case_that_cannot_be_measured_says_why_and_the_next_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, measure in {"cannot": cannot, "breaks": breaks, "odd": works, "works": works}.items():
        monkeypatch.setitem(run.CASES, name, Case(measure, unshowable if name == "odd" else missing))
    before = run.DOCUMENT.read_text()

    failed = run.measure_all(["cannot", "breaks", "odd", "works"], tmp_path, quick=True)

    said = capsys.readouterr()
    assert failed == ["cannot", "breaks", "odd"]
    assert list(tmp_path.iterdir()) == []
    assert "cannot was not measured: There is no such program here." in said.out
    assert "RuntimeError: Not every answer was 200." in said.err
    assert "\nA piece was not measured: It is not here.\n" in said.out
    assert said.out.splitlines()[-1] == "Not measured: cannot, breaks, odd. What the page says of these is as it was."
    assert run.DOCUMENT.read_text() == before


def test_run_that_is_stopped_says_so_and_leaves_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", STOPPED], cwd=ROOT, capture_output=True, text=True, check=False)

    first, folder, *rest = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (130, "")
    assert (first, rest) == ("Measuring waits …", ["", "Stopped."])
    assert not Path(folder).exists()


def test_figures_kept_in_another_form_leave_the_page_as_it_was() -> None:
    figures = json.loads(run.FIGURES.read_text())
    document = run.DOCUMENT.read_text()

    older = {**figures, "hanging": {**figures["hanging"], "found": {"of": "another form"}}}

    assert run.document_of(document, older) == document
