"""Accounts by the registration shared secret: name and password in one deed, which fails where the name is taken.

https://element-hq.github.io/synapse/latest/admin_api/register_api.html
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.utils.translation import gettext_lazy as _

from foyer.homeserver.client_api import ClientAPI
from foyer.homeserver.errors import HomeserverError, Misconfigured, Unreachable, filled
from foyer.homeserver.http import Answer
from foyer.homeserver.port import Created, Finding, Level
from foyer.homeserver.synapse_errors import account_refusal

PATH = "/_synapse/admin/v1/register"
NO_LOCALPART = "foyer asks whether the secret is right"
"""No homeserver makes an account of a name with blanks in it."""
NAME_JUDGED = ("M_INVALID_USERNAME", "M_INVALID_PARAM")
"""What Synapse and Dendrite, and what Tuwunel says of such a name."""
WRONG = ("hmac incorrect", "hmac check failed", "bad mac")
"""What Synapse, Tuwunel and Dendrite say of a wrong secret."""
STALE = ("unrecognised nonce", "unrecognised or expired nonce")


@dataclass
class SharedSecret:
    """The registration endpoint of Synapse (and of Dendrite and Tuwunel)."""

    api: ClientAPI
    secret: str = field(repr=False)
    written_in: str = "homeserver.yaml"
    """Where the homeserver's owner finds the secret."""

    def register(self, localpart: str, password: str, *, sign_in: bool) -> Created:
        """Make the account. Errors as port.Creates.create()."""
        answer = self._post(localpart, password, sign_in=sign_in)
        is_second_try = _is_stale(answer)
        if is_second_try:
            answer = self._post_again(localpart, password, sign_in=sign_in)
        mxid = answer.text("user_id")
        if answer.ok and mxid:
            return self._created(mxid, answer.text("access_token"), sign_in=sign_in)
        if is_second_try and (answer.errcode == "M_USER_IN_USE" or _is_stale(answer)):
            # A proxy may send our requests twice: then the first made the account, and the second had a stale nonce.
            raise Unreachable(maybe_done=True, **answer.said)
        raise self._refusal(answer)

    def examine(self) -> Iterator[Finding]:
        """Say whether the secret is right, without making an account: a wrong name is judged after the secret."""
        try:
            answer = self._post(NO_LOCALPART, secrets.token_urlsafe(16), sign_in=False)
            if answer.errcode not in NAME_JUDGED or _is_stale(answer):
                raise self._refusal(answer)
        except Misconfigured as error:
            yield Finding(Level.FAULT, str(_("The registration shared secret makes no accounts.")), error.remedy)
        except HomeserverError as error:
            sentence = _("Whether the registration shared secret is right could not be found out.")
            yield Finding(Level.WARNING, str(sentence), error.detail)
        else:
            yield Finding(Level.OK, str(_("The registration shared secret is right.")))

    def _post_again(self, localpart: str, password: str, *, sign_in: bool) -> Answer:
        """Try once more after a stale nonce. If the first request was carried twice, it has made the account."""
        try:
            return self._post(localpart, password, sign_in=sign_in)
        except HomeserverError as error:
            raise Unreachable(maybe_done=True, detail=f"after a stale nonce: {error.detail}") from error

    def _created(self, mxid: str, token: str, *, sign_in: bool) -> Created:
        if token and not sign_in:
            self.api.sign_out(token)  # Dendrite does not know inhibit_login here.
        return Created(mxid, (token or None) if sign_in else None)

    def _post(self, localpart: str, password: str, *, sign_in: bool) -> Answer:
        nonce = self._nonce()
        body = {
            "nonce": nonce,
            "username": localpart,
            "password": password,
            "mac": self._mac(nonce, localpart, password),
            # Without it every account would begin with a device and an access token that nobody holds.
            "inhibit_login": not sign_in,
        }
        return self.api.client.call("POST", PATH, body)

    def _nonce(self) -> str:
        answer = self.api.client.get(PATH)
        nonce = answer.text("nonce")
        if answer.ok and nonce:
            return nonce
        raise Unreachable(maybe_done=False, **answer.said) if answer.ok else self.api.unexpected(answer)

    def _mac(self, nonce: str, localpart: str, password: str) -> str:
        message = "\0".join((nonce, localpart, password, "notadmin"))
        return hmac.new(self.secret.encode(), message.encode(), hashlib.sha1).hexdigest()

    def _refusal(self, answer: Answer) -> HomeserverError:
        if answer.ok:
            return Unreachable(maybe_done=True, **answer.said)
        if refusal := account_refusal(answer):
            return refusal
        if any(words in answer.error.lower() for words in WRONG):
            remedy = _(
                "homeserver.registration_shared_secret is wrong. Copy registration_shared_secret from the "
                "homeserver's %(file)s."
            )
            return Misconfigured(remedy=filled(remedy, file=self.written_in), **answer.said)
        if "not enabled" in answer.error.lower():
            return self._has_none(answer)
        return self.api.unexpected(answer)

    def _has_none(self, answer: Answer) -> Misconfigured:
        remedy = _(
            "The homeserver has no registration_shared_secret in its %(file)s. Put one there and the same into "
            "homeserver.registration_shared_secret, or take that key away and use other credentials."
        )
        return Misconfigured(remedy=filled(remedy, file=self.written_in), **answer.said)


def _is_stale(answer: Answer) -> bool:
    """The nonce was not known (any more): another Synapse process, a restart, or it was used."""
    return answer.status == 400 and any(words in answer.error.lower() for words in STALE)
