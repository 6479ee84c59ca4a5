"""Set the checkout up, then go on with its Python: see run.py."""

from __future__ import annotations

import os
import sys

from dev.bootstrap import environment_for, prepare
from dev.environments import ROOT, SetupError


def main(arguments: list[str]) -> None:
    """Become the program that does it.

    Raises:
        SetupError: the checkout cannot be set up here.
    """
    python = prepare()
    os.chdir(ROOT)
    os.execve(python, [str(python), "-m", "dev.soak.run", *arguments], environment_for())  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except SetupError as error:
        sys.exit(str(error))
