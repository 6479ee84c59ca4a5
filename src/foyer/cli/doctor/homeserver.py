"""What the homeserver's own room finds, and what these credentials allow."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from pydantic import SecretStr

from foyer.cli.doctor.findings import Finding, fault, ok, warning
from foyer.config.blocks import Consent
from foyer.config.schema import Config
from foyer.homeserver.errors import HomeserverError
from foyer.homeserver.make import current as homeserver
from foyer.homeserver.make import make, make_rehearsal
from foyer.homeserver.port import Capability, Homeserver

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
    Capability.CONSENT: "record who accepted the terms",
}


TOKEN_KEY = "homeserver.admin_token"
CONSENTING = ("synapse",)


def look(config: Config, *, only_reading: bool = False) -> Iterator[Finding]:
    """Yield what is found; `only_reading`: without the questions that look like a registration."""
    try:
        server: Homeserver = make_rehearsal(config) if only_reading else homeserver()
    except HomeserverError as error:
        yield fault(str(error), getattr(error, "remedy", ""))
        return
    for finding in server.probe(config.after.rooms).findings:
        yield Finding(finding.level.value, finding.sentence, finding.remedy)
    can = server.capabilities
    yield ok(f"Foyer can {_in_words(can)}.")
    more = dict(_more(config, can))
    for key, gained in more.items():
        yield ok(f"With {key} it could also {_in_words(gained)}.")
    if never := WORDS.keys() - can.union(*more.values()):
        yield ok(f"At a homeserver of kind {config.homeserver.kind} it cannot {_in_words(never)}.")
    yield from _wishes(config, can, more.get(TOKEN_KEY, frozenset()))


def _wishes(config: Config, can: frozenset[Capability], by_token: frozenset[Capability]) -> Iterator[Finding]:
    """Yield what the configuration wants and the homeserver does not do."""

    def remedy(capability: Capability, otherwise: str) -> str:
        return f"Give {TOKEN_KEY}, or {otherwise}." if capability in by_token else f"{otherwise.capitalize()}."

    if config.after.rooms and Capability.ROOMS not in can:
        yield warning(
            "`after.rooms` names rooms, and Foyer may put nobody into them.",
            remedy(Capability.ROOMS, "take the rooms out"),
        )
    if config.after.welcome_message and Capability.SAY not in can:
        yield warning(
            "`after.welcome_message` is shown on the last page only: Foyer cannot write to people in Matrix.",
            remedy(Capability.SAY, "leave it at that"),
        )
    if config.invitations.mirror and Capability.TOKENS not in can:
        yield warning(
            "`invitations.mirror` is set, and Foyer can keep no registration tokens at the homeserver: invitations are "
            "made without.",
            remedy(Capability.TOKENS, "set invitations.mirror: false"),
        )


def _more(config: Config, can: frozenset[Capability]) -> Iterator[tuple[str, frozenset[Capability]]]:
    """Yield what each key that is not given would add."""
    unset: dict[str, dict[str, object]] = {TOKEN_KEY: {"admin_token": SecretStr("?")}}
    if config.homeserver.kind in CONSENTING:
        unset["homeserver.consent"] = {"consent": Consent(version="?", form_secret=SecretStr("?"))}
    for key, values in unset.items():
        block = config.homeserver.model_copy(update=values)
        if gained := make(config.model_copy(update={"homeserver": block})).capabilities - can:
            yield key, gained


def _in_words(capabilities: Collection[Capability]) -> str:
    return ", ".join(words for capability, words in WORDS.items() if capability in capabilities)
