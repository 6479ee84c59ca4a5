"""`foyer application …`."""

from __future__ import annotations

from foyer.cli.app import new_app
from foyer.cli.application import deciding, reading, talking

app = new_app(help="Read requests for an account, and decide on them.", no_args_is_help=True)
for part in (reading, deciding, talking):
    part.add_to(app)
