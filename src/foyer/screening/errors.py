"""Why an attempt is not looked at, and why it is not welcome.

TooMany                   from this client
└── TooManyOverall        from everybody together

NotWelcome                a rule of the moderators refuses it
├── NameNotWelcome
├── EmailNotWelcome
├── EmailDomainNotWelcome
└── NetworkNotWelcome
"""

from __future__ import annotations

import math

from django.utils.translation import gettext_lazy as _

from foyer.kit.refusal import Refusal


class TooMany(Refusal):
    """This client has tried too often. `retry_after` is in whole seconds, at least 1."""

    code = "too-many"
    status = 429
    sentence = _("There were too many tries from your network in a short time. Wait a little, then try again.")

    def __init__(self, *, retry_after: float) -> None:
        super().__init__()
        self.retry_after = max(1, math.floor(retry_after) + 1)


class TooManyOverall(TooMany):
    """Everybody together has tried more often than this door takes."""

    sentence = _("Very many people are at this door right now. Wait a little, then try again.")


class NotWelcome(Refusal):
    """A rule refuses this. The rule itself, and its comment, are told to nobody outside."""

    status = 403


class NameNotWelcome(NotWelcome):
    """Not under this name."""

    code = "name-not-allowed"
    field = "username"
    status = 400
    sentence = _("This user name cannot be had here. Choose another one.")


class EmailNotWelcome(NotWelcome):
    """Not with this email."""

    code = "email-refused"
    field = "email"
    status = 400
    sentence = _("This email cannot be used here. Use another one.")


class EmailDomainNotWelcome(EmailNotWelcome):
    """Not with an email of this provider."""

    code = "email-domain-refused"
    sentence = _("Emails of this provider cannot be used here. Use one of another provider.")


class NetworkNotWelcome(NotWelcome):
    """Not from there."""

    code = "network-refused"
    sentence = _("Nobody can apply from your network at the moment. Try from another one, or ask the people here.")
