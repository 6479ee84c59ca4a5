"""`foyer` and `python -m foyer`."""

from __future__ import annotations

import sys

from foyer.cli.dispatch import run


def main() -> None:
    """Run one command and exit with its status."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
