"""`foyer application approve`, `deny` and `reopen`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import typer

from foyer.cli.app import command
from foyer.cli.application import options
from foyer.cli.errors import CommandFailed
from foyer.config.boot import boot

if TYPE_CHECKING:
    from foyer.applications.decisions import Outcome


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "approve")(approve)
    command(app, "deny")(deny)
    command(app, "reopen")(reopen)


def approve(
    application: options.Ids,
    message: options.Message = "",
    reason: options.Reason = "",
    silent: options.Silent = False,
    json: options.Json = False,
) -> None:
    """Say yes: the account is opened, or a link for it is mailed, as soon as the worker comes to it.

    Unlike in the desk there is no minute to undo it.
    """
    boot()
    from foyer.applications import decisions
    from foyer.cli.application import values
    from foyer.kit.actor import Actor

    outcomes = decisions.approve_many(
        values.numbers(application), Actor.command_line(), message, reason, silent=silent, at_once=True
    )
    tell(outcomes, "approved", as_json=json)


def deny(
    application: options.Ids,
    message: options.Message = "",
    reason: options.Reason = "",
    silent: options.Silent = False,
    json: options.Json = False,
) -> None:
    """Say no: what was held for the applicant is given up. `reopen` takes it back."""
    boot()
    from foyer.applications import decisions
    from foyer.cli.application import values
    from foyer.kit.actor import Actor

    outcomes = decisions.deny_many(
        values.numbers(application), Actor.command_line(), message, reason, silent=silent, at_once=True
    )
    tell(outcomes, "denied", as_json=json)


def reopen(application: options.Ids, json: options.Json = False) -> None:
    """Let denied applications wait again, each with the name it had, if nobody else has that by now."""
    boot()
    from foyer.applications import decisions
    from foyer.kit.actor import Actor

    tell(each(application, lambda one: decisions.reopen(one, Actor.command_line())), "waiting again", as_json=json)


def each(words: Sequence[str], deed: Callable[[int], object]) -> list[Outcome]:
    """Do it to each; what is refused keeps nothing else from being done."""
    from foyer.applications.decisions import Outcome
    from foyer.cli.application import values
    from foyer.kit.refusal import Refusal

    outcomes = []
    for one in values.numbers(words):
        try:
            deed(one)
        except Refusal as refusal:
            outcomes.append(Outcome(one, refusal))
        else:
            outcomes.append(Outcome(one))
    return outcomes


def tell(outcomes: Sequence[Outcome], what: str, *, as_json: bool) -> None:
    """Print what became of each.

    Raises:
        CommandFailed: not everything was done; a sentence for each that was not.
    """
    from foyer.applications.models import Application
    from foyer.cli import output
    from foyer.cli.application import showing

    rows = Application.objects.in_bulk([it.application_id for it in outcomes])
    if as_json:
        output.print_json_array(_as_json(it, rows.get(it.application_id)) for it in outcomes)
    else:
        for it in outcomes:
            if it.refusal is None:
                print(output.printable(f"{showing.title(rows[it.application_id])} is {what}."))
    refused = [showing.refusal(it.application_id, it.refusal) for it in outcomes if it.refusal is not None]
    if refused:
        raise CommandFailed("\n".join(refused))


def _as_json(outcome: Outcome, row: object) -> dict[str, object]:
    from foyer.cli.application import showing

    refusal = outcome.refusal
    return {
        "id": outcome.application_id,
        "state": getattr(row, "state", None),
        "done": refusal is None,
        "refusal": refusal and {"code": refusal.code, "sentence": showing.refusal(outcome.application_id, refusal)},
    }
