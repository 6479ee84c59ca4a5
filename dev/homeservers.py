"""The table of docs/homeservers/index.md, made of the adapters and of the worlds that the contract suite runs on.

python -m dev.homeservers           # write it
python -m dev.homeservers --check   # say whether it is what the adapters promise
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from foyer.config.load import check
from foyer.homeserver.make import make
from foyer.homeserver.port import Capability, Homeserver
from tests.homeserver.conftest import KINDS, PLAIN

PAGE = Path(__file__).resolve().parent.parent / "docs" / "homeservers" / "index.md"
BEGIN = "<!-- python -m dev.homeservers writes from here -->"
END = "<!-- to here -->"
SECRET = {"registration_shared_secret": "s"}
TOKEN = {"admin_token": "t"}
MAS = {"mas": {"url": "http://127.0.0.1:8080", "client_id": "i", "client_secret": "s"}}
CONSENT = {"consent": {"version": "1", "form_secret": "f"}}
DOUBLE_OF_OURS = "memory-"
"""Worlds of the double that tests and `foyer demo` use; not a homeserver that anybody has."""

COLUMNS: dict[str, Capability] = {
    "held until a yes": Capability.HOLD,
    "a lost answer is looked up": Capability.LOOK_UP,
    "email attached": Capability.EMAIL,
    "put into rooms": Capability.ROOMS,
    "welcome said": Capability.SAY,
    "invitation also the server's own token": Capability.TOKENS,
    "consent recorded": Capability.CONSENT,
}


@dataclass(frozen=True)
class Row:
    """One kind of homeserver with one set of credentials, and the worlds of the contract suite that are like it."""

    kind: str
    page: str
    credentials: str
    keys: dict[str, Any]
    worlds: tuple[str, ...] = field(default=())


ROWS = (
    Row("synapse", "synapse.md", "shared secret", SECRET | CONSENT, ("synapse-secret",)),
    Row("synapse", "synapse.md", "admin token", TOKEN | CONSENT, ("synapse-token",)),
    Row("synapse", "synapse.md", "both", SECRET | TOKEN | CONSENT, ("synapse-both",)),
    Row("mas", "mas.md", "client", MAS, ("mas-client",)),
    Row("mas", "mas.md", "client and admin token", MAS | TOKEN, ("mas-token",)),
    Row("tuwunel", "tuwunel.md", "shared secret", SECRET, ("tuwunel-alone",)),
    Row("tuwunel", "tuwunel.md", "both", SECRET | TOKEN, ("tuwunel-admin",)),
    Row("dendrite", "dendrite.md", "shared secret", SECRET, ("dendrite",)),
    Row(
        "uia",
        "uia.md",
        "registration token",
        {"registration_token": "t"},
        ("uia-synapse", "uia-conduit", "uia-continuwuity", "uia-devices"),
    ),
)


def table() -> str:
    """Return it in Markdown."""
    heads = ["`kind`", "with", "an account is made in", *COLUMNS, "the contract suite ran on"]
    lines = [heads, ["---"] * len(heads), *(_cells(row) for row in ROWS)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _cells(row: Row) -> Iterator[str]:
    homeserver = _homeserver(row)
    yield f"[{row.kind}]({row.page})"
    yield row.credentials
    yield "one step" if homeserver.create_is_one_step else "two steps"
    for capability in COLUMNS.values():
        yield "yes" if capability in homeserver.capabilities else "–"
    yield ", ".join(_grounds(row))


def _homeserver(row: Row) -> Homeserver:
    keys = {"server_name": "example.org", "public_url": "https://join.example.org"}
    return make(check({**keys, "homeserver": {"kind": row.kind, **row.keys}}))


def _grounds(row: Row) -> Iterator[str]:
    real = _worlds()
    if any(real[world] for world in row.worlds):
        yield "a real Synapse"
    if not all(real[world] for world in row.worlds):
        yield "a double"


def _worlds() -> dict[str, bool]:
    """Return every world of the contract suite, and whether it is a real server.

    Raises:
        LookupError: the suite and the table do not speak of the same worlds.
    """
    found = {str(world.id): any(mark.name == "synapse" for mark in world.marks) for world in (*KINDS, *PLAIN)}
    shown = {world for row in ROWS for world in row.worlds}
    missing = {name for name in found if not name.startswith(DOUBLE_OF_OURS)} ^ shown
    if missing:
        raise LookupError(f"The contract suite and dev/homeservers.py differ: {', '.join(sorted(missing))}.")
    return found


def main(arguments: Sequence[str]) -> int:
    """Write the table into its page, or with --check say whether it stands there."""
    before, _begin, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    made = f"{before}{BEGIN}\n\n{table()}\n{END}{rest.partition(END)[2]}"
    if made == PAGE.read_text(encoding="utf-8"):
        return 0
    if "--check" in arguments:
        sys.stderr.write("The table of docs/homeservers/index.md is stale. Run `python -m dev.homeservers`.\n")
        return 1
    PAGE.write_text(made, encoding="utf-8")
    sys.stdout.write("docs/homeservers/index.md is written.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
