"""A homeserver for rehearsals: the real one is asked, and never told anything.

What would have been made there is kept in memory, so that a person can go on to the last page. The client of the
adapter inside must be a ReadingClient.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime

from foyer.homeserver.errors import NameTaken
from foyer.homeserver.port import Capability, Created, Homeserver, PasswordPolicy, Probe, Sighting, TokenUses
from foyer.kit.clock import now
from foyer.kit.matrix import mxid as full_mxid

log = logging.getLogger(__name__)


@dataclass
class _Imagined:
    """An account that would be there."""

    created_at: datetime
    password: str = field(repr=False)
    locked: bool = False


@dataclass
class Rehearsal:
    """What the server inside answers, and what it would have done. See port.Homeserver for what is promised."""

    inside: Homeserver
    server_name: str
    _accounts: dict[str, _Imagined] = field(default_factory=dict, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    @property
    def capabilities(self) -> frozenset[Capability]:
        """Those of the server inside."""
        return self.inside.capabilities

    @property
    def create_is_one_step(self) -> bool:
        """As at the server inside."""
        return self.inside.create_is_one_step

    def within(self, seconds: float) -> AbstractContextManager[None]:
        """Hand the limit on."""
        return self.inside.within(seconds)

    def check_name(self, localpart: str) -> None:
        """Ask, and remember what was rehearsed before."""
        if localpart in self._accounts:
            raise NameTaken(errcode="M_USER_IN_USE", error="User ID already taken.")
        self.inside.check_name(localpart)

    def exists(self, localpart: str) -> bool:
        """Ask, unless it was rehearsed before."""
        return localpart in self._accounts or self.inside.exists(localpart)

    def password_policy(self) -> PasswordPolicy:
        """Ask."""
        return self.inside.password_policy()

    def create(self, localpart: str, password: str, *, sign_in: bool = False) -> Created:
        """Ask whether it could be made."""
        self._make(localpart, password, locked=False)
        _would("make the account", localpart)
        if sign_in:
            _would("sign in to the account", localpart)
        return Created(full_mxid(localpart, self.server_name))

    def password_is_right(self, localpart: str, password: str) -> bool:
        """A sign-in would make a device, so that only rehearsed accounts have right passwords."""
        account = self._accounts.get(localpart)
        return account is not None and account.password == password

    def look_up(self, localpart: str) -> Sighting | None:
        """Ask, unless it was rehearsed before."""
        account = self._accounts.get(localpart)
        if account is None:
            return self.inside.look_up(localpart)
        created_at = account.created_at.replace(microsecond=0)
        return Sighting(created_at=created_at, seen=False, locked=account.locked, deactivated=False)

    def hold(self, localpart: str, password: str) -> Created:
        """Ask whether it could be made."""
        self._make(localpart, password, locked=True)
        _would("make the account, locked,", localpart)
        return Created(full_mxid(localpart, self.server_name))

    def rehold(self, localpart: str, password: str) -> None:
        """Imagine it."""
        self._change(localpart, "give the locked account a new password", password=password, locked=True)

    def open(self, localpart: str) -> None:
        """Imagine it."""
        self._change(localpart, "unlock the account", locked=False)

    def shelve(self, localpart: str) -> None:
        """Imagine it."""
        self._change(localpart, "lock and empty the account", password="", locked=True)

    def reopen(self, localpart: str, password: str) -> None:
        """Imagine it."""
        self._change(localpart, "open the account with a new password", password=password, locked=False)

    def set_password(self, localpart: str, password: str) -> None:
        """Imagine it."""
        self._change(localpart, "set the password of the account", password=password)

    def attach_email(self, localpart: str, email: str) -> None:  # noqa: ARG002 - it is nobody's business
        """Say it."""
        _would("attach an email to the account", localpart)

    def join(self, localpart: str, room: str) -> None:
        """Say it."""
        _would(f"put into {room} the account", localpart)

    def say(self, localpart: str, text: str) -> None:
        """Say what would be said."""
        _would(f"say {text!r} to the account", localpart)

    def say_in_room(self, room: str, text: str, *, key: str = "") -> None:  # noqa: ARG002 - once is enough
        """Say what would be said."""
        log.warning("rehearsal: would say in %s: %s", room, text)

    def put_token(self, token: str, *, uses: int | None, expires_at: datetime | None) -> None:  # noqa: ARG002
        """Say it."""
        log.warning("rehearsal: would keep a registration token there")

    def delete_token(self, token: str) -> None:  # noqa: ARG002
        """Say it."""
        log.warning("rehearsal: would withdraw a registration token there")

    def token_uses(self, token: str) -> TokenUses | None:
        """Ask."""
        return self.inside.token_uses(token)

    def record_consent(self, localpart: str) -> None:
        """Say it."""
        _would("record that the terms were accepted by the account", localpart)

    def probe(self, rooms: Iterable[str] = ()) -> Probe:
        """Look, as far as looking changes nothing."""
        return self.inside.probe(rooms)

    def _make(self, localpart: str, password: str, *, locked: bool) -> None:
        self.inside.password_policy().check(password)
        self.check_name(localpart)
        with self._lock:
            if localpart in self._accounts:
                raise NameTaken(errcode="M_USER_IN_USE", error="User ID already taken.")
            self._accounts[localpart] = _Imagined(now(), password, locked=locked)

    def _change(self, localpart: str, deed: str, **changes: str | bool) -> None:
        account = self._accounts.setdefault(localpart, _Imagined(now(), ""))
        for name, value in changes.items():
            setattr(account, name, value)
        _would(deed, localpart)


def _would(deed: str, localpart: str) -> None:
    log.warning("rehearsal: would %s %s", deed, localpart)
