"""Why a rule cannot be kept. For those who make rules.

PatternRefused            no rule can have this pattern
├── PatternMissing
├── PatternTooLong
├── PatternBroken         not a regular expression
├── PatternTooMuch        a part of regular expressions that is not taken here
├── PatternSlow           it could hang the server
├── MatchesEverybody
├── DomainMalformed
├── NetworkMalformed
└── NetworkTooWide

ExpiryPast                it would be over already
RuleUnknown               there is none with this number
RuleEnded                 it was ended before, and changes no more
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from foyer.kit.refusal import Refusal


class PatternRefused(Refusal):
    """A rule cannot have this pattern."""

    field = "pattern"


class PatternMissing(PatternRefused):
    """Nothing was typed."""

    code = "pattern-missing"
    sentence = _("Say what the rule is to match.")


class PatternTooLong(PatternRefused):
    """More than `max_length` characters."""

    code = "pattern-too-long"
    sentence = _("This is too long. Use at most %(max_length)s characters, or make two rules of it.")


class PatternBroken(PatternRefused):
    """It is no regular expression; `reason` is Python's word for it."""

    code = "pattern-broken"
    sentence = _("This is not a whole regular expression (%(reason)s). Check its brackets and signs.")


class PatternTooMuch(PatternRefused):
    """`part` is beyond what is taken here."""

    code = "pattern-too-much"
    sentence = _("Rules do not take %(part)s. Use letters, classes, groups, alternatives and repeats up to 255.")


class PatternSlow(PatternRefused):
    """A name could be made up that keeps the server busy."""

    code = "pattern-slow"
    sentence = _("Some texts would keep the server busy with this for long. Avoid repeats within repeats.")


class MatchesEverybody(PatternRefused):
    """It says nothing about anybody."""

    code = "pattern-matches-everybody"
    sentence = _("This matches everybody. Say more narrowly whom you mean.")


class DomainMalformed(PatternRefused):
    """Not a domain."""

    code = "domain-malformed"
    sentence = _("This is not a domain. Type it like example.com; what is below it is matched, too.")


class NetworkMalformed(PatternRefused):
    """Neither an IP nor a network."""

    code = "network-malformed"
    sentence = _("This is neither an IP nor a network. Type it like 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32.")


class NetworkTooWide(PatternRefused):
    """Half of the internet."""

    code = "network-too-wide"
    sentence = _("This network is too large: it would match a good part of the internet. Type a smaller one.")


class ExpiryPast(Refusal):
    """The rule would be over before it begins."""

    code = "expiry-past"
    field = "expires"
    sentence = _("This moment is over. Choose one that is to come.")


class RuleUnknown(Refusal):
    """There is none with this number."""

    code = "rule-unknown"
    status = 404
    sentence = _("There is no such rule.")


class RuleEnded(Refusal):
    """It does nothing any more, and stays as it was."""

    code = "rule-ended"
    status = 409
    sentence = _("This rule was ended before. Make a new one instead.")
