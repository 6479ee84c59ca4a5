"""`foyer status`, as matrix-registration has it."""

from __future__ import annotations

from typing import Annotated

import typer

from foyer.cli.app import command, new_app
from foyer.config.boot import boot

app = new_app()


@command(app)
def status(
    name: Annotated[
        str | None, typer.Option("--status", "-s", metavar="NAME", help="Say whether the token is valid, and show it.")
    ] = None,
    list_all: Annotated[bool, typer.Option("--list", "-l", help="List the names of all tokens.")] = False,
    disable: Annotated[str | None, typer.Option("--disable", "-d", metavar="NAME", help="Disable the token.")] = None,
) -> None:
    """Show, list or disable tokens. Of several wishes one is granted: -d before -s before -l."""
    boot()
    from foyer.legacy import cli_words

    words, done = cli_words.status(name, list_all, disable)
    if words:
        print(words)
    if not done:
        raise typer.Exit(1)
