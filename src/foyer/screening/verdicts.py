"""What the rules say of an attempt.

verdict(name=…, email=…, client=…).require_welcome()
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import structlog

from foyer.kit.client_ip import ClientAddress
from foyer.screening import patterns, queries
from foyer.screening.errors import EmailDomainNotWelcome, EmailNotWelcome, NameNotWelcome, NetworkNotWelcome, NotWelcome
from foyer.screening.models import About, Effect, Rule

REFUSALS: dict[str, type[NotWelcome]] = {
    About.NAME: NameNotWelcome,
    About.EMAIL: EmailNotWelcome,
    About.DOMAIN: EmailDomainNotWelcome,
    About.NETWORK: NetworkNotWelcome,
}
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The rules that match: the first that refuses, those that want a person to look, and those that only flag."""

    refused_by: Rule | None
    held_by: tuple[Rule, ...]
    flags: tuple[Rule, ...]

    def require_welcome(self) -> None:
        """Return if no rule refuses.

        Raises:
            NotWelcome: the kind that says what is refused.
        """
        if self.refused_by is not None:
            log.info("a rule refuses", rule=self.refused_by.pk, about=self.refused_by.about)
            raise REFUSALS[self.refused_by.about]


def verdict(*, name: str = "", email: str = "", client: ClientAddress | None = None) -> Verdict:
    """Return what the rules say at this moment. What is left out, no rule looks at.

    `client`: one whose IP is not known is matched by no rule about networks.
    """
    known = {About.NAME: name, About.EMAIL: email, About.DOMAIN: email, About.NETWORK: client}
    rules = queries.live([about for about, value in known.items() if value])
    matching = [rule for rule in rules if matches(rule, name=name, email=email, client=client)]
    by_effect = partial(_with_effect, matching)
    refusing = by_effect(Effect.REFUSE)
    return Verdict(refusing[0] if refusing else None, by_effect(Effect.HOLD), by_effect(Effect.FLAG))


def matches(rule: Rule, *, name: str = "", email: str = "", client: ClientAddress | None = None) -> bool:
    """Say whether one rule matches, whether it still holds or not."""
    return patterns.matches(rule.about, rule.pattern, name=name, email=email, client=client)


def _with_effect(rules: list[Rule], effect: Effect) -> tuple[Rule, ...]:
    return tuple(rule for rule in rules if rule.effect == effect)
