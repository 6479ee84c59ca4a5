"""`foyer invite create`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from foyer.cli.app import command
from foyer.cli.errors import CommandFailed
from foyer.cli.invite import options
from foyer.config.boot import boot

if TYPE_CHECKING:
    from foyer.invites.models import Invite

MOST_AT_ONCE = 10_000


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "create")(create)


def create(
    code: Annotated[str | None, typer.Option(metavar="CODE", help="A code of your own; else one is made up.")] = None,
    uses: options.Uses = None,
    expires: options.Expires = None,
    label: options.Label = None,
    message: options.Message = None,
    room: options.Room = None,
    name: options.Name = None,
    email: options.Email = None,
    inviter: options.Inviter = None,
    mirror: options.Mirror = None,
    count: Annotated[
        int | None,
        typer.Option(min=1, max=MOST_AT_ONCE, metavar="N", help="Make so many, alike but for the code."),
    ] = None,
    send: Annotated[bool, typer.Option("--send", help="Mail the link to --email.")] = False,
    json: options.Json = False,
) -> None:
    """Make an invitation and print its link.

    What is not given comes from `invitations` in foyer.yaml: one use and seven days, unless you changed it.
    """
    _refuse_contradictions(code=code, name=name, email=email, count=count, send=send)
    config = boot()
    from django.db import transaction

    from foyer.cli.invite import mirrored, values
    from foyer.invites import mailing, mirroring, services
    from foyer.kit.actor import Actor
    from foyer.kit.clock import now

    house = config.invitations
    wanted = services.NewInvite(
        code=code,
        uses_limit=house.uses if uses is None else values.uses(uses),
        expires_at=(now() + house.expires if house.expires else None) if expires is None else values.expires(expires),
        label=values.text_of("--label", label or ""),
        message=values.text_of("--message", message or ""),
        rooms=values.rooms(room or []),
        localpart=values.localpart(name or ""),
        email=values.email(email or ""),
        inviter=values.text_of("--inviter", inviter or ""),
        mirror=house.mirror if mirror is None else mirror,
    )
    if mirror:
        mirroring.require_possible(localpart=wanted.localpart, email=wanted.email)
    actor = Actor.command_line()
    with transaction.atomic():
        if count is None:
            made = [services.create(wanted, actor=actor)]
        else:
            made = services.create_many(count, wanted, actor=actor)
        if send:
            mailing.send(made[0], actor=actor)
    mirrored.tell(made)
    _print(made, as_json=json, as_array=count is not None, sent=send)


def _refuse_contradictions(
    *, code: str | None, name: str | None, email: str | None, count: int | None, send: bool
) -> None:
    for option, value in (("--code", code), ("--name", name), ("--email", email)):
        if value and count is not None:
            raise CommandFailed(f"{option} is for one invitation. Leave out --count.", exit_code=2)
    if send and not email:
        raise CommandFailed("--send needs --email: to whom shall it go?", exit_code=2)


def _print(made: list[Invite], *, as_json: bool, as_array: bool, sent: bool) -> None:
    from foyer.cli import output
    from foyer.cli.invite import showing
    from foyer.invites.queries import link

    if as_json and as_array:
        output.print_json_array(showing.as_json(invite) for invite in made)
    elif as_json:
        output.print_json(showing.as_json(made[0]))
    else:
        for invite in made:
            print(link(invite))
        if sys.stdout.isatty():  # whoever reads from a pipe wants the links alone
            print(showing.good_for(made[0]))
            if sent:
                print(f"It is on its way to {made[0].email}.")
            elif made[0].email:
                print("The email is attached to the account only if the link comes in Foyer's own mail (--send).")
