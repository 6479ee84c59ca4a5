"""`foyer doctor --rehearse`: a join and an application on paper, at the homeserver itself, with reads only."""

from __future__ import annotations

import functools
import secrets
from collections.abc import Callable, Iterator

from foyer.cli.doctor.findings import Finding, fault, ok, warning
from foyer.config.schema import Config
from foyer.homeserver.errors import HomeserverError
from foyer.homeserver.make import make
from foyer.homeserver.port import Capability, Homeserver
from foyer.homeserver.rehearsal_client import NotSent, PaperClient, Request
from foyer.homeserver.rehearsal_paper import Imagination
from foyer.kit.matrix import mxid

Step = tuple[str, Callable[[], object]]
EMAIL = "newcomer@example.org"


class Paper:
    """One journey of one imagined newcomer."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.name = f"foyer-rehearsal-{secrets.token_hex(3)}"
        # Fits every policy there is, and nobody ever has it.
        self.password = f"Aa1!{secrets.token_urlsafe(24)}"
        self.notes: list[Request] = []
        imagine = Imagination(self.name, mxid(self.name, config.server_name))
        self.homeserver: Homeserver = make(config, functools.partial(PaperClient, notes=self.notes, imagine=imagine))

    def can(self, capability: Capability) -> bool:
        """Say whether these credentials allow it."""
        return capability in self.homeserver.capabilities

    def walk(self, journey: str, steps: Iterator[Step]) -> Iterator[Finding]:
        """Take one step after the other, and tell of each; a step that fails is the last."""
        for what, deed in steps:
            del self.notes[:]
            try:
                deed()
            except NotSent as error:
                yield warning(f"{journey}: {what}: what comes then cannot be told on paper ({error.detail}).")
                return
            except HomeserverError as error:
                yield fault(f"{journey}: {what}: {error}", getattr(error, "remedy", "") or error.detail)
                return
            asked = ", ".join(map(str, self.notes)) or "no request"
            yield ok(f"{journey}: {what}: {asked}.")


def look(config: Config) -> Iterator[Finding]:
    """Yield what would be done, step by step, with every request that would be sent."""
    if "invitation" in config.ways_in:
        paper = Paper(config)
        yield from paper.walk("Join", _join(paper))
    if "application" in config.ways_in:
        paper = Paper(config)
        steps = _held(paper) if _holds(paper) else _approved(paper)
        yield from paper.walk("Application", steps)


def _holds(paper: Paper) -> bool:
    return paper.can(Capability.HOLD) and paper.config.application.password != "when_approved"


def _name(paper: Paper) -> Iterator[Step]:
    yield "see whether the name is free", lambda: paper.homeserver.check_name(paper.name)
    yield "read the rules for passwords", paper.homeserver.password_policy


def _join(paper: Paper) -> Iterator[Step]:
    yield from _name(paper)
    yield "make the account", lambda: paper.homeserver.create(paper.name, paper.password)
    yield from _arrive(paper)


def _held(paper: Paper) -> Iterator[Step]:
    yield from _name(paper)
    yield "make the account, locked", lambda: paper.homeserver.hold(paper.name, paper.password)
    yield "after a yes, unlock it", lambda: paper.homeserver.open(paper.name)
    yield from _email(paper)
    yield from _arrive(paper)


def _approved(paper: Paper) -> Iterator[Step]:
    yield "see whether the name is free", lambda: paper.homeserver.check_name(paper.name)
    yield "after a yes, mail a link where the password is chosen; the join begins", lambda: None
    yield "make the account", lambda: paper.homeserver.create(paper.name, paper.password)
    yield from _email(paper)
    yield from _arrive(paper)


def _email(paper: Paper) -> Iterator[Step]:
    if paper.can(Capability.EMAIL):
        yield "attach the confirmed email", lambda: paper.homeserver.attach_email(paper.name, EMAIL)


def _arrive(paper: Paper) -> Iterator[Step]:
    homeserver, config = paper.homeserver, paper.config
    if paper.can(Capability.ROOMS):
        for room in config.after.rooms:
            yield f"put them into {room}", functools.partial(homeserver.join, paper.name, room)
    if paper.can(Capability.CONSENT) and any(text.must_accept for text in config.legal):
        yield "record that they accepted the terms", lambda: homeserver.record_consent(paper.name)
    message = config.after.welcome_message
    if message and paper.can(Capability.SAY):
        yield "say the welcome", lambda: homeserver.say(paper.name, message)
