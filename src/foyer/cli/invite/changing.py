"""`foyer invite edit`, `revoke`, `restore` and `delete`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from foyer.cli.app import command
from foyer.cli.errors import CommandFailed
from foyer.cli.invite import options
from foyer.config.boot import boot


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "edit")(edit)
    command(app, "revoke")(revoke)
    command(app, "restore")(restore)
    command(app, "delete")(delete)


def edit(
    code: options.Code,
    uses: options.Uses = None,
    expires: options.Expires = None,
    label: options.Label = None,
    message: options.Message = None,
    room: options.Room = None,
    no_rooms: Annotated[bool, typer.Option("--no-rooms", help="Put them in no rooms.")] = False,
    name: options.Name = None,
    email: options.Email = None,
    inviter: options.Inviter = None,
    mirror: options.Mirror = None,
    json: options.Json = False,
) -> None:
    """Change an invitation; what is not named stays.

    An empty text, as in --label "", takes it away.
    """
    if room and no_rooms:
        raise CommandFailed("--room and --no-rooms contradict each other. Give one.", exit_code=2)
    boot()
    from foyer.cli import output
    from foyer.cli.invite import mirrored, showing, values
    from foyer.invites import mirroring, services
    from foyer.kit.actor import Actor

    readers: list[tuple[str, str | None, Any]] = [
        ("uses_limit", uses, values.uses),
        ("expires_at", expires, values.expires),
        ("label", label, lambda text: values.text_of("--label", text)),
        ("message", message, lambda text: values.text_of("--message", text)),
        ("localpart", name, values.localpart),
        ("email", email, values.email),
        ("inviter", inviter, lambda text: values.text_of("--inviter", text)),
    ]
    changes = {field: read(text) for field, text, read in readers if text is not None}
    if room or no_rooms:
        changes["rooms"] = values.rooms(room or [])
    if mirror is not None:
        changes["mirror"] = mirror
    if not changes:
        raise CommandFailed("Say what to change, for instance --uses 5. `foyer invite edit -h` shows all.", exit_code=2)
    invite = values.invitation(code)
    if mirror:
        pins = {field: changes.get(field, getattr(invite, field)) for field in ("localpart", "email")}
        mirroring.require_possible(**pins)
    invite = services.edit(invite, actor=Actor.command_line(), **changes)
    mirrored.tell([invite])
    if json:
        output.print_json(showing.as_json(invite))
    else:
        output.print_facts(showing.facts(invite))


def revoke(code: options.Codes) -> None:
    """Withdraw invitations: nobody new can join by them. `restore` takes that back."""
    boot()
    from foyer.cli.invite import values
    from foyer.invites import services
    from foyer.kit.actor import Actor

    for invite in [values.invitation(one) for one in code]:
        done = services.revoke(invite, actor=Actor.command_line())
        print(f"{invite.code} is withdrawn." if done else f"{invite.code} was withdrawn before.")


def restore(code: options.Codes) -> None:
    """Open invitations again that were withdrawn."""
    boot()
    from foyer.cli.invite import showing, values
    from foyer.invites import services
    from foyer.kit.actor import Actor

    for invite in [values.invitation(one) for one in code]:
        done = services.restore(invite, actor=Actor.command_line())
        invite.refresh_from_db()
        state = showing.state(invite)
        print(f"{invite.code} was not withdrawn; it is {state}." if not done else f"{invite.code} is {state} again.")


def delete(code: options.Codes, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False) -> None:
    """Delete invitations. The accounts that were made by them stay."""
    boot()
    from foyer.cli import output
    from foyer.cli.invite import values
    from foyer.invites import services
    from foyer.kit.actor import Actor

    found = [values.invitation(one) for one in code]
    output.ask_before(f"Delete {', '.join(invite.code for invite in found)} for good?", yes=yes)
    for invite in found:
        services.delete(invite, actor=Actor.command_line())
        print(f"{invite.code} is deleted.")
