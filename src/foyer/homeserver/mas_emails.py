"""Emails at the Matrix Authentication Service. It takes any email for verified that the admin API adds."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from foyer.homeserver.errors import AccountMissing, EmailRefused, EmailTaken
from foyer.homeserver.mas_access import MasAPI
from foyer.homeserver.mas_users import every, resource
from foyer.homeserver.synapse_admin import canonical

PATH = "/user-emails"


@dataclass
class Emails:
    """What the client may do about emails. Takes the ids of accounts."""

    api: MasAPI
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def attach(self, user_id: str, email: str) -> None:
        """Add an email beside those it has. Errors as port.Emails.attach_email().

        Raises:
            EmailRefused: no email, as the service understands it.
        """
        address = canonical(email)
        with self._lock:
            if self._is_held(user_id, dict.fromkeys((address, email.strip()))):
                return
            answer = self.api.call("POST", PATH, {"user_id": user_id, "email": address})
            if answer.status == 409:
                # Added a moment ago, by another process of ours perhaps.
                if self._is_held(user_id, [address]):
                    return
                raise EmailTaken(detail=answer.asked)
            if answer.status == 400:
                raise EmailRefused(detail=answer.asked, http_status=400)
            if answer.status == 404:
                raise AccountMissing(**answer.said)
            if not answer.ok:
                raise self.api.unexpected(answer)
            self._yield_to_earlier(address, resource(answer, maybe_done=True)["id"])

    def remove_all(self, user_id: str) -> None:
        """Take every email from the account."""
        for entry in list(every(self.api, PATH, {"filter[user]": user_id})):
            self._remove(entry["id"])

    def _is_held(self, user_id: str, spellings: dict[str, None] | list[str]) -> bool:
        """Say whether this account has the email already.

        Raises:
            EmailTaken: another one has it.
        """
        holders = [_holder(entry) for spelling in spellings for entry in self._entries(spelling)]
        if any(holder != user_id for holder in holders):
            raise EmailTaken(detail=f"GET {PATH}")
        return bool(holders)

    def _yield_to_earlier(self, address: str, own: str) -> None:
        """Of two who added the same at the same moment, let the later go: ids begin with the time."""
        entries = self._entries(address)
        if min((entry["id"] for entry in entries), default=own) < own:
            self._remove(own)
            raise EmailTaken(detail=f"GET {PATH}")

    def _entries(self, address: str) -> list[dict[str, Any]]:
        return list(every(self.api, PATH, {"filter[email]": address}))

    def _remove(self, entry: str) -> None:
        answer = self.api.call("DELETE", f"{PATH}/{entry}")
        if not answer.ok and answer.status != 404:
            raise self.api.unexpected(answer)


def _holder(entry: dict[str, Any]) -> object:
    return entry["attributes"].get("user_id")
