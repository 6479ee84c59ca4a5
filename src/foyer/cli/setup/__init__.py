"""`foyer setup`: the most important options, asked one by one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from foyer.cli.app import command, new_app

app = new_app()


@command(app)
def setup() -> None:
    """Answer some questions, and foyer.yaml is written.

    It is written to --config PATH, or to foyer.yaml in the current directory, and only its owner can read it. The
    answers may come from a pipe, a line for each question.
    """
    from foyer.cli.setup.writing import begin

    begin(Path(os.environ.get("FOYER_CONFIG") or "foyer.yaml"))


def offer() -> None:
    """Ask whether to set up now, where `foyer` was called and there is no configuration."""
    from foyer.cli.setup.asking import yes

    print("There is no configuration yet. `foyer --help` shows what else there is.")
    if yes("Shall we make one now", default=True):
        setup()
    else:
        sys.exit(1)
