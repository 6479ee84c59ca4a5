"""`foyer invite …`."""

from __future__ import annotations

from foyer.cli.app import new_app
from foyer.cli.invite import changing, creating, linking, reading

app = new_app(help="Make invitations, show, change and withdraw them.", no_args_is_help=True)
for part in (creating, reading, changing, linking):
    part.add_to(app)
