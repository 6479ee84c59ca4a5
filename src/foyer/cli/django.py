"""`foyer django …`: Django's management commands, under Foyer's settings."""

from __future__ import annotations

HELP = """\
Usage: foyer django COMMAND [ARGS]

  Any management command of Django's, for instance `foyer django shell` or
  `foyer django dbshell`. `foyer django help` lists them all.

  --config PATH, before the command, names the configuration."""


def run(args: list[str]) -> None:
    """Run a management command with these words behind it."""
    if not args or args[0] in {"-h", "--help"}:
        print(HELP)
        return
    from foyer.config.boot import boot

    boot()
    from django.core.management import execute_from_command_line

    execute_from_command_line(["foyer django", *args])
