"""A homeserver that lives in this process: for tests of the journeys and for `foyer demo`.

It behaves as Synapse does by the same contract suite, and fails on command where a network would:

    homeserver = MemoryHomeserver()
    homeserver.fail(Fault.LOST_ANSWER, "create")
"""

from __future__ import annotations

import math
import re
import secrets
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from foyer.homeserver.errors import (
    AccountMissing,
    Busy,
    EmailTaken,
    HomeserverError,
    Misconfigured,
    NameRefused,
    NameTaken,
    RoomRefused,
    Unreachable,
)
from foyer.homeserver.port import Capability, Created, Finding, Level, PasswordPolicy, Probe, Sighting, TokenUses
from foyer.homeserver.synapse import ALWAYS, BY_ADMIN
from foyer.homeserver.synapse_consent import needs_consent
from foyer.homeserver.synapse_errors import needs_admin_token, refuse_impossible_name, refuse_unusual_name
from foyer.kit.clock import now
from foyer.kit.matrix import mxid as full_mxid

RETRY_AFTER = 7.0


class Fault(StrEnum):
    """What can go wrong with one deed."""

    DOWN = "nobody listens; nothing was done"
    LOST_REQUEST = "the connection ended before the server did it, which cannot be known"
    LOST_ANSWER = "the server did it, and the connection ended before the answer"
    HALF_DONE = "the first step of two was done; with the shared secret there is one, and this is LOST_ANSWER"
    BUSY = "429"
    BROKEN = "500"
    MISCONFIGURED = "the credentials are not accepted"


@dataclass
class MemoryAccount:
    """One account, open to the eyes of tests."""

    localpart: str
    created_at: datetime
    password: str | None = field(default=None, repr=False)
    locked: bool = False
    deactivated: bool = False
    seen: bool = False
    devices: set[str] = field(default_factory=set, repr=False)
    emails: list[str] = field(default_factory=list)
    rooms: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    consented: bool = False


@dataclass
class MemoryToken:
    """One registration token, open to the eyes of tests."""

    uses: int | None
    expires_at: datetime | None
    pending: int = 0
    completed: int = 0

    @property
    def is_valid(self) -> bool:
        """Somebody could register with it now."""
        is_spent = self.uses is not None and self.pending + self.completed >= self.uses
        return not is_spent and (self.expires_at is None or self.expires_at > now())


@dataclass
class MemoryHomeserver:
    """Accounts in a dictionary; see port.Homeserver for what each method promises.

    has_secret, has_token: the credentials that Foyer is to hold. asks_consent: it wants its terms accepted.
    rooms: alias or id to id; a room that is not here does not exist. closed_rooms: ids that the admin is not in.
    said: what was said in which room, by key. taken_by_services: expressions of names that are not ours.
    delay: how long each deed takes, with the lock not held.
    """

    server_name: str = "localhost"
    has_secret: bool = True
    has_token: bool = True
    asks_consent: bool = False
    policy: PasswordPolicy = field(default_factory=PasswordPolicy)
    rooms: dict[str, str] = field(default_factory=dict)
    closed_rooms: set[str] = field(default_factory=set)
    taken_by_services: tuple[str, ...] = ()
    delay: float = 0.0
    accounts: dict[str, MemoryAccount] = field(default_factory=dict, init=False)
    tokens: dict[str, MemoryToken] = field(default_factory=dict, init=False)
    said: dict[str, dict[str, str]] = field(default_factory=dict, init=False)
    calls: list[str] = field(default_factory=list, init=False)
    _faults: list[tuple[str, Fault]] = field(default_factory=list, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    _budget: threading.local = field(default_factory=threading.local, init=False, repr=False)

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What these credentials allow."""
        consent = {Capability.CONSENT} if self.asks_consent else set()
        if self.has_token:
            return ALWAYS | BY_ADMIN | consent
        return (ALWAYS if self.has_secret else ALWAYS - {Capability.CREATE}) | consent

    @property
    def create_is_one_step(self) -> bool:
        """With the shared secret."""
        return self.has_secret

    def fail(self, fault: Fault, deed: str, *, times: int = 1) -> None:
        """Let the next calls of this method fail so, e.g. `fail(Fault.LOST_ANSWER, "create")`; "*" is any method."""
        with self._lock:
            self._faults += [(deed, fault)] * times

    def heal(self) -> None:
        """Forget all faults that have not happened yet."""
        with self._lock:
            self._faults.clear()

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """See port.Homeserver. A deed that would be too slow is not done."""
        before = getattr(self._budget, "until", math.inf)
        self._budget.until = min(before, time.monotonic() + seconds)
        try:
            yield
        finally:
            self._budget.until = before

    def check_name(self, localpart: str) -> None:
        """See port.Names."""
        with self._deed("check_name"):
            refuse_impossible_name(localpart, self.server_name)
            self._refuse_name(localpart)
            if localpart in self.accounts:
                raise _taken()

    def exists(self, localpart: str) -> bool:
        """See port.Names."""
        refuse_impossible_name(localpart, self.server_name)
        with self._deed("exists"):
            return localpart in self.accounts

    def create(self, localpart: str, password: str, *, sign_in: bool = False) -> Created:
        """See port.Creates. With a token alone the claim and the password are two steps here too."""
        self._check(localpart, password)
        if not (self.has_secret or self.has_token):
            raise needs_admin_token()
        account = self._make("create", localpart, password)
        if account.password is None:
            with self._second_step("create"):
                account.password = password
        if not sign_in:
            return Created(self._mxid(localpart))
        token = secrets.token_urlsafe(16)
        account.devices.add(token)
        return Created(self._mxid(localpart), token)

    def password_policy(self) -> PasswordPolicy:
        """See port.Creates."""
        return self.policy

    def password_is_right(self, localpart: str, password: str) -> bool:
        """See port.SignsIn."""
        refuse_impossible_name(localpart, self.server_name)
        with self._deed("password_is_right"):
            account = self.accounts.get(localpart)
            if account is None or account.deactivated or account.password != password:
                return False
            account.seen = account.seen or not account.locked
            return True

    def look_up(self, localpart: str) -> Sighting | None:
        """See port.LooksUp."""
        refuse_impossible_name(localpart, self.server_name)
        with self._by_admin("look_up"):
            account = self.accounts.get(localpart)
            if account is None:
                return None
            return Sighting(
                created_at=account.created_at.replace(microsecond=0),
                seen=account.seen,
                locked=account.locked,
                deactivated=account.deactivated,
            )

    def hold(self, localpart: str, password: str) -> Created:
        """See port.Holds."""
        self._need_token()
        self._check(localpart, password)
        account = self._make("hold", localpart, secrets.token_urlsafe(32))
        with self._second_step("hold"):
            account.locked = True
            account.password = password
        return Created(self._mxid(localpart))

    def rehold(self, localpart: str, password: str) -> None:
        """See port.Holds."""
        self._need_token()
        self._check(localpart, password)
        with self._by_admin("rehold"):
            account = self._existing(localpart)
            account.locked = True
            account.deactivated = False
            account.emails.clear()
            self._set_password(account, password)

    def open(self, localpart: str) -> None:
        """See port.Holds."""
        with self._by_admin("open"):
            self._existing(localpart).locked = False

    def shelve(self, localpart: str) -> None:
        """See port.Holds."""
        with self._by_admin("shelve"):
            account = self._existing(localpart)
            if account.deactivated:
                return
            account.locked = True
            account.emails.clear()
            self._set_password(account, secrets.token_urlsafe(32))

    def reopen(self, localpart: str, password: str) -> None:
        """See port.Holds."""
        self._need_token()
        self._check(localpart, password)
        with self._by_admin("reopen") as fault:
            account = self._existing(localpart)
            self._set_password(account, password)
            if fault is not Fault.HALF_DONE:
                account.deactivated = account.locked = False
        if fault is Fault.HALF_DONE:
            raise Unreachable(maybe_done=True, detail=fault)

    def set_password(self, localpart: str, password: str) -> None:
        """See port.Holds."""
        self._need_token()
        self._check(localpart, password)
        with self._by_admin("set_password"):
            self._set_password(self._existing(localpart), password)

    def attach_email(self, localpart: str, email: str) -> None:
        """See port.Emails."""
        name, _at, domain = email.strip().rpartition("@")
        address = f"{name.casefold()}@{domain.lower()}"
        with self._by_admin("attach_email"):
            account = self._existing(localpart)
            if any(address in other.emails for other in self.accounts.values() if other is not account):
                raise EmailTaken
            if address not in account.emails:
                account.emails.append(address)

    def join(self, localpart: str, room: str) -> None:
        """See port.Rooms."""
        with self._by_admin("join"):
            account = self._existing(localpart)
            room_id = self.rooms.get(room)
            if room_id is None:
                raise RoomRefused(remedy=f"There is no room {room}.", errcode="M_NOT_FOUND", http_status=404)
            if room_id in account.rooms:
                return
            if room_id in self.closed_rooms:
                raise RoomRefused(remedy=f"Let the admin join {room}.", errcode="M_FORBIDDEN", http_status=403)
            account.rooms.append(room_id)

    def say(self, localpart: str, text: str) -> None:
        """See port.Says."""
        with self._by_admin("say"):
            account = self._existing(localpart)
            if text not in account.messages:
                account.messages.append(text)

    def say_in_room(self, room: str, text: str, *, key: str = "") -> None:
        """See port.Says."""
        with self._by_admin("say_in_room"):
            room_id = self.rooms.get(room)
            if room_id is None:
                raise RoomRefused(remedy=f"There is no room {room}.", errcode="M_NOT_FOUND", http_status=404)
            if room_id in self.closed_rooms:
                raise RoomRefused(remedy=f"Let the admin join {room}.", errcode="M_FORBIDDEN", http_status=403)
            said = self.said.setdefault(room_id, {})
            said.setdefault(key or text, text)

    def put_token(self, token: str, *, uses: int | None, expires_at: datetime | None) -> None:
        """See port.Tokens."""
        with self._by_admin("put_token"):
            kept = self.tokens.setdefault(token, MemoryToken(uses, expires_at))
            kept.uses, kept.expires_at = uses, expires_at

    def delete_token(self, token: str) -> None:
        """See port.Tokens."""
        with self._by_admin("delete_token"):
            self.tokens.pop(token, None)

    def token_uses(self, token: str) -> TokenUses | None:
        """See port.Tokens."""
        with self._by_admin("token_uses"):
            kept = self.tokens.get(token)
            return TokenUses(pending=kept.pending, completed=kept.completed) if kept else None

    def register_natively(self, token: str, localpart: str, password: str, *, finish: bool = True) -> bool:
        """Do what a client does that registers without Foyer. False: the token lets nobody in (any more).

        finish: False begins the registration and leaves it pending.
        """
        with self._lock:
            kept = self.tokens.get(token)
            if kept is None or not kept.is_valid:
                return False
            if not finish:
                kept.pending += 1
                return True
            if localpart in self.accounts:
                raise _taken()
            self.accounts[localpart] = MemoryAccount(localpart, created_at=now(), password=password)
            kept.completed += 1
            return True

    def record_consent(self, localpart: str) -> None:
        """See port.Consents."""
        if not self.asks_consent:
            raise needs_consent()
        with self._deed("record_consent"):
            self._existing(localpart).consented = True

    def probe(self, rooms: Iterable[str] = ()) -> Probe:
        """See port.Probes."""
        findings = [Finding(Level.OK, "This homeserver is a part of Foyer and forgets everything when it stops.")]
        findings += [
            Finding(Level.FAULT, f"Nobody can be put into the room {room}.")
            for room in rooms
            if self.rooms.get(room, room) in self.closed_rooms or room not in self.rooms
        ]
        return Probe("memory", tuple(findings))

    def _make(self, deed: str, localpart: str, password: str) -> MemoryAccount:
        """The step that only one of many takes; without the secret it is the claim alone."""
        with self._deed(deed) as fault:
            self._refuse_name(localpart)
            if localpart in self.accounts:
                raise _taken()
            account = MemoryAccount(localpart, created_at=now())
            if self.has_secret:
                account.password = password
            self.accounts[localpart] = account
        if fault is Fault.HALF_DONE:
            raise Unreachable(maybe_done=True, detail=fault)
        return account

    @contextmanager
    def _second_step(self, deed: str) -> Iterator[None]:
        """Whatever goes wrong now, an account of ours is there."""
        if not self._is_in_time():
            raise Unreachable(maybe_done=True, detail="too slow")
        with self._lock:
            self.calls.append(f"{deed}, second step")
            yield

    @contextmanager
    def _by_admin(self, deed: str) -> Iterator[Fault | None]:
        self._need_token()
        with self._deed(deed) as fault:
            yield fault

    @contextmanager
    def _deed(self, deed: str) -> Iterator[Fault | None]:
        """One request: alone while it is done, with what was asked to go wrong before or after."""
        if not self._is_in_time():
            raise Unreachable(maybe_done=_changes(deed), detail="too slow")
        with self._lock:
            self.calls.append(deed)
            fault = self._next_fault(deed)
            if error := _before(fault, deed):
                raise error
            yield fault
        if fault is Fault.LOST_ANSWER:
            raise Unreachable(maybe_done=_changes(deed), detail=fault)

    def _is_in_time(self) -> bool:
        """Take as long as told, but no longer than `within` allows."""
        left = max(0.0, getattr(self._budget, "until", math.inf) - time.monotonic())
        if self.delay:
            time.sleep(min(self.delay, left))
        return self.delay <= left

    def _next_fault(self, deed: str) -> Fault | None:
        for index, (name, fault) in enumerate(self._faults):
            if name in (deed, "*"):
                del self._faults[index]
                return fault
        return None

    def _refuse_name(self, localpart: str) -> None:
        refuse_unusual_name(localpart)
        if any(re.fullmatch(expression, localpart) for expression in self.taken_by_services):
            raise NameRefused(errcode="M_EXCLUSIVE", error="This user ID is reserved", http_status=400)

    def _check(self, localpart: str, password: str) -> None:
        refuse_impossible_name(localpart, self.server_name)
        self.policy.check(password)

    def _need_token(self) -> None:
        if not self.has_token:
            raise needs_admin_token()

    def _existing(self, localpart: str) -> MemoryAccount:
        refuse_impossible_name(localpart, self.server_name)
        if localpart not in self.accounts:
            raise AccountMissing
        return self.accounts[localpart]

    def _mxid(self, localpart: str) -> str:
        return full_mxid(localpart, self.server_name)

    @staticmethod
    def _set_password(account: MemoryAccount, password: str) -> None:
        account.password = password
        account.devices.clear()


def _taken() -> NameTaken:
    return NameTaken(errcode="M_USER_IN_USE", error="User ID already taken.", http_status=400)


def _changes(deed: str) -> bool:
    return deed not in ("check_name", "exists", "look_up", "token_uses")


def _before(fault: Fault | None, deed: str) -> HomeserverError | None:
    """Return the error of a fault that strikes before anything is done."""
    match fault:
        case Fault.DOWN:
            return Unreachable(maybe_done=False, detail=fault)
        case Fault.LOST_REQUEST | Fault.BROKEN:
            return Unreachable(maybe_done=_changes(deed), detail=fault)
        case Fault.BUSY:
            return Busy(retry_after=RETRY_AFTER, detail=fault, errcode="M_LIMIT_EXCEEDED", http_status=429)
        case Fault.MISCONFIGURED:
            return Misconfigured(remedy="Mend it.", detail=fault)
        case _:
            return None
