"""Every command: where it lives and what it is for, in the order of `foyer --help`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """One word after `foyer`. `module` has a typer application `app`; where `takes_all`, a function `run(args)`."""

    name: str
    module: str
    summary: str
    alias: str = ""
    takes_all: bool = False


GROUPS: tuple[tuple[str, tuple[Command, ...]], ...] = (
    (
        "To begin with",
        (
            Command("demo", "foyer.cli.demo", "Try Foyer: a homeserver in memory, a database that is thrown away."),
            Command("setup", "foyer.cli.setup", "Answer some questions, and foyer.yaml is written."),
            Command("doctor", "foyer.cli.doctor", "Look at everything, and say what is wrong and how to mend it."),
        ),
    ),
    (
        "Invitations",
        (Command("invite", "foyer.cli.invite", "Make invitations, show, change and withdraw them."),),
    ),
    (
        "Requests for an account",
        (Command("application", "foyer.cli.application", "Read requests for an account, and decide on them."),),
    ),
    (
        "Moderators and admins",
        (
            Command("staff", "foyer.cli.staff", "Make moderators and admins, and change how they sign in."),
            Command("createsuperuser", "foyer.cli.createsuperuser", "Make the first admin."),
        ),
    ),
    (
        "Running it",
        (
            Command("serve", "foyer.cli.serve", "Open the door: the pages and the worker.", alias="runserver"),
            Command("worker", "foyer.cli.worker", "Do what is owed, where `serve --no-worker` runs elsewhere."),
            Command("migrate", "foyer.cli.migrate", "Bring the database up to this version."),
            Command("cleanup", "foyer.cli.cleanup", "Delete now what the worker would delete within the hour."),
            Command("config", "foyer.cli.config", "Show the configuration, or check it."),
            Command("backup", "foyer.cli.backup", "Write everything into one file, while Foyer runs."),
            Command("restore", "foyer.cli.restore", "Put back what a backup holds."),
            Command("copy-database", "foyer.cli.copy_database", "Copy the SQLite database into PostgreSQL."),
            Command("django", "foyer.cli.django", "Any management command of Django's.", takes_all=True),
        ),
    ),
    (
        "As matrix-registration had them",
        (
            Command("generate", "foyer.cli.generate", "Make a token and print its name."),
            Command("status", "foyer.cli.status", "Show, list or disable tokens."),
        ),
    ),
)


def commands() -> dict[str, Command]:
    """Return every command by its name and by its alias."""
    found = {}
    for _, group in GROUPS:
        for command in group:
            found[command.name] = command
            if command.alias:
                found[command.alias] = command
    return found
