"""The options that making and changing an invitation have in common."""

from __future__ import annotations

from typing import Annotated

import typer

Code = Annotated[str, typer.Argument(metavar="CODE", help="The code, or the whole link.")]
Codes = Annotated[list[str], typer.Argument(metavar="CODE…", help="Codes, or whole links.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Uses = Annotated[str | None, typer.Option(metavar="N|unlimited", help="How many people may join by it.")]
Expires = Annotated[
    str | None,
    typer.Option(metavar="7d|2027-01-31|never", help="How long it is good for, or its last day."),
]
Label = Annotated[str | None, typer.Option(metavar="TEXT", help="A note for yourself; visitors never see it.")]
Message = Annotated[str | None, typer.Option(metavar="TEXT", help="What the invited person reads on the page.")]
Room = Annotated[
    list[str] | None,
    typer.Option("--room", metavar="ROOM", help="A room or space they are put in; may be given again."),
]
Name = Annotated[str | None, typer.Option(metavar="NAME", help="The only user name that can be taken with it.")]
Email = Annotated[str | None, typer.Option(metavar="EMAIL", help="The email of the person it is for.")]
Mirror = Annotated[
    bool | None,
    typer.Option(
        "--mirror/--no-mirror",
        show_default=False,
        help="Let it be a registration token of the homeserver's own as well, or not.",
    ),
]
Inviter = Annotated[str | None, typer.Option(metavar="TEXT", help="Who invites, as the page says it.")]
