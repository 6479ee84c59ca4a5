"""What every Matrix homeserver answers without an administrator: profiles, sign-in, the password policy.

https://spec.matrix.org/v1.11/client-server-api/
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field

from django.utils.translation import gettext_lazy as _

from foyer.homeserver.errors import (
    HomeserverError,
    Misconfigured,
    NotPossible,
    SignInLocked,
    SignInRefused,
    Unreachable,
    filled,
)
from foyer.homeserver.http import Answer, Client, segment
from foyer.homeserver.port import PasswordPolicy

POLICY_SECONDS = 300.0
DEVICE_NAME = "Foyer"
TRIAL_DEVICE = "FOYER_TRIAL"
ACCOUNTS_ELSEWHERE = _(
    "The Matrix Authentication Service makes the accounts of this homeserver. Set homeserver.kind: mas, and tell Foyer "
    "of the service in homeserver.mas."
)

log = logging.getLogger(__name__)


@dataclass
class ClientAPI:
    """The client-server API as anybody may use it."""

    client: Client
    _policy: tuple[float, PasswordPolicy] | None = field(default=None, init=False)

    def has_profile(self, mxid: str) -> bool | None:
        """There is an account of this name; None where the server tells this only to its own people."""
        answer = self.client.get(f"/_matrix/client/v3/profile/{segment(mxid)}")
        # Synapse says M_NOT_FOUND or, in some versions, M_UNKNOWN.
        if answer.status == 404 and answer.errcode not in ("", "M_UNRECOGNIZED"):
            return False
        if answer.status in (401, 403) and answer.is_matrix:
            return None
        if not answer.ok:
            raise self.unexpected(answer)
        return True

    def password_policy(self) -> PasswordPolicy:
        """Return the rules for passwords, at most POLICY_SECONDS old. A server without such rules has none."""
        if self._policy is None or time.monotonic() > self._policy[0]:
            self._policy = (time.monotonic() + POLICY_SECONDS, self._read_policy())
        return self._policy[1]

    def sign_in(self, mxid: str, password: str, **device: str) -> str:
        """Make a device and return its access token. device: more keys of the login request.

        Raises:
            NotPossible: the server has no sign-in by password.
            SignInLocked: the password is right.
            SignInRefused: wrong password, or no such account.
        """
        identifier = {"type": "m.id.user", "user": mxid}
        body = {"type": "m.login.password", "identifier": identifier, "password": password, **device}
        answer = self.client.call("POST", "/_matrix/client/v3/login", body)
        token = answer.text("access_token")
        if answer.ok and token:
            return token
        if answer.ok:
            raise Unreachable(maybe_done=True, **answer.said)
        if answer.errcode in ("M_FORBIDDEN", "M_USER_DEACTIVATED"):
            raise SignInRefused(**answer.said)
        if answer.errcode == "M_USER_LOCKED":
            raise SignInLocked(**answer.said)
        if answer.status == 400 and answer.is_matrix:
            remedy = _("Nobody can sign in with a password: see password_config.enabled in homeserver.yaml.")
            raise NotPossible(remedy=remedy, **answer.said)
        raise self.unexpected(answer)

    def sign_in_newcomer(self, mxid: str, password: str, **device: str) -> str | None:
        """Do the same for an account that was just made. That it could not be signed in must not undo that: None."""
        try:
            return self.sign_in(mxid, password, initial_device_display_name=DEVICE_NAME, **device)
        except HomeserverError as error:
            log.warning("A new account could not be signed in: %s", error.detail)
            return None

    def password_is_right(self, mxid: str, password: str) -> bool:
        """Sign in and out again. A locked account is refused only after its password was found right."""
        try:
            # Always the same device: one that a lost answer leaves behind goes with the next try.
            token = self.sign_in(mxid, password, device_id=TRIAL_DEVICE)
        except SignInLocked:
            return True
        except SignInRefused:
            return False
        self.sign_out(token)
        return True

    def is_ours_after_all(self, mxid: str, password: str) -> bool:
        """Of a name that is taken now and was free a moment ago, say whether it was taken by this very attempt.

        Something in between may have sent our request twice, and we hear the answer to the second.

        Raises:
            Unreachable: nobody can tell.
        """
        try:
            return self.password_is_right(mxid, password)
        except HomeserverError as error:
            raise Unreachable(maybe_done=True, detail=f"taken, perhaps by us: {error.detail}") from error

    def accounts_are_elsewhere(self) -> bool:
        """The Matrix Authentication Service makes this server's accounts."""
        return self.client.get("/_matrix/client/v1/auth_metadata").ok

    def unexpected(self, answer: Answer) -> HomeserverError:
        """Return what an error that nobody foresaw means: something must be set up differently.

        Raises:
            HomeserverError: the server, asked why, does not answer any more.
        """
        is_absent = answer.status == 404 and answer.errcode in ("", "M_UNRECOGNIZED")
        if (is_absent or answer.errcode == "M_FORBIDDEN") and self.accounts_are_elsewhere():
            return Misconfigured(remedy=ACCOUNTS_ELSEWHERE, **answer.said)
        if is_absent:
            remedy = _(
                "%(url)s does not know %(asked)s. homeserver.url must lead to the homeserver itself, or to a proxy "
                "that passes on /_matrix and /_synapse/admin."
            )
        elif answer.is_matrix:
            remedy = _("The homeserver at %(url)s refused: %(said)s")
        else:
            remedy = _(
                "What answers at %(url)s is not a Matrix homeserver, or a proxy in front of it refuses: %(said)s."
            )
        said = answer.said
        filled_in = filled(remedy, url=self.client.url, asked=answer.asked, said=said["detail"])
        return Misconfigured(remedy=filled_in, **said)

    def _read_policy(self) -> PasswordPolicy:
        answer = self.client.get("/_matrix/client/v3/password_policy")
        if not answer.ok and not answer.is_matrix:
            raise self.unexpected(answer)
        if not answer.ok:
            return PasswordPolicy()
        length = answer.body.get("m.minimum_length", 0)
        kinds = ("digit", "symbol", "lowercase", "uppercase")
        return PasswordPolicy(
            min_length=length if isinstance(length, int) else 0,
            **{kind: answer.body.get(f"m.require_{kind}") is True for kind in kinds},
        )

    def sign_out(self, token: str) -> None:
        """Remove a device that nobody wants; what it was made for is done whether that works or not."""
        try:
            answer = self.client.call("POST", "/_matrix/client/v3/logout", {}, token=token)
        except HomeserverError as error:
            log.warning("A device of ours was perhaps not signed out: %s", error.detail)
            return
        if not answer.ok:
            log.warning("A device of ours could not be signed out: %s", answer.said["detail"])
