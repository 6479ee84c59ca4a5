"""What the log may say, and how it says it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator

import pytest
import structlog

from tests.support.logs import configure

PASSWORD = "correct horse battery staple"
QUIETER = ("django.db.backends", "django.request", "django.security", "urllib3")


@pytest.fixture
def log_as() -> Iterator[Callable[[str], None]]:
    """Configure logging as in a process of its own, and put everything back."""
    root = logging.getLogger()
    handlers, level, known = root.handlers[:], root.level, structlog.get_config()
    levels = {name: logging.getLogger(name).level for name in QUIETER}
    yield lambda form: configure({"level": "info", "format": form})
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**known)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


def _break(password: str) -> None:
    raise LookupError(len(password))


def _log_the_fault() -> None:
    try:
        _break(PASSWORD)
    except LookupError:
        logging.getLogger("django.request").exception("Internal Server Error: /register")


@pytest.mark.parametrize("form", ["text", "json"])
def test_traceback_of_a_fault_with_a_password_at_hand_does_not_show_it(
    form: str, log_as: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    log_as(form)

    _log_the_fault()

    said = capsys.readouterr().err
    assert "LookupError: 28" in said
    assert PASSWORD not in said


def test_text_with_line_breaks_in_it_stays_on_one_line(
    log_as: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    log_as("text")

    logging.getLogger("foyer.homeserver").warning("It said: %s", "no\n2030-01-01 [info] all is well\x1b[2J")

    assert capsys.readouterr().err.count("\n") == 1


def test_json_with_line_breaks_in_it_stays_on_one_line(
    log_as: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    log_as("json")

    logging.getLogger("foyer.homeserver").warning("It said: %s", "no\nyes")

    assert json.loads(capsys.readouterr().err)["event"] == "It said: no\nyes"


def test_refusals_of_django_are_not_logged(log_as: Callable[[str], None], capsys: pytest.CaptureFixture[str]) -> None:
    log_as("text")

    logging.getLogger("django.request").warning("Bad request: %s", "/i/DoubleWizardSki")
    logging.getLogger("django.security.TooManyFieldsSent").error("Too many fields")

    assert capsys.readouterr().err == ""


def test_fault_on_a_page_of_an_invitation_does_not_name_it(
    log_as: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    log_as("text")

    logging.getLogger("django.request").error("%s: %s", "Internal Server Error", "/i/DoubleWizardSki")

    said = capsys.readouterr().err
    assert "Internal Server Error: /i/…" in said
    assert "Wizard" not in said
