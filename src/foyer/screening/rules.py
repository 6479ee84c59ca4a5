"""How often each thing may be tried.

Every attempt counts for its client (an IPv4 address, or an IPv6 /64) and for the door as a whole. A client that is not
known, because a proxy on this machine sends no X-Forwarded-For, counts for the door alone. Looking at a page never
counts: whoever follows a link twice has done nothing wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from foyer.config import current
from foyer.config.values import Rate, rates

RuleName = Literal[
    "join",
    "apply",
    "verify",
    "resend",
    "reply",
    "availability",
    "strength",
    "validity",
    "api",
    "wrong-secret",
    "password",
]
Rates = tuple[Rate, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """The rates of one thing: for each client, and for everybody together."""

    per_client: Rates
    overall: Rates


FIXED: dict[RuleName, Rule] = {
    # Each one mails somebody who may never have asked for it. (One email has limits of its own, in applications.)
    "apply": Rule(rates("10/minute, 60/day"), rates("120/minute, 3000/day")),
    "resend": Rule(rates("10/minute, 60/day"), rates("120/minute, 5000/day")),
    # Codes: one has ten tries anyway, but a guesser could ask for many.
    "verify": Rule(rates("20/minute, 200/day"), rates("600/minute")),
    # Whatever else is sent from the pages of one's own request: answers, replies, another name.
    "reply": Rule(rates("20/minute, 300/day"), rates("600/minute")),
    # Asked while somebody types: one newcomer needs a dozen.
    "availability": Rule(rates("60/minute, 1000/day"), rates("1200/minute")),
    "strength": Rule(rates("120/minute, 2000/day"), rates("2400/minute")),
    # Clients of the homeserver ask once for each attempt.
    "validity": Rule(rates("30/minute, 500/day"), rates("600/minute")),
    # Scripts that make invitations by the hundred.
    "api": Rule(rates("600/minute"), rates("1200/minute")),
    # Only wrong ones count. Wrong secrets of known clients never close the door to anybody else.
    "wrong-secret": Rule(rates("10/minute, 100/day"), rates("60/minute, 1000/day")),
    # Wrong ones for one account, by pressing again with another password; counted by account, not by client.
    "password": Rule(rates("10/hour"), ()),
}


def rule(name: RuleName) -> Rule:
    """Return the rule of this name; that of joining is the owner's."""
    if name == "join":
        screening = current().screening
        return Rule(screening.join_per_ip, screening.join_overall)
    return FIXED[name]
