"""Homeservers of which Foyer is no administrator: they make accounts, and that is all.

What a client may ask of them is here; how an account is made there, each adapter knows itself.
"""

# ruff: noqa: ARG002
# What is refused needs no arguments, and the port names them.

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from foyer.homeserver.client_api import ClientAPI
from foyer.homeserver.errors import Busy, HomeserverError, Misconfigured, NameRefused, NameTaken, NotPossible
from foyer.homeserver.http import Answer, Client
from foyer.homeserver.port import Capability, Created, PasswordPolicy, Sighting, TokenUses
from foyer.homeserver.synapse_errors import account_refusal, refuse_impossible_name, refuse_unusual_name
from foyer.kit.matrix import mxid as full_mxid

LONGEST_DEED = 2.5
"""In time-outs: how long create may take over all its requests."""
CAPABILITIES = frozenset({Capability.NAMES, Capability.CREATE, Capability.SIGN_IN, Capability.PROBE})
REGISTRATION_IS_OFF = _(
    "The homeserver lets nobody register. Switch registration on with a registration token: allow_registration and "
    "registration_token at Conduit and Continuwuity, enable_registration and registration_requires_token at Synapse."
)


@dataclass
class PlainServer(ABC):
    """Everything of port.Homeserver but create() and probe(); what needs an administrator is refused with a remedy."""

    client: Client
    server_name: str

    def __post_init__(self) -> None:
        self._api = ClientAPI(self.client)

    @property
    def capabilities(self) -> frozenset[Capability]:
        """The same everywhere."""
        return CAPABILITIES

    @property
    def create_is_one_step(self) -> bool:
        """One request carries name and password."""
        return True

    @abstractmethod
    def lacks(self) -> NotPossible:
        """Return the error of what this server does not let us do, with what the owner can do about it."""

    def within(self, seconds: float) -> AbstractContextManager[None]:
        """Hand the limit on to the pool."""
        return self.client.within_seconds(seconds)

    def check_name(self, localpart: str) -> None:
        """Ask as a client that is about to register; look for a profile where that is asked too often."""
        refuse_impossible_name(localpart, self.server_name)
        refuse_unusual_name(localpart)
        try:
            answer = self._available(localpart)
        except Busy:
            # Synapse is slow to one IP that asks more than once in two seconds, and ours asks for everybody.
            if self._api.has_profile(self._mxid(localpart)):
                raise NameTaken(errcode="M_USER_IN_USE", error="User ID already taken.") from None
            return
        if not answer.ok:
            raise self._name_refusal(answer)
        if answer.body.get("available") is False:
            raise NameTaken(**answer.said)

    def exists(self, localpart: str) -> bool:
        """Look for a profile; ask whether the name is in use where profiles are not public."""
        has_profile = self._api.has_profile(self._mxid(localpart))
        if has_profile is not None:
            return has_profile
        answer = self._available(localpart)
        if not answer.ok and answer.errcode != "M_USER_IN_USE":
            raise self._name_refusal(answer)  # neither question was answered
        return not answer.ok

    def password_policy(self) -> PasswordPolicy:
        """The server's rules, where it has any."""
        return self._api.password_policy()

    def password_is_right(self, localpart: str, password: str) -> bool:
        """Sign in and out again."""
        return self._api.password_is_right(self._mxid(localpart), password)

    def look_up(self, localpart: str) -> Sighting | None:
        """Not here."""
        raise self.lacks()

    def hold(self, localpart: str, password: str) -> Created:
        """Not here."""
        raise self.lacks()

    def rehold(self, localpart: str, password: str) -> None:
        """Not here."""
        raise self.lacks()

    def open(self, localpart: str) -> None:
        """Not here."""
        raise self.lacks()

    def shelve(self, localpart: str) -> None:
        """Not here."""
        raise self.lacks()

    def reopen(self, localpart: str, password: str) -> None:
        """Not here."""
        raise self.lacks()

    def set_password(self, localpart: str, password: str) -> None:
        """Not here."""
        raise self.lacks()

    def attach_email(self, localpart: str, email: str) -> None:
        """Not here."""
        raise self.lacks()

    def join(self, localpart: str, room: str) -> None:
        """Not here."""
        raise self.lacks()

    def say(self, localpart: str, text: str) -> None:
        """Not here."""
        raise self.lacks()

    def say_in_room(self, room: str, text: str, *, key: str = "") -> None:
        """Not here."""
        raise self.lacks()

    def put_token(self, token: str, *, uses: int | None, expires_at: datetime | None) -> None:
        """Not here."""
        raise self.lacks()

    def delete_token(self, token: str) -> None:
        """Not here."""
        raise self.lacks()

    def token_uses(self, token: str) -> TokenUses | None:
        """Not here."""
        raise self.lacks()

    def record_consent(self, localpart: str) -> None:
        """Not here."""
        raise self.lacks()

    def _mxid(self, localpart: str) -> str:
        refuse_impossible_name(localpart, self.server_name)
        return full_mxid(localpart, self.server_name)

    def _check(self, localpart: str, password: str) -> None:
        refuse_impossible_name(localpart, self.server_name)
        refuse_unusual_name(localpart)  # bridges' names, where the server does not know them for that
        self.password_policy().check(password)

    def _available(self, localpart: str) -> Answer:
        return self.client.get("/_matrix/client/v3/register/available", query={"username": localpart})

    def _name_refusal(self, answer: Answer) -> HomeserverError:
        if refusal := account_refusal(answer):
            return refusal
        if answer.status == 400 and answer.is_matrix:
            return NameRefused(**answer.said)  # Conduit and its kin say M_UNKNOWN of a forbidden name
        if answer.errcode == "M_FORBIDDEN" and not self._api.accounts_are_elsewhere():
            return Misconfigured(remedy=REGISTRATION_IS_OFF, **answer.said)
        return self._api.unexpected(answer)
