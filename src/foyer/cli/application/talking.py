"""`foyer application ask` and `foyer application note`."""

from __future__ import annotations

from typing import Annotated

import typer

from foyer.cli.app import command
from foyer.cli.application import options
from foyer.cli.application.deciding import each, tell
from foyer.config.boot import boot

Question = Annotated[str, typer.Option("--message", "-m", metavar="TEXT", help="The question.")]
Note = Annotated[str, typer.Option("--message", "-m", metavar="TEXT", help="The note.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "ask")(ask)
    command(app, "note")(note)


def ask(application: options.Ids, message: Question, json: options.Json = False) -> None:
    """Ask the applicant something: by mail, and on the page of their request, where they answer."""
    boot()
    from foyer.applications import decisions
    from foyer.kit.actor import Actor

    tell(each(application, lambda one: decisions.ask(one, Actor.command_line(), message)), "asked", as_json=json)


def note(application: options.Ids, message: Note, json: options.Json = False) -> None:
    """Write a note that only moderators read."""
    boot()
    from foyer.applications import decisions
    from foyer.kit.actor import Actor

    tell(each(application, lambda one: decisions.note(one, Actor.command_line(), message)), "noted", as_json=json)
