"""Tuwunel, which has most of Synapse's Admin API, with the differences that its source shows.

- `PUT /v2/users/X` does not say whether it made the account: there is no claim, and only the shared secret creates.
- It keeps no time of creation (0 stands there): after a lost answer nobody can tell whose an account is. So nothing is
  looked up and nothing is held, and what is not known is settled as with a shared secret alone.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from foyer.homeserver.port import Capability
from foyer.homeserver.synapse_dialect import Dialect

TUWUNEL = Dialect(
    software="Tuwunel",
    written_in="tuwunel.toml",
    claims=False,
    refuses_unusual=False,
    lacking=frozenset({Capability.LOOK_UP, Capability.HOLD}),
    why=_(
        "Tuwunel does not say when an account was made, so that Foyer never knows whether one is its own. Accounts can "
        "be held at Synapse; at Tuwunel applicants choose their password after the yes (application.password)."
    ),
)
