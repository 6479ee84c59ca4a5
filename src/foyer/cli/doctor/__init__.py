"""`foyer doctor`: looks at everything, changes nothing, and says how to mend what is wrong."""

from __future__ import annotations

from typing import Annotated

import typer

from foyer.cli.app import command, new_app

app = new_app()


@command(app)
def doctor(
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    rehearse: Annotated[
        bool, typer.Option("--rehearse", help="Walk a join and an application on paper, with reads only.")
    ] = False,
    mail_to: Annotated[
        str | None, typer.Option(metavar="EMAIL", help="Send a mail there, to see whether it arrives.")
    ] = None,
) -> None:
    """Look at everything, and say what is wrong and how to mend it.

    Configuration, database, homeserver, mail, and the way through the proxy. Exit status 1 if something keeps people
    out or loses what they send. With --rehearse also each step of a join and of an application, and every request that
    it would send to the homeserver; none that changes anything is sent.
    """
    from foyer.cli.doctor.rounds import rounds
    from foyer.cli.doctor.telling import tell_as_json, tell_as_text

    found = rounds(mail_to=mail_to, rehearse=rehearse)
    all_well = tell_as_json(found) if json else tell_as_text(found)
    if not all_well:
        raise typer.Exit(1)
