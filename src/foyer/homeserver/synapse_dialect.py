"""What differs between Synapse and the servers that speak its Admin API."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise

from foyer.homeserver.errors import NotPossible
from foyer.homeserver.port import Capability


@dataclass(frozen=True)
class Dialect:
    """One software's way.

    written_in: the file in which its owner finds the shared secret. claims: an empty PUT says whether it made the
    account, so that an admin's token alone can create. refuses_unusual: names that begin with _ or are numbers are
    refused there; elsewhere Foyer does, as they are bridges' and guests'. lacking: what no credential allows, and why,
    for the owner.
    """

    software: str = "Synapse"
    written_in: str = "homeserver.yaml"
    claims: bool = True
    refuses_unusual: bool = True
    lacking: frozenset[Capability] = frozenset()
    why: str | Promise = ""

    def need(self, capability: Capability) -> None:
        """Return if this software can do it.

        Raises:
            NotPossible
        """
        if capability in self.lacking:
            raise NotPossible(remedy=self.why, detail=f"not at {self.software}")


SYNAPSE = Dialect()
