"""The short form of `scripts/soak`: people come in while web and worker are killed and the network breaks.

The long form, and what came of it: docs/reliability.md.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys

import pytest

from dev.bootstrap import environment_for
from dev.environments import ROOT
from tests.support.need import need

pytestmark = [pytest.mark.synapse, pytest.mark.database]

SECONDS = 300.0


def test_a_bad_day_loses_nothing_and_counts_nothing_twice() -> None:
    database = os.environ.get("FOYER_TEST_DATABASE", "sqlite")
    need("synapse")
    if database == "postgresql":
        need("postgresql")
    seed = str(secrets.randbelow(1_000_000))
    words = ["--short", "--database", database, "--seed", seed]

    done = subprocess.run(
        [sys.executable, "-m", "dev.soak.run", *words],
        cwd=ROOT,
        env=environment_for(),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )

    assert done.returncode == 0, f"scripts/soak {' '.join(words)}\n{done.stdout}{done.stderr}"
    assert "Nothing was lost." in done.stdout
