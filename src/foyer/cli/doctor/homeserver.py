"""What the homeserver's own room finds, and what these credentials allow."""

from __future__ import annotations

from collections.abc import Iterator

from foyer.cli.doctor.findings import Finding, fault, ok, warning
from foyer.config.schema import Config
from foyer.homeserver.errors import HomeserverError
from foyer.homeserver.make import current as homeserver
from foyer.homeserver.port import Capability

WORDS = {
    Capability.NAMES: "see whether a name is free",
    Capability.CREATE: "make accounts",
    Capability.SIGN_IN: "try a password",
    Capability.LOOK_UP: "find out what became of an account",
    Capability.HOLD: "keep an account closed until someone says yes",
    Capability.SET_PASSWORD: "set passwords",
    Capability.EMAIL: "attach emails",
    Capability.ROOMS: "put people into rooms",
    Capability.SAY: "write to people",
    Capability.TOKENS: "keep registration tokens there",
}


def look(config: Config) -> Iterator[Finding]:
    """Yield what is found."""
    try:
        server = homeserver()
    except HomeserverError as error:
        yield fault(str(error), getattr(error, "remedy", ""))
        return
    for finding in server.probe(config.after.rooms).findings:
        yield Finding(finding.level.value, finding.sentence, finding.remedy)
    can = server.capabilities
    yield ok(f"Foyer can {', '.join(words for capability, words in WORDS.items() if capability in can)}.")
    if lacking := [words for capability, words in WORDS.items() if capability not in can]:
        yield ok(f"With these credentials it cannot {', '.join(lacking)}.")
    if config.after.rooms and Capability.ROOMS not in can:
        yield warning(
            "`after.rooms` names rooms, and Foyer may put nobody into them.",
            "Give homeserver.admin_token, or take the rooms out.",
        )
    if config.after.welcome_message and Capability.SAY not in can:
        yield warning(
            "`after.welcome_message` is shown on the last page only: Foyer cannot write to people in Matrix.",
            "Give homeserver.admin_token.",
        )
    if config.invitations.mirror and Capability.TOKENS not in can:
        yield warning(
            "`invitations.mirror` is set, and Foyer can keep no registration tokens at the homeserver: invitations are "
            "made without.",
            "Give homeserver.admin_token, or set invitations.mirror: false.",
        )
