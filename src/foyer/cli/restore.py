"""`foyer restore`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foyer.cli.app import command, new_app
from foyer.cli.errors import CommandFailed
from foyer.config.boot import boot

if TYPE_CHECKING:
    from foyer.cli.archive.reading import Backup
    from foyer.config.schema import Config

app = new_app()


@command(app)
def restore(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A file that `foyer backup` wrote.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Put back what a backup holds, in place of everything that is there.

    All of it or nothing. Foyer may run meanwhile: whoever writes waits a moment. Accounts that were made since stay on
    the homeserver, and Foyer no longer knows of them.
    """
    config = boot()
    from foyer.cli import migrations
    from foyer.cli.archive import keys, loading
    from foyer.cli.archive.reading import Backup
    from foyer.invites import mirroring

    backup = Backup.open(path)
    if backup.manifest.server_name != config.server_name:
        raise CommandFailed(
            f"{path} is a backup of {backup.manifest.server_name}, and foyer.yaml is for {config.server_name}. Nothing "
            "was changed."
        )
    with loading.prepared(backup) as source:
        migrations.bring_up_to_date()
        _ask(backup, config, yes=yes)
        with keys.replaced(config, backup.secret_key) as put_key:

            def finish() -> None:
                mirroring.doubt()
                put_key()

            loading.load(source, before_commit=finish)
    print(f"Restored: {sum(backup.manifest.rows.values())} rows.")
    _say_of_the_key(backup, config)


def _ask(backup: Backup, config: Config, *, yes: bool) -> None:
    from foyer.cli import output
    from foyer.cli.archive.loading import what_is_here
    from foyer.cli.local_time import shown

    here = what_is_here()
    if not any(here.values()):
        return
    output.ask_before(
        f"Replace everything in {config.database.place} ({_words(here)}) by the backup of "
        f"{shown(backup.manifest.moment)} ({_words(backup.manifest.rows)})?",
        yes=yes,
    )


def _say_of_the_key(backup: Backup, config: Config) -> None:
    from foyer.cli.archive.saving import key_digest

    if backup.manifest.key_digest == key_digest():
        return
    if config.secret_key is None and backup.secret_key is not None:
        print("The secret key of then was put back too. Restart Foyer, so that it signs with that one.")
        return
    print(
        "The backup was made under another secret key, so links that were mailed then no longer prove anything. To "
        "keep them, put the secret key of then into foyer.yaml (`secret_key`), and restart Foyer."
    )


def _words(counted: dict[str, int]) -> str:
    from foyer.cli import output

    invitations, accounts = counted.get("invites_invite", 0), counted.get("accounts_account", 0)
    return (
        f"{output.counted(invitations, 'invitation', 'invitations')}, {output.counted(accounts, 'account', 'accounts')}"
    )
