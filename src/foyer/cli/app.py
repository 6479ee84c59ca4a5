"""How a command of ours is made with typer: plain help, `-h` everywhere, the same last line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import typer

EPILOG = "--config PATH, before or after the command, names the configuration."
Function = TypeVar("Function", bound=Callable[..., Any])


def new_app(**settings: Any) -> typer.Typer:
    """Return an application for one module's command or commands."""
    return typer.Typer(
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        **settings,
    )


def command(app: typer.Typer, name: str | None = None) -> Callable[[Function], Function]:
    """Add the decorated function to an application; its docstring is the help."""
    return app.command(name, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
