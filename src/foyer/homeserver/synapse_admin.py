"""Accounts by Synapse's Admin API, with the traps that it has.

`PUT /v2/users/X` creates where nothing is and overwrites where something is. So it is sent without a password to claim
a name, and afterwards only for accounts that were seen; passwords go through `reset_password`, which never creates.

https://element-hq.github.io/synapse/latest/admin_api/user_admin_api.html
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from foyer.homeserver.client_api import ClientAPI
from foyer.homeserver.errors import (
    AccountMissing,
    EmailTaken,
    Misconfigured,
    NameTaken,
    Unreachable,
)
from foyer.homeserver.http import USER_AGENT, Answer, segment
from foyer.homeserver.port import Sighting
from foyer.homeserver.synapse_errors import account_refusal

DEAD_TOKEN_CODES = ("M_UNKNOWN_TOKEN", "M_MISSING_TOKEN", "M_USER_LOCKED", "M_USER_DEACTIVATED")


def unguessable_password() -> str:
    """Return a password that nobody will ever know."""
    return secrets.token_urlsafe(32)


@dataclass
class AdminAPI:
    """What the holder of an admin's access token may do to accounts. Takes MXIDs."""

    api: ClientAPI
    token: str = field(repr=False)
    _email_lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        writes: bool = True,
    ) -> Answer:
        """Ask as the admin.

        Raises:
            Misconfigured: the token is dead or no admin's, or this is not Synapse's Admin API.
        """
        client = self.api.client
        answer = client.call(method, path, body, query=query, token=self.token, writes=writes and method != "GET")
        if answer.errcode in DEAD_TOKEN_CODES:
            raise Misconfigured(
                remedy=_(
                    "The homeserver does not accept homeserver.admin_token (any more): it was signed out, or the "
                    "account was closed. Sign in as an admin of the homeserver and put the new access token there."
                ),
                **answer.said,
            )
        if answer.status == 403 and "not a server admin" in answer.error.lower():
            raise Misconfigured(
                remedy=_(
                    "The account of homeserver.admin_token is not an admin of the homeserver. Use an admin's access "
                    "token."
                ),
                **answer.said,
            )
        if not answer.is_matrix or answer.errcode == "M_UNRECOGNIZED":
            raise self.api.unexpected(answer)
        return answer

    def check_name(self, localpart: str) -> None:
        """Return if the name is free and allowed. Errors as port.Names.check_name()."""
        answer = self.call("GET", "/_synapse/admin/v1/username_available", query={"username": localpart})
        if not answer.ok:
            raise account_refusal(answer) or self.api.unexpected(answer)

    def claim(self, mxid: str) -> None:
        """Make an account without a password if there is none. Nobody can sign in to it.

        An empty PUT changes nothing in an account that is there; of many at once exactly one is answered with 201.

        Raises:
            NameTaken, NameRefused, ServerFull
        """
        answer = self.call("PUT", _user_path(mxid), {})
        if answer.status == 200:
            raise NameTaken(errcode="M_USER_IN_USE", error="User ID already taken.", http_status=400)
        if answer.ok:
            return
        if "local users" in answer.error.lower():
            raise Misconfigured(
                remedy=_("server_name is not the homeserver's own: compare homeserver.yaml."), **answer.said
            )
        raise account_refusal(answer) or self.api.unexpected(answer)

    def look_up(self, mxid: str) -> Sighting | None:
        """Return the account as port.LooksUp.look_up() does."""
        user = self._user(mxid)
        if user is None:
            return None
        created = datetime.fromtimestamp(_creation_seconds(user), tz=UTC)
        seen = user.body.get("last_seen_ts") is not None or self._has_seen_device(mxid)
        return Sighting(
            created_at=created,
            seen=seen and not self._only_we_were_there(mxid),
            locked=user.body.get("locked") is True,
            deactivated=user.body.get("deactivated") is True,
        )

    def change(self, mxid: str, **changes: object) -> None:
        """Change an account that was seen a moment ago; accounts are never removed, so this creates nothing."""
        answer = self.call("PUT", _user_path(mxid), changes)
        if not answer.ok:
            raise account_refusal(answer) or self.api.unexpected(answer)

    def set_password(self, mxid: str, password: str) -> None:
        """Give it this password and sign its devices out.

        Raises:
            AccountMissing
        """
        path = f"/_synapse/admin/v1/reset_password/{segment(mxid)}"
        answer = self.call("POST", path, {"new_password": password, "logout_devices": True})
        if answer.status == 404:
            raise AccountMissing(**answer.said)
        if "password change disabled" in answer.error.lower():
            raise Misconfigured(
                remedy=_("The homeserver keeps no passwords: see password_config.localdb_enabled in homeserver.yaml."),
                **answer.said,
            )
        if not answer.ok:
            raise account_refusal(answer) or self.api.unexpected(answer)

    def open(self, mxid: str) -> None:
        """Unlock it.

        Raises:
            AccountMissing
        """
        if self.existing(mxid).body.get("locked") is not False:
            self.change(mxid, locked=False)

    def shelve(self, mxid: str) -> None:
        """Lock it and take its password, devices and emails away. A deactivated account has none of these.

        Raises:
            AccountMissing
        """
        user = self.existing(mxid)
        if user.body.get("deactivated") is True:
            return
        # The lock first: should the second step fail, nobody can use the account.
        self.change(mxid, locked=True, threepids=[])
        self.set_password(mxid, unguessable_password())

    def reopen(self, mxid: str, password: str) -> None:
        """Make it a usable account with this password.

        Raises:
            AccountMissing
        """
        user = self.existing(mxid)
        if user.body.get("deactivated") is True:
            # Without a password in the same request some versions refuse.
            self.change(mxid, deactivated=False, locked=True, password=password)
        else:
            self.set_password(mxid, password)
        if user.body.get("deactivated") is True or user.body.get("locked") is not False:
            self.change(mxid, locked=False)

    def rehold(self, mxid: str, password: str) -> None:
        """Make it a locked account with this password, and without an email.

        Raises:
            AccountMissing
        """
        user = self.existing(mxid)
        if user.body.get("deactivated") is True:
            self.change(mxid, deactivated=False, locked=True, password=password)
        else:
            self.change(mxid, locked=True, threepids=[])
            self.set_password(mxid, password)

    def attach_email(self, mxid: str, email: str) -> None:
        """Add an email, beside those it has.

        A PUT takes an email silently from another account, so the server is asked first, and afterwards once more.

        Raises:
            AccountMissing, EmailTaken
        """
        address = canonical(email)
        with self._email_lock:
            user = self.existing(mxid)
            if self._holder(email, address, mxid) == mxid:
                return
            # The list replaces the one that is there.
            self.change(mxid, threepids=[*_threepids(user), {"medium": "email", "address": address}])
            self._holder(email, address, mxid)

    def _holder(self, email: str, address: str, mxid: str) -> str | None:
        """Return mxid if it has the email, None if nobody has.

        Raises:
            EmailTaken
        """
        # Synapse searches for exactly what it is given, and old rows keep their capital letters.
        for spelling in dict.fromkeys((address, email)):
            answer = self.call("GET", f"/_synapse/admin/v1/threepid/email/users/{segment(spelling)}")
            if answer.ok and answer.text("user_id") == mxid:
                return mxid
            if answer.ok:
                raise EmailTaken(detail=answer.asked)
            if answer.status != 404:
                raise self.api.unexpected(answer)
        return None

    def _user(self, mxid: str) -> Answer | None:
        answer = self.call("GET", _user_path(mxid))
        if answer.status == 404:
            return None
        if not answer.ok:
            raise self.api.unexpected(answer)
        return answer

    def existing(self, mxid: str) -> Answer:
        """Return the account's own words about itself.

        Raises:
            AccountMissing
        """
        user = self._user(mxid)
        if user is None:
            raise AccountMissing(detail="GET of the account: 404")
        return user

    def _has_seen_device(self, mxid: str) -> bool:
        """Ask the devices too: the account's own last_seen_ts lags some seconds behind."""
        answer = self.call("GET", f"{_user_path(mxid)}/devices")
        devices = answer.body.get("devices")
        if not answer.ok or not isinstance(devices, list):
            raise self.api.unexpected(answer)
        return any(isinstance(device, dict) and device.get("last_seen_ts") is not None for device in devices)

    def _only_we_were_there(self, mxid: str) -> bool:
        """Say whether all that was seen of it is ourselves, trying a password: that is nobody else's trace."""
        try:
            answer = self.call("GET", f"/_synapse/admin/v1/whois/{segment(mxid)}")
        except Misconfigured:  # a server that is like Synapse, but does not tell this
            return False
        agents = set(_agents(answer.body)) if answer.ok else set()
        return agents == {USER_AGENT}


def _user_path(mxid: str) -> str:
    return f"/_synapse/admin/v2/users/{segment(mxid)}"


def _agents(value: object) -> Iterator[str]:
    """Return every `user_agent` in the answer of whois, however deep it lies."""
    if isinstance(value, dict):
        if "user_agent" in value:
            yield str(value["user_agent"])
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _agents(part)


def _creation_seconds(user: Answer) -> float:
    """Return when the account was made; some versions and lists say it in milliseconds.

    Raises:
        Unreachable: the answer does not say.
    """
    moment = user.body.get("creation_ts")
    if not isinstance(moment, int) or not 0 <= moment < 10**14:
        raise Unreachable(maybe_done=False, detail=f"{user.asked}: no creation_ts")
    return moment // 1000 if moment > 10**11 else moment


def _threepids(user: Answer) -> list[dict[str, str]]:
    entries = user.body.get("threepids")
    return [
        {"medium": entry["medium"], "address": entry["address"]}
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, dict) and "medium" in entry and "address" in entry
    ]


def canonical(email: str) -> str:
    """Spell an email as homeservers keep and compare it."""
    name, _at, domain = email.strip().rpartition("@")
    return f"{name.casefold()}@{domain.lower()}"
