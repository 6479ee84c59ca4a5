"""`foyer application list` and `foyer application show`."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from foyer.cli.app import command
from foyer.cli.application import options
from foyer.cli.errors import CommandFailed
from foyer.config.boot import boot

if TYPE_CHECKING:
    from foyer.applications.models import Application
    from foyer.applications.queries import Tab

SECONDS_TO_SEARCH = 10.0
PAGE = 500
NOBODY_WAITS = "Nobody waits for a decision. `--all` lists the other applications as well."


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "list")(list_applications)
    command(app, "show")(show)


def list_applications(
    state: Annotated[
        list[str] | None,
        typer.Option("--state", metavar="STATE", help="Those in this state; may be given again."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Those in every state.")] = False,
    search: Annotated[str, typer.Option(metavar="WORDS", help="With this in the name, the email or an answer.")] = "",
    limit: Annotated[int, typer.Option(min=0, metavar="N", help="At most so many; 0 for all.")] = 100,
    json: options.Json = False,
) -> None:
    """List what waits for a decision, the oldest first; or, by --state or --all, others too, the newest first."""
    if state and every:
        raise CommandFailed("--state and --all contradict each other. Give one.", exit_code=2)
    boot()
    from foyer.cli import output
    from foyer.cli.application import showing, values

    wanted = None if every else values.states(state or [])
    found = _undecided(search) if wanted == [] else _newest(wanted, search)
    rows = islice(found, limit) if limit else found
    if json:
        output.print_json_array(showing.as_json(row) for row in rows)
        return
    table = [_line(row) for row in rows]
    if not table:
        print(NOBODY_WAITS if wanted == [] and not search else "There are none.")
        return
    output.print_table(("ID", "NAME", "EMAIL", "STATE", "SENT", "NOTICED"), table)
    if limit and next(found, None) is not None:
        print("… and more. `--limit 0` shows all of them.")


def _line(row: Application) -> list[str]:
    from foyer.applications import flags
    from foyer.cli.application import showing
    from foyer.cli.local_time import shown

    return [
        str(row.id),
        row.localpart or showing.WITHOUT_A_NAME,
        f"{row.email}{'' if row.email_verified_at or not row.email else ' (not verified)'}",
        row.state,
        shown(row.submitted_at),
        "; ".join(flags.phrase(flag) for flag in row.flags),
    ]


def _undecided(words: str) -> Iterator[Application]:
    """Walk the waiting and the asked as one queue."""
    return heapq.merge(_tab("waiting", words), _tab("asked", words), key=lambda row: (row.submitted_at, row.id))


def _tab(tab: Tab, words: str) -> Iterator[Application]:
    from foyer.applications import queries

    after = ""
    while True:
        page = queries.queue(tab, after=after, words=words, seconds=SECONDS_TO_SEARCH)
        yield from page.rows
        if not (after := page.after):
            return


def _newest(states: list[str] | None, words: str) -> Iterator[Application]:
    from foyer.applications import queries

    after = ""
    while True:
        page = queries.listing(states, after=after, words=words, size=PAGE, seconds=SECONDS_TO_SEARCH)
        yield from page.rows
        if not (after := page.after):
            return


def show(application: options.Id, json: options.Json = False) -> None:
    """Show one application: what was answered, what stands out, what was said and what happened."""
    boot()
    from foyer.cli import output
    from foyer.cli.application import showing, values

    row = values.application(application)
    if json:
        output.print_json(showing.as_json_whole(row))
        return
    output.print_facts(showing.facts(row))
    for heading, lines in showing.story(row):
        if lines:
            print(f"\n{output.printable(heading)}")
            for line in lines:
                print(f"  {output.printable(line)}")
