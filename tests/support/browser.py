"""A real Chromium for pytest-playwright's `page`, whichever one this machine has."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.need import need

# Chromium looks for its maker's servers at every start; tests work where nothing outside can be reached.
_QUIET = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """How pytest-playwright starts the browser."""
    arguments = [*_QUIET, "--no-sandbox"] if os.geteuid() == 0 else _QUIET
    with pytest.MonkeyPatch.context() as patch:
        # Playwright runs an event loop in the thread of the test, and Django then refuses to ask its database.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield {**browser_type_launch_args, "executable_path": str(need("chromium")), "args": arguments}
