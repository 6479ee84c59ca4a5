"""Bring Python files into shape: imports in order, what can be mended mended, then formatted."""

from __future__ import annotations

import subprocess
import sys

from dev.bootstrap import VENV, prepare
from dev.environments import ROOT, SetupError


def main(arguments: list[str]) -> int:
    """Run ruff's two commands on these paths, or on everything."""
    prepare()
    for command in (["check", "--fix", "--exit-zero", "--quiet"], ["format"]):
        done = subprocess.run([VENV / "bin" / "ruff", *command, *arguments], cwd=ROOT, check=False)
        if done.returncode:
            return done.returncode
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except SetupError as error:
        sys.exit(str(error))
