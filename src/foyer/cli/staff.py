"""`foyer staff …`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from foyer.cli.app import command, new_app
from foyer.config.boot import boot

if TYPE_CHECKING:
    from foyer.staff.models import Staff

app = new_app(help="Make moderators and admins, list them, and change how they sign in.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Whom it is about.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input, one line, instead of asking.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@command(app)
def create(
    name: Name,
    role: Annotated[str | None, typer.Option(metavar="moderator|admin", help="What they may do.")] = None,
    email: Annotated[str, typer.Option(metavar="EMAIL", help="Where notices for them go.")] = "",
    password_stdin: PasswordStdin = False,
    json: Json = False,
) -> None:
    """Make a moderator or an admin, who signs in at /desk.

    A moderator decides on applications and invites; an admin does everything, and may enter /admin/.
    """
    boot()
    from foyer.cli import output
    from foyer.cli.staff_asking import new_password, role_of
    from foyer.kit.actor import Actor
    from foyer.staff import services

    free = services.check_name(name)
    wanted = role_of(role)
    made = services.create(
        free, wanted, password=new_password(free, from_stdin=password_stdin), email=email, actor=Actor.command_line()
    )
    if json:
        output.print_json(_as_json(made, []))
    else:
        print(f"{made.username} can sign in as {_article(wanted)} {wanted} at {_sign_in_address()}")


@command(app, "list")
def list_staff(json: Json = False) -> None:
    """List moderators and admins."""
    boot()
    from foyer.cli import output
    from foyer.cli.local_time import shown
    from foyer.staff import queries

    found = queries.everybody()
    factors = queries.second_factors(found)
    if json:
        output.print_json([_as_json(staff, factors[staff.pk]) for staff in found])
        return
    if not found:
        print("There is nobody yet. `foyer createsuperuser` makes the first admin.")
        return
    rows = [
        [
            staff.username,
            staff.role,
            "open" if staff.is_active else "disabled",
            ", ".join(FACTORS[kind] for kind in factors[staff.pk]) or "-",
            shown(staff.last_login, never="never"),
        ]
        for staff in found
    ]
    output.print_table(("NAME", "ROLE", "STATE", "SECOND FACTOR", "LAST SIGN-IN"), rows)


FACTORS = {"totp": "app", "webauthn": "passkey"}


@command(app)
def disable(name: Name) -> None:
    """Let somebody sign in no more. They are signed out everywhere at once."""
    boot()
    from foyer.kit.actor import Actor
    from foyer.staff import queries, services

    staff = queries.by_name(name)
    if not services.disable(staff, actor=Actor.command_line()):
        print(f"{staff.username} was disabled already.")
        return
    print(f"{staff.username} is signed out and cannot sign in any more. `foyer staff enable` undoes it.")
    if not queries.has_admin():
        print("Nobody is left who can sign in as an admin. `foyer createsuperuser` makes one.")


@command(app)
def enable(name: Name) -> None:
    """Let somebody who was disabled sign in again, with the password they had."""
    boot()
    from foyer.kit.actor import Actor
    from foyer.staff import queries, services

    staff = queries.by_name(name)
    changed = services.enable(staff, actor=Actor.command_line())
    print(f"{staff.username} can sign in again." if changed else f"{staff.username} was never disabled.")


@command(app, "reset-password")
def reset_password(name: Name, password_stdin: PasswordStdin = False) -> None:
    """Give somebody another password. They are signed out everywhere; their second factor stays."""
    boot()
    from foyer.cli.staff_asking import new_password
    from foyer.kit.actor import Actor
    from foyer.staff import queries, services

    staff = queries.by_name(name)
    password = new_password(staff.username, from_stdin=password_stdin)
    services.reset_password(staff, password, actor=Actor.command_line())
    print(f"{staff.username} has the new password, and is signed out everywhere.")


@command(app, "reset-second-factor")
def reset_second_factor(name: Name, yes: Yes = False) -> None:
    """Take somebody's authenticator app, passkeys and recovery codes away, as after a lost phone.

    The password alone lets them in then, to set up another. Make sure that it is really they who ask.
    """
    boot()
    from foyer.cli import output
    from foyer.kit.actor import Actor
    from foyer.staff import queries, services

    staff = queries.by_name(name)
    output.ask_before(f"Take every second factor of {staff.username} away?", yes=yes)
    count = services.reset_second_factor(staff, actor=Actor.command_line())
    print(
        f"{staff.username} signs in with the password alone now."
        if count
        else f"{staff.username} had no second factor; signed out everywhere all the same."
    )


def _as_json(staff: Staff, factors: list[str]) -> dict[str, Any]:
    return {
        "name": staff.username,
        "role": staff.role,
        "email": staff.email,
        "is_active": staff.is_active,
        "second_factors": factors,
        "created_at": staff.created_at.isoformat(),
        "last_sign_in_at": staff.last_login.isoformat() if staff.last_login else None,
    }


def _article(role: str) -> str:
    return "an" if role == "admin" else "a"


def _sign_in_address() -> str:
    from foyer.config import current

    return f"{current().public_url}/desk"
