"""`foyer cleanup`."""

from __future__ import annotations

from foyer.cli.app import command, new_app
from foyer.config.boot import boot

app = new_app()


@command(app)
def cleanup() -> None:
    """Delete now what the worker would delete within the hour: IPs, and all that `retention` says."""
    boot()
    from foyer.jobs.registry import scheduled

    done = [handler for handler in scheduled() if handler.lane == "house"]
    for handler in done:
        handler.deed("")
    print(f"Done: {', '.join(sorted(handler.kind for handler in done))}.")
