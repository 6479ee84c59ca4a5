"""What making a moderator or admin asks: a role, a name, a password. No secret is ever an argument."""

from __future__ import annotations

import getpass
import sys

from foyer.cli.errors import CommandFailed

ROLES = ("moderator", "admin")


def new_password(name: str, *, from_stdin: bool) -> str:
    """Return a password that is typed twice by a person, or is one line of a pipe.

    Raises:
        CommandFailed: nobody is there to ask, nothing came, or the two differ.
    """
    if from_stdin:
        # The end of the line is the pipe's; blanks may be the password's.
        password = sys.stdin.readline().rstrip("\r\n")
        if not password:
            raise CommandFailed("There is no password on standard input. Pipe one line into the command.")
        return password
    _needs_somebody("Give the password with --password-stdin.")
    password = getpass.getpass(f"Password for {name}: ")
    if password != getpass.getpass("Once more: "):
        raise CommandFailed("The two passwords differ. Nothing was changed; try again.")
    return password


def role_of(given: str | None) -> str:
    """Return the role that was given, or ask for it.

    Raises:
        CommandFailed: there is no such role, or nobody is there to ask.
    """
    if given is None:
        _needs_somebody("Give the role with --role.")
        given = input("Role (moderator or admin): ").strip()
    if given not in ROLES:
        raise CommandFailed(f"There is no role {given}. Choose moderator or admin.", exit_code=2)
    return given


def name_of(given: str | None) -> str:
    """Return the name that was given, or ask for it; the name at this machine is proposed.

    Raises:
        CommandFailed: nobody is there to ask.
    """
    if given is not None:
        return given
    _needs_somebody("Give the name: `foyer createsuperuser NAME`.")
    proposed = getpass.getuser()
    return input(f"Name [{proposed}]: ").strip() or proposed


def _needs_somebody(instead: str) -> None:
    if not sys.stdin.isatty():
        raise CommandFailed(f"Nobody is there to answer. {instead}", exit_code=2)
