"""Pieces of the system that a test needs: absent, it is skipped where one works, and fails where CI=true."""

from __future__ import annotations

import functools
import os
from pathlib import Path

import pytest

from dev import pieces
from dev.environments import SetupError


def need(piece: str) -> Path:
    """Where this piece of dev.pieces.PIECES is; without it the test that asks is skipped, or fails under CI."""
    found = _get(piece)
    if isinstance(found, Path):
        return found
    sentence = f"{piece}: {found}"
    if os.environ.get("CI") == "true":
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)


@functools.cache
def _get(piece: str) -> Path | str:
    try:
        return pieces.get(piece)
    except SetupError as error:
        return str(error)
