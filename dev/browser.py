"""A Chromium for the tests of the pages: the system's, else Debian's package, else Playwright's own."""

from __future__ import annotations

import contextlib
import os
import subprocess
from pathlib import Path

from dev import packages
from dev.environments import ROOT, SetupError, python_of, run

_PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
_ASK_PLAYWRIGHT = """
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    print(playwright.chromium.executable_path)
"""


def find_or_install_chromium() -> Path:
    """The path of a Chromium that starts; $FOYER_TEST_CHROMIUM names one by hand.

    Raises:
        SetupError: there is none and none could be had; one sentence.
    """
    if named := os.environ.get("FOYER_TEST_CHROMIUM"):
        return Path(named)
    if found := _of_the_system() or _of_playwright():
        return found
    with contextlib.suppress(SetupError):  # Ubuntu has it as a snap only; Playwright is next.
        packages.install("chromium-headless-shell")
    if found := _of_the_system():
        return found
    try:
        extra = ["--with-deps"] if os.geteuid() == 0 else []
        run(python_of(ROOT / ".venv"), "-m", "playwright", "install", *extra, "chromium")
    except SetupError as error:
        raise SetupError(
            "No Chromium is installed, and neither apt-get nor Playwright could bring one: install chromium."
        ) from error
    if found := _of_playwright():
        return found
    raise SetupError("Playwright installed a Chromium that does not start here: install chromium.")


def _of_the_system() -> Path | None:
    named = [found for program in _PROGRAMS if (found := packages.find(program))]
    return next((path for path in [*named, _MAC] if _starts(path)), None)


def _of_playwright() -> Path | None:
    python = python_of(ROOT / ".venv")
    if not python.exists():
        return None
    asked = subprocess.run([python, "-c", _ASK_PLAYWRIGHT], capture_output=True, text=True, check=False)
    path = Path(asked.stdout.strip() or "/nonexistent")
    return path if _starts(path) else None


def _starts(path: Path) -> bool:
    """Ubuntu puts a script in Chromium's place that only says where to get it, so ask for the version."""
    if not path.exists():
        return False
    return subprocess.run([path, "--version"], capture_output=True, timeout=60, check=False).returncode == 0
