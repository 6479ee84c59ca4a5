"""`foyer invite list` and `foyer invite show`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from foyer.cli.app import command
from foyer.cli.invite import options
from foyer.config.boot import boot

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from foyer.invites.models import Invite


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "list")(list_invitations)
    command(app, "show")(show)


def list_invitations(
    every: Annotated[bool, typer.Option("--all", help="Those that nobody can join by any more as well.")] = False,
    limit: Annotated[int, typer.Option(min=0, metavar="N", help="At most so many; 0 for all.")] = 100,
    json: options.Json = False,
) -> None:
    """List invitations, the newest first."""
    boot()
    from foyer.cli import output
    from foyer.cli.invite import showing
    from foyer.cli.local_time import shown

    found = _newest(every=every)
    rows = found[:limit] if limit else found
    if json:
        output.print_json_array(showing.as_json(invite) for invite in rows.iterator(chunk_size=1000))
        return
    table = [
        [
            invite.code,
            f"{invite.used}/{'∞' if invite.uses_limit is None else invite.uses_limit}",
            shown(invite.expires_at, never="never"),
            showing.state(invite),
            invite.label,
        ]
        for invite in rows
    ]
    if not table:
        print("There are no invitations yet. `foyer invite create` makes one." if every else NONE_OPEN)
        return
    output.print_table(("CODE", "USED", "EXPIRES", "STATE", "LABEL"), table)
    if limit and len(table) == limit and (more := found.count() - limit) > 0:
        print(f"… and {more} more. `--limit 0` shows all of them.")


NONE_OPEN = "No invitation is open. `foyer invite create` makes one; `--all` lists the closed ones as well."


def _newest(*, every: bool) -> QuerySet[Invite]:
    from django.db.models import F, Q

    from foyer.invites.models import Invite
    from foyer.kit.clock import now

    found = Invite.objects.select_related("mirror").order_by("-created_at", "-id")
    if every:
        return found
    return found.filter(
        Q(expires_at=None) | Q(expires_at__gt=now()),
        Q(uses_limit=None) | Q(uses_limit__gt=F("used")),
        revoked_at=None,
    )


def show(code: options.Code, json: options.Json = False) -> None:
    """Show one invitation, and who came by it."""
    boot()
    from foyer.cli import output
    from foyer.cli.invite import showing, values
    from foyer.cli.local_time import shown
    from foyer.invites import mirroring

    invite = values.invitation(code)
    people = showing.people(invite)
    if json:
        output.print_json({**showing.as_json(invite), "people": people})
        return
    output.print_facts(showing.facts(invite))
    from datetime import datetime

    for person in people:
        joined = person["joined_at"]
        when = shown(datetime.fromisoformat(joined)) if joined else "joining now"
        print(f"  {person['matrix_id'] or '(unknown)'}  {when}")
    if count := mirroring.used_there(invite):
        print(f"  and {count} who registered at the homeserver itself: it does not say who")
