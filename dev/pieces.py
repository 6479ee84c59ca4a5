"""What a whole test run needs beside Python packages: found, or installed, or its absence said in a sentence."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from dev import browser, packages, postgres, synapse
from dev.environments import SetupError

PIECES: Mapping[str, Callable[[], Path]] = {
    "synapse": synapse.install,
    "postgresql": postgres.find_binaries,
    "chromium": browser.find_or_install_chromium,
    "nginx": lambda: packages.find_or_install("nginx"),
    "caddy": lambda: packages.find_or_install("caddy"),
}


def get(piece: str) -> Path:
    """Where a piece is. What an earlier step of this run found, or could not get, is taken from the environment.

    Raises:
        SetupError: it could not be had; one sentence.
    """
    if found := os.environ.get(_variable(piece)):
        return Path(found)
    if sentence := os.environ.get(_variable(f"no-{piece}")):
        raise SetupError(sentence)
    return PIECES[piece]()


def get_all() -> dict[str, str]:
    """Find or install every piece, side by side; returns the environment that tells get() the outcome."""
    with ThreadPoolExecutor(len(PIECES)) as pool:
        outcomes = pool.map(_outcome, PIECES)
    return dict(outcomes)


def missing(outcomes: Mapping[str, str]) -> list[str]:
    """The sentences of what get_all() could not get."""
    return [outcomes[name] for piece in PIECES if (name := _variable(f"no-{piece}")) in outcomes]


def _outcome(piece: str) -> tuple[str, str]:
    try:
        return _variable(piece), str(get(piece))
    except SetupError as error:
        return _variable(f"no-{piece}"), str(error)


def _variable(piece: str) -> str:
    return f"FOYER_TEST_{piece.upper().replace('-', '_')}"
