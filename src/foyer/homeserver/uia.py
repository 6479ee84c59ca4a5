"""Any homeserver that lets people register by a registration token: Conduit, Continuwuity, and whatever keeps to the
specification.

Foyer registers as a client would, with a token that it alone knows. It has no administrator, so that it can neither
hold accounts nor do anything with them once they are made.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.utils.translation import gettext_lazy as _

from foyer.homeserver.errors import NotPossible
from foyer.homeserver.plain import LONGEST_DEED, PlainServer
from foyer.homeserver.port import Created, Probe
from foyer.homeserver.uia_probe import examine
from foyer.homeserver.uia_registration import Registration


@dataclass
class RegistrationServer(PlainServer):
    """One homeserver at which we register as a client; see port.Homeserver for what each method promises."""

    registration_token: str = field(repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._registration = Registration(self._api, self.registration_token)

    def create(self, localpart: str, password: str, *, sign_in: bool = False) -> Created:
        """Register. 2 requests or 3, by what the server asks for, and one more where it gives a device unasked."""
        with self.client.within(LONGEST_DEED):
            self._check(localpart, password)
            return self._registration.register(self._mxid(localpart), localpart, password, sign_in=sign_in)

    def probe(self, rooms: Iterable[str] = ()) -> Probe:  # noqa: ARG002 - into rooms nobody can be put
        """Examine the server, and how it lets people register."""
        return examine(self._api, self._registration)

    def lacks(self) -> NotPossible:
        """Return the error of everything that registering as a client does not allow."""
        return NotPossible(
            remedy=_(
                "By a registration token (homeserver.kind: uia) Foyer makes accounts and no more. Where the homeserver "
                "is Synapse or Tuwunel, or the Matrix Authentication Service makes its accounts, name it in "
                "homeserver.kind with its credentials."
            ),
            detail="registers as a client",
        )
