"""`foyer createsuperuser`: what people who know Django look for."""

from __future__ import annotations

from typing import Annotated

import typer

from foyer.cli import staff
from foyer.cli.app import command, new_app
from foyer.config.boot import boot

app = new_app()


@command(app)
def createsuperuser(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="What they sign in with.")] = None,
    email: Annotated[str, typer.Option(metavar="EMAIL", help="Where notices for them go.")] = "",
    password_stdin: staff.PasswordStdin = False,
) -> None:
    """Make an admin, who may enter /admin/: the same as `foyer staff create NAME --role admin`."""
    boot()
    from foyer.cli.staff_asking import name_of

    staff.create(name_of(name), role="admin", email=email, password_stdin=password_stdin)
