"""`foyer doctor`: looks at everything, changes nothing, and says how to mend what is wrong."""

from __future__ import annotations

from typing import Annotated

import typer

from foyer.cli.app import command, new_app

app = new_app()


@command(app)
def doctor(
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    mail_to: Annotated[
        str | None, typer.Option(metavar="EMAIL", help="Send a mail there, to see whether it arrives.")
    ] = None,
) -> None:
    """Look at everything, and say what is wrong and how to mend it.

    Configuration, database, homeserver, mail, and the way through the proxy. Exit status 1 if something keeps people
    out or loses what they send.
    """
    from foyer.cli.doctor.rounds import rounds
    from foyer.cli.doctor.telling import tell_as_json, tell_as_text

    found = rounds(mail_to=mail_to)
    all_well = tell_as_json(found) if json else tell_as_text(found)
    if not all_well:
        raise typer.Exit(1)
