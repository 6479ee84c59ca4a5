"""Why an attempt is not looked at.

TooMany               from this client
└── TooManyOverall    from everybody together
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
