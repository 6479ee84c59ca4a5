"""`foyer config show`, `check` and `dist`."""

from __future__ import annotations

from typing import Annotated

import typer

from foyer.cli.app import command, new_app

app = new_app(help="Show the configuration, or check it.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@command(app)
def show(json: Json = False) -> None:
    """Print the whole configuration as it counts, secrets masked.

    That is the file, the environment over it, and the defaults.
    """
    from foyer.config import current
    from foyer.config.load import find
    from foyer.config.show import as_json, render

    config = current()
    if json:
        print(as_json(config), end="")
        return
    print(f"# From {find() or 'the environment'} and the defaults.")
    print(render(config), end="")


@command(app)
def check(json: Json = False) -> None:
    """Say whether the configuration can be used.

    Nobody outside is asked: `foyer doctor` does that.
    """
    from foyer.cli import output
    from foyer.config import current
    from foyer.config.errors import ConfigError
    from foyer.config.load import find

    try:
        current()
    except ConfigError as error:
        if not json:
            raise
        names = ("key", "value", "sentence", "where")
        told = [{name: getattr(problem, name) for name in names} for problem in error.problems]
        output.print_json({"ok": False, "file": _name(find()), "problems": told})
        raise typer.Exit(1) from None
    if json:
        output.print_json({"ok": True, "file": _name(find()), "problems": []})
    else:
        print(f"{find() or 'The environment'} is right. `foyer doctor` looks at what it names.")


@command(app)
def dist() -> None:
    """Print foyer.dist.yaml: every key, its default, its meaning."""
    from foyer.config.dist import dist_yaml

    print(dist_yaml(), end="")


def _name(path: object) -> str | None:
    return str(path) if path is not None else None
