"""`foyer generate`, as matrix-registration has it."""

from __future__ import annotations

from typing import Annotated

import typer

from foyer.cli.app import command, new_app
from foyer.cli.errors import CommandFailed
from foyer.config.boot import boot

app = new_app()


@command(app)
def generate(
    maximum: Annotated[
        int, typer.Option("--maximum", "-m", metavar="N", help="How often it can be used; 0 for any number.")
    ] = 0,
    expires: Annotated[
        str | None, typer.Option("--expires", "-e", metavar="YYYY-MM-DD", help="The day from which on it is dead.")
    ] = None,
    one_time: Annotated[bool, typer.Option("--one-time", "-o", help="It can be used once.")] = False,
) -> None:
    """Make a token and print its name.

    As in matrix-registration it is unlimited and never ends unless asked. `foyer invite create` prints a link, and
    knows more.
    """
    boot()
    from foyer.legacy import cli_words

    try:
        print(cli_words.generate(maximum, expires, one_time))
    except ValueError as error:
        raise CommandFailed(str(error), exit_code=2) from None
