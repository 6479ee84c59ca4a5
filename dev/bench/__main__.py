"""Set the checkout up, then measure with its Python: see run.py."""

from __future__ import annotations

import os
import sys

from dev.bootstrap import environment_for, prepare
from dev.environments import ROOT, SetupError


def main(arguments: list[str]) -> None:
    """Become the program that measures.

    Raises:
        SetupError: the checkout cannot be set up here.
    """
    python = prepare()
    # Nothing is timed before its bytecode is on the disk, as after an installation.
    environment = {**environment_for(), "PYTHONDONTWRITEBYTECODE": ""}
    os.chdir(ROOT)
    os.execve(python, [str(python), "-m", "dev.bench.run", *arguments], environment)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except SetupError as error:
        sys.exit(str(error))
