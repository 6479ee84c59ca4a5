"""`foyer invite link` and `foyer invite qr`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from foyer.cli.app import command
from foyer.cli.errors import CommandFailed
from foyer.cli.invite import options
from foyer.config.boot import boot

PIXELS_A_SQUARE = 10
Plain = Annotated[bool, typer.Option("--plain", help="The form /register?token=CODE, as matrix-registration had it.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "link")(link)
    command(app, "qr")(qr)


def link(code: options.Code, plain: Plain = False, json: options.Json = False) -> None:
    """Print the link of an invitation."""
    boot()
    from foyer.cli import output
    from foyer.cli.invite import values
    from foyer.invites import queries

    invite = values.invitation(code)
    address = queries.link(invite, plain=plain)
    if json:
        output.print_json({"code": invite.code, "link": address})
    else:
        print(address)


def qr(
    code: options.Code,
    svg: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a vector drawing; - for standard output.")
    ] = None,
    png: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a picture; - for standard output.")] = None,
    plain: Plain = False,
) -> None:
    """Show the link as a QR code, or write it to a file.

    Without --svg or --png it is drawn here in the terminal.
    """
    if svg and png:
        raise CommandFailed("--svg and --png are two ways of one thing. Give one.", exit_code=2)
    boot()
    import segno

    from foyer.cli.invite import values
    from foyer.invites import queries

    address = queries.link(values.invitation(code), plain=plain)
    drawing = segno.make(address, error="m", micro=False)
    target = svg or png
    if target is None:
        drawing.terminal(compact=True)
        print(address)
        return
    kind = "svg" if svg else "png"
    drawing.save(sys.stdout.buffer if str(target) == "-" else str(target), kind=kind, scale=PIXELS_A_SQUARE)
    if str(target) != "-":
        print(f"Written to {target}.")
