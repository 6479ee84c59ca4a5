"""The demo works as a whole: set up, started, walked through, and gone."""

from __future__ import annotations

import subprocess

import pytest

from dev.environments import ROOT
from tests.support.need import need


@pytest.mark.synapse
def test_demo_check_walks_the_journeys_of_newcomers() -> None:
    need("synapse")

    done = subprocess.run(["scripts/demo", "--check"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].startswith("The journey works")
    assert done.stdout.count("  ok  signed in at Synapse as ") == 4
    assert done.stdout.count("  ok  ran `foyer application approve ") == 2
