"""What a homeserver can be asked, in small protocols by capability.

Every method takes plain values, answers within three times `homeserver.timeout`, and raises errors.HomeserverError.
Besides those named, any method may raise Busy, Unreachable, Misconfigured or NotPossible (these credentials do not
allow it). A localpart that can be none raises NameRefused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from foyer.homeserver.errors import PasswordRefused

MAX_PASSWORD_LENGTH = 512


class Capability(StrEnum):
    """What an adapter may be able to do, by what its server and its credentials allow."""

    NAMES = "names"
    CREATE = "create"
    SIGN_IN = "sign-in"
    LOOK_UP = "look-up"
    HOLD = "hold"
    SET_PASSWORD = "set-password"
    EMAIL = "email"
    ROOMS = "rooms"
    SAY = "say"
    TOKENS = "tokens"
    CONSENT = "consent"
    PROBE = "probe"


@dataclass(frozen=True)
class Created:
    """An account that is ours since now. access_token: only where sign_in was asked for and worked."""

    mxid: str
    access_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Sighting:
    """An account as an administrator sees it.

    created_at: UTC, whole seconds (the homeserver keeps no more).
    seen: some device of it has used the server. Signing in by password_is_right counts only where the server cannot
    tell us from others.
    """

    created_at: datetime
    seen: bool
    locked: bool
    deactivated: bool


@dataclass(frozen=True)
class PasswordPolicy:
    """The homeserver's rules for passwords, as `GET /_matrix/client/v3/password_policy` states them."""

    min_length: int = 0
    digit: bool = False
    symbol: bool = False
    lowercase: bool = False
    uppercase: bool = False

    def violations(self, password: str) -> list[str]:
        """Return the codes of the rules that are not met (keys of errors.PASSWORD_REASONS); empty: it will do."""
        if len(password) > MAX_PASSWORD_LENGTH or "\0" in password or _is_broken(password):
            return ["password-unusable"]
        rules = [
            ("password-too-short", len(password) < self.min_length),
            ("password-no-digit", self.digit and not re.search(r"[0-9]", password)),
            ("password-no-symbol", self.symbol and not re.search(r"[^a-zA-Z0-9]", password)),
            ("password-no-lowercase", self.lowercase and not re.search(r"[a-z]", password)),
            ("password-no-uppercase", self.uppercase and not re.search(r"[A-Z]", password)),
        ]
        return [code for code, is_violated in rules if is_violated]

    def check(self, password: str) -> None:
        """Refuse a password that the rules forbid.

        Raises:
            PasswordRefused: with a reason for each rule that is not met.
        """
        if reasons := self.violations(password):
            raise PasswordRefused(reasons=reasons, min_length=self.min_length)


def _is_broken(text: str) -> bool:
    """Half a surrogate pair (JSON can spell one) has no UTF-8."""
    return any("\ud800" <= character <= "\udfff" for character in text)


@dataclass(frozen=True)
class TokenUses:
    """What was done with a registration token at the server itself.

    pending: registrations that began with it and are not finished; they may end as completed, or come to nothing.
    completed: accounts that were made with it.
    """

    pending: int
    completed: int

    @property
    def all(self) -> int:
        """How many of the uses that the token allows are gone."""
        return self.pending + self.completed


class Level(StrEnum):
    """How much a finding of `foyer doctor` matters."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: what was found, and for a warning or fault what the owner can do."""

    level: Level
    sentence: str
    remedy: str = ""


@dataclass(frozen=True)
class Probe:
    """What the homeserver turned out to be. version: as it calls itself, None where it did not say."""

    version: str | None
    findings: tuple[Finding, ...]

    @property
    def is_sound(self) -> bool:
        """Nothing found keeps people out."""
        return all(finding.level is not Level.FAULT for finding in self.findings)


class Names(Protocol):
    """Is a name free?"""

    def check_name(self, localpart: str) -> None:
        """Return if an account of this name could be made now. Says nothing about a moment later: create() decides.

        Raises:
            NameTaken, NameRefused
        """
        ...

    def exists(self, localpart: str) -> bool:
        """There is an account of this name, whoever has it. Without a token a deactivated one may look like none."""
        ...


class Creates(Protocol):
    """Makes accounts."""

    @property
    def create_is_one_step(self) -> bool:
        """Name and password arrive in one deed. If not, a failure half way leaves a shell without a password."""
        ...

    def create(self, localpart: str, password: str, *, sign_in: bool = False) -> Created:
        """Make an account that did not exist; never touch one that did. Of many at once for one name one wins.

        After Unreachable(maybe_done=True) the account, or a shell of it, may be there: look_up() tells, and reopen()
        finishes a shell.

        Raises:
            NameTaken, NameRefused, PasswordRefused, ServerFull
        """
        ...

    def password_policy(self) -> PasswordPolicy:
        """Return the homeserver's rules for passwords; kept for some minutes. create() and the like enforce them."""
        ...


class SignsIn(Protocol):
    """Tries a password."""

    def password_is_right(self, localpart: str, password: str) -> bool:
        """Sign in and out again; leaves no device. True for a locked account too, if it is its password."""
        ...


class LooksUp(Protocol):
    """Knows what an administrator knows."""

    def look_up(self, localpart: str) -> Sighting | None:
        """Return the account, or None where there has never been one of this name."""
        ...


class Holds(Protocol):
    """Keeps accounts that exist and cannot be used. Names must be ours: these overwrite what is there."""

    def hold(self, localpart: str, password: str) -> Created:
        """Make a locked account that will open with this password. Errors as create()."""
        ...

    def rehold(self, localpart: str, password: str) -> None:
        """Make a shell of ours (half made, shelved or deactivated) a locked account that will open with this password.

        Raises:
            AccountMissing, PasswordRefused
        """
        ...

    def open(self, localpart: str) -> None:
        """Unlock it; its password is as it was. Doing it again changes nothing.

        Raises:
            AccountMissing
        """
        ...

    def shelve(self, localpart: str) -> None:
        """Lock it, with a password that nobody knows, no device and no email. Doing it again changes nothing.

        Raises:
            AccountMissing
        """
        ...

    def reopen(self, localpart: str, password: str) -> None:
        """Make a shell of ours (half made, shelved or deactivated) a usable account with this password.

        Raises:
            AccountMissing, PasswordRefused
        """
        ...

    def set_password(self, localpart: str, password: str) -> None:
        """Give an account of ours this password; its devices are signed out. Never makes an account.

        Raises:
            AccountMissing, PasswordRefused
        """
        ...


class Emails(Protocol):
    """Attaches verified emails."""

    def attach_email(self, localpart: str, email: str) -> None:
        """Add an email to an account, beside those it has. Never takes it from another one.

        Raises:
            AccountMissing, EmailTaken
        """
        ...


class Rooms(Protocol):
    """Puts people into rooms."""

    def join(self, localpart: str, room: str) -> None:
        """Put an account into a room (id or alias). Doing it again changes nothing.

        Raises:
            AccountMissing, RoomRefused
        """
        ...


class Says(Protocol):
    """Speaks to people."""

    def say(self, localpart: str, text: str) -> None:
        """Send a person a message: a server notice, else a direct message by the admin.

        The same text to the same person within half an hour is sent once, so that a retry is safe.

        Raises:
            AccountMissing
        """
        ...

    def say_in_room(self, room: str, text: str, *, key: str = "") -> None:
        """Say something in a room (id or alias) as the admin, who joins it first where that is needed and possible.

        The same `key` (without one: the same text) in the same room within half an hour is said once, so that a retry
        is safe.

        Raises:
            RoomRefused
        """
        ...


class Tokens(Protocol):
    """Keeps the server's own registration tokens, by which clients register without us."""

    def put_token(self, token: str, *, uses: int | None, expires_at: datetime | None) -> None:
        """Make it, or make it what this says; the same again changes nothing.

        uses: how many in all, those made there included; None unlimited; 0, or a moment that is past: nobody more. What
        was made there stays known.
        Once this returned, the server lets in nobody whom this does not allow, but for those who are pending.
        """
        ...

    def delete_token(self, token: str) -> None:
        """Withdraw it (deleted, or revoked where the server keeps it). Missing: nothing to do."""
        ...

    def token_uses(self, token: str) -> TokenUses | None:
        """Return what was done with it; None: the server does not know it."""
        ...


class Consents(Protocol):
    """Notes who accepted the server's terms."""

    def record_consent(self, localpart: str) -> None:
        """Have the server note that its terms were accepted (homeserver.consent). The same again changes nothing.

        Raises:
            AccountMissing
        """
        ...


class Probes(Protocol):
    """Examines itself."""

    def probe(self, rooms: Iterable[str] = ()) -> Probe:
        """Look at everything that a journey needs, and at these rooms. Never raises, changes nothing."""
        ...


class Homeserver(Names, Creates, SignsIn, LooksUp, Holds, Emails, Rooms, Says, Tokens, Consents, Probes, Protocol):
    """All of it. What `capabilities` lacks raises NotPossible with the remedy."""

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What this server and these credentials allow. No question is asked: it is what the configuration promises."""
        ...

    def within(self, seconds: float) -> AbstractContextManager[None]:
        """Let everything that this thread asks inside the `with` block together take no longer than this.

        What would take longer ends as Unreachable, with maybe_done as always.
        """
        ...
