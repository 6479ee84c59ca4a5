"""Dendrite, by its registration shared secret: Synapse's endpoint, and nothing else of Synapse's.

Known from its source: it has no lock and lets no admin put people into rooms; its registration tokens can be
made but not used to register. The shared secret's endpoint does not know inhibit_login, and a nonce stays good.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.utils.translation import gettext_lazy as _

from foyer.homeserver.errors import HomeserverError, NameTaken, NotPossible, filled
from foyer.homeserver.plain import LONGEST_DEED, PlainServer
from foyer.homeserver.port import Created, Finding, Level, PasswordPolicy, Probe
from foyer.homeserver.probing import accounts, fault_of, finding, software
from foyer.homeserver.synapse_secret import PATH, SharedSecret

SHORTEST_PASSWORD = 8
"""Dendrite asks for as many characters and says so nowhere."""
WRITTEN_IN = "dendrite.yaml (client_api)"
CAN_NO_MORE = _(
    "At Dendrite Foyer makes accounts. It cannot hold them for an application, attach emails, put people into rooms or "
    "send a welcome."
)


@dataclass
class Dendrite(PlainServer):
    """One Dendrite; see port.Homeserver for what each method promises."""

    shared_secret: str = field(repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._secret = SharedSecret(self._api, self.shared_secret, written_in=WRITTEN_IN)

    def create(self, localpart: str, password: str, *, sign_in: bool = False) -> Created:
        """Make it, and sign the device out that Dendrite gives unasked. 2 requests, or 3."""
        with self.client.within(LONGEST_DEED):
            self._check(localpart, password)
            try:
                return self._secret.register(localpart, password, sign_in=sign_in)
            except NameTaken:
                # Elsewhere a request that was sent twice has a nonce that is gone, and here one that is good.
                if self._api.is_ours_after_all(self._mxid(localpart), password):
                    return Created(self._mxid(localpart))
                raise

    def password_policy(self) -> PasswordPolicy:
        """Return what its source says."""
        return PasswordPolicy(min_length=SHORTEST_PASSWORD)

    def probe(self, rooms: Iterable[str] = ()) -> Probe:  # noqa: ARG002 - into rooms nobody can be put
        """Examine the server and the secret."""
        try:
            version = software(self._api)
        except HomeserverError as error:
            return Probe(None, (fault_of(self._api, error),))
        shown = filled(_("%(url)s answers: %(version)s."), url=self.client.url, version=version or "?")
        findings = [finding(Level.OK, shown), *accounts(self._api)]
        if findings[1:]:
            return Probe(version, tuple(findings))
        findings += self._secret.examine() if self._has_endpoint() else [self._no_endpoint()]
        findings.append(finding(Level.WARNING, CAN_NO_MORE))
        return Probe(version, tuple(findings))

    def lacks(self) -> NotPossible:
        """Return the error of everything that Dendrite has no endpoint for."""
        return NotPossible(
            remedy=_("Dendrite lets nobody do this from outside. Synapse and Tuwunel do."), detail="not at Dendrite"
        )

    def _has_endpoint(self) -> bool:
        """Dendrite has it only while there is a secret."""
        try:
            return self.client.get(PATH).status != 404
        except HomeserverError:
            return True  # then the examination of the secret says what is wrong

    def _no_endpoint(self) -> Finding:
        return finding(
            Level.FAULT,
            _("The registration shared secret makes no accounts."),
            _(
                "Put registration_shared_secret into the client_api of dendrite.yaml, and let homeserver.url lead to "
                "Dendrite with /_synapse/admin."
            ),
        )
