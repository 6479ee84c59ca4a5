"""What is asked of the two servers as a client: a sign-in at the one, a profile at the Synapse beside it.

https://element-hq.github.io/matrix-authentication-service/setup/homeserver.html#set-up-the-compatibility-layer
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from foyer.homeserver.client_api import ClientAPI
from foyer.homeserver.errors import HomeserverError, NotPossible, SignInRefused, filled
from foyer.homeserver.http import Answer
from foyer.homeserver.mas_users import TRIAL_DEVICE

NO_COMPATIBILITY = _(
    "%(url)s lets no Matrix client sign in with a password, so that Foyer cannot try one. Add `- name: compat` to the "
    "resources of the listener that homeserver.mas.url leads to, in config.yaml of the Matrix Authentication Service."
)


class SignInAtMas(ClientAPI):
    """The compatibility layer of the Matrix Authentication Service: /login and /logout as Matrix clients know them."""

    def password_is_right(self, mxid: str, password: str) -> bool:
        """Sign in and out again. Of a locked account it says that before it looks at the password: never right then."""
        try:
            token = self.sign_in(mxid, password, device_id=TRIAL_DEVICE)
        except SignInRefused:
            return False
        self.sign_out(token)
        return True

    def accounts_are_elsewhere(self) -> bool:
        """They are here."""
        return False

    def unexpected(self, answer: Answer) -> HomeserverError:
        """Return what it means that this cannot be asked here."""
        return NotPossible(remedy=filled(NO_COMPATIBILITY, url=self.client.url), **answer.said)


class SynapseBesideMas(ClientAPI):
    """A Synapse whose accounts are made elsewhere, which is as it should be."""

    def accounts_are_elsewhere(self) -> bool:
        """That explains nothing here."""
        return False
