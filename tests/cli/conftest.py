"""How tests call `foyer`: within this process where they can, as a process of its own where they must."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from foyer.cli.dispatch import run


@dataclass(frozen=True)
class Said:
    """What a command line came to."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, read."""
        return json.loads(self.out)


Foyer = Callable[..., Said]


@pytest.fixture
def foyer(capsys: pytest.CaptureFixture[str]) -> Foyer:
    """Return `foyer(*args)`: run a command line under the tests' configuration and database."""

    def call(*args: str) -> Said:
        capsys.readouterr()
        status = run(list(args))
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return Said(status, said.out, said.err.strip())

    return call
