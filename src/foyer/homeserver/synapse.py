"""Synapse (and what speaks as it does, see synapse_dialect), with a shared secret, an admin token, or both.

| | secret alone | token alone | both |
|---|---|---|---|
| create | one step | a claim, then the password | one step |
| is the name free | by its profile | asked | asked |
| look up, hold, set password, email, rooms, say, tokens | no | yes | yes |

That the terms were accepted is recorded by a secret of its own, homeserver.consent.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from django.utils.translation import gettext_lazy as _

from foyer.homeserver.client_api import ClientAPI
from foyer.homeserver.errors import HomeserverError, Misconfigured, NameTaken, NotPossible, Unreachable
from foyer.homeserver.http import Client
from foyer.homeserver.port import Capability, Created, PasswordPolicy, Probe, Sighting, TokenUses
from foyer.homeserver.synapse_admin import AdminAPI, unguessable_password
from foyer.homeserver.synapse_consent import ConsentForm, needs_consent
from foyer.homeserver.synapse_dialect import SYNAPSE, Dialect
from foyer.homeserver.synapse_errors import needs_admin_token, refuse_impossible_name, refuse_unusual_name
from foyer.homeserver.synapse_probe import examine
from foyer.homeserver.synapse_rooms import RoomsAPI
from foyer.homeserver.synapse_secret import SharedSecret
from foyer.homeserver.synapse_tokens import TokensAPI
from foyer.kit.matrix import mxid as full_mxid

log = structlog.get_logger(__name__)
LONGEST_DEED = 2.5
"""In time-outs: how long create, hold and reopen may take over all their requests."""
ALWAYS = frozenset({Capability.NAMES, Capability.CREATE, Capability.SIGN_IN, Capability.PROBE})
BY_ADMIN = frozenset(
    {
        Capability.LOOK_UP,
        Capability.HOLD,
        Capability.SET_PASSWORD,
        Capability.EMAIL,
        Capability.ROOMS,
        Capability.SAY,
        Capability.TOKENS,
    }
)


@dataclass
class Synapse:
    """One Synapse; see port.Homeserver for what each method promises."""

    client: Client
    server_name: str
    shared_secret: str | None = field(default=None, repr=False)
    admin_token: str | None = field(default=None, repr=False)
    consent_version: str | None = None
    form_secret: str | None = field(default=None, repr=False)
    dialect: Dialect = SYNAPSE

    def __post_init__(self) -> None:
        self._has_complained = False
        self._api = ClientAPI(self.client)
        written_in = self.dialect.written_in
        self._secret = SharedSecret(self._api, self.shared_secret, written_in) if self.shared_secret else None
        self._admin = AdminAPI(self._api, self.admin_token) if self.admin_token else None
        self._rooms = RoomsAPI(self._admin) if self._admin else None
        self._tokens = TokensAPI(self._admin) if self._admin else None
        self._consent = (
            ConsentForm(self._api, self.consent_version, self.form_secret)
            if self.consent_version and self.form_secret
            else None
        )

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What these credentials allow."""
        found = set(ALWAYS)
        if not self._secret and not (self._admin and self.dialect.claims):
            found.remove(Capability.CREATE)
        if self._admin:
            found |= BY_ADMIN
        if self._consent:
            found.add(Capability.CONSENT)
        return frozenset(found - self.dialect.lacking)

    @property
    def create_is_one_step(self) -> bool:
        """With the shared secret."""
        return self._secret is not None or not self.dialect.claims

    def within(self, seconds: float) -> AbstractContextManager[None]:
        """Hand the limit on to the pool."""
        return self.client.within_seconds(seconds)

    def check_name(self, localpart: str) -> None:
        """Ask the server, or, without a token, look for a profile."""
        refuse_impossible_name(localpart, self.server_name)
        if not (self._admin and self.dialect.refuses_unusual):
            refuse_unusual_name(localpart)
        if self._admin and self._admin_knows(localpart):
            return
        # None: it does not tell strangers. Then create() will.
        if self._api.has_profile(self._mxid(localpart)):
            raise NameTaken(errcode="M_USER_IN_USE", error="User ID already taken.")

    def _admin_knows(self, localpart: str) -> bool:
        """Ask as the admin. False: the token is dead, and the secret makes accounts without it."""
        try:
            self._need_admin().check_name(localpart)
        except Misconfigured as error:
            if not self._secret:
                raise
            refuse_unusual_name(localpart)
            if not self._has_complained:
                log.error("asking for names without the admin token", remedy=error.remedy, detail=error.detail)
            self._has_complained = True
            return False
        self._has_complained = False
        return True

    def exists(self, localpart: str) -> bool:
        """Look it up where we may, else look for a profile."""
        mxid = self._mxid(localpart)
        if self._admin:
            return self._admin.look_up(mxid) is not None
        answer = self._api.has_profile(mxid)
        if answer is None:
            remedy = _(
                "The homeserver shows profiles only to its own people (require_auth_for_profile_requests), so that "
                "Foyer needs homeserver.admin_token."
            )
            raise NotPossible(remedy=remedy, detail="profiles are not public")
        return answer

    def create(self, localpart: str, password: str, *, sign_in: bool = False) -> Created:
        """Make an account that did not exist. 2 requests with either credential; 3 for sign_in by a token alone."""
        with self.client.within(LONGEST_DEED):
            self._check(localpart, password)
            if self._secret:
                return self._secret.register(localpart, password, sign_in=sign_in)
            admin, mxid = self._need_admin(), self._mxid(localpart)
            if not self.dialect.claims:
                raise _needs_secret()
            admin.claim(mxid)
            with _shell_exists():
                admin.set_password(mxid, password)
            return Created(mxid, self._api.sign_in_newcomer(mxid, password) if sign_in else None)

    def password_policy(self) -> PasswordPolicy:
        """The server's rules, which it enforces itself neither by the secret nor by the Admin API."""
        return self._api.password_policy()

    def password_is_right(self, localpart: str, password: str) -> bool:
        """Sign in and out again."""
        return self._api.password_is_right(self._mxid(localpart), password)

    def look_up(self, localpart: str) -> Sighting | None:
        """Ask as the admin."""
        return self._need_admin(Capability.LOOK_UP).look_up(self._mxid(localpart))

    def hold(self, localpart: str, password: str) -> Created:
        """Make it without a password that anybody knows, lock it, and only then set the password."""
        admin, mxid = self._need_admin(Capability.HOLD), self._mxid(localpart)
        with self.client.within(LONGEST_DEED):
            self._check(localpart, password)
            if self._secret:
                self._secret.register(localpart, unguessable_password(), sign_in=False)
            else:
                admin.claim(mxid)
            with _shell_exists():
                admin.change(mxid, locked=True)
                admin.set_password(mxid, password)
        return Created(mxid)

    def rehold(self, localpart: str, password: str) -> None:
        """Give a shell of ours a password and keep it locked."""
        admin = self._need_admin(Capability.HOLD)
        with self.client.within(LONGEST_DEED):
            self._check(localpart, password)
            admin.rehold(self._mxid(localpart), password)

    def open(self, localpart: str) -> None:
        """Unlock it."""
        self._need_admin(Capability.HOLD).open(self._mxid(localpart))

    def shelve(self, localpart: str) -> None:
        """Lock it and empty it."""
        self._need_admin(Capability.HOLD).shelve(self._mxid(localpart))

    def reopen(self, localpart: str, password: str) -> None:
        """Give a shell of ours a password and open it."""
        admin = self._need_admin(Capability.HOLD)
        with self.client.within(LONGEST_DEED):
            self._check(localpart, password)
            admin.reopen(self._mxid(localpart), password)

    def set_password(self, localpart: str, password: str) -> None:
        """Give an account of ours another password."""
        admin = self._need_admin()
        self._check(localpart, password)
        admin.set_password(self._mxid(localpart), password)

    def attach_email(self, localpart: str, email: str) -> None:
        """Add an email that nobody has."""
        self._need_admin().attach_email(self._mxid(localpart), email)

    def join(self, localpart: str, room: str) -> None:
        """Put it into a room."""
        self._need_rooms().join(self._mxid(localpart), room)

    def say(self, localpart: str, text: str) -> None:
        """Send a server notice or a direct message."""
        self._need_rooms().say(self._mxid(localpart), text)

    def say_in_room(self, room: str, text: str, *, key: str = "") -> None:
        """Send a message into a room."""
        self._need_rooms().say_in_room(room, text, key=key)

    def put_token(self, token: str, *, uses: int | None, expires_at: datetime | None) -> None:
        """Make or change a registration token."""
        self._need_tokens().put(token, uses=uses, expires_at=expires_at)

    def delete_token(self, token: str) -> None:
        """Delete a registration token; what was made with it is forgotten."""
        self._need_tokens().delete(token)

    def token_uses(self, token: str) -> TokenUses | None:
        """Ask what was made with it."""
        return self._need_tokens().uses(token)

    def record_consent(self, localpart: str) -> None:
        """Send the form of the terms as this person would."""
        if self._consent is None:
            raise needs_consent()
        self._consent.accept(self._mxid(localpart))

    def probe(self, rooms: Iterable[str] = ()) -> Probe:
        """Examine the server and the credentials."""
        return examine(
            self._api,
            self.server_name,
            secret=self._secret,
            rooms_api=self._rooms,
            consent=self._consent,
            dialect=self.dialect,
            rooms=list(rooms),
        )

    def _mxid(self, localpart: str) -> str:
        refuse_impossible_name(localpart, self.server_name)
        return full_mxid(localpart, self.server_name)

    def _check(self, localpart: str, password: str) -> None:
        refuse_impossible_name(localpart, self.server_name)
        if not self.dialect.refuses_unusual:
            refuse_unusual_name(localpart)
        self.password_policy().check(password)

    def _need_admin(self, capability: Capability = Capability.CREATE) -> AdminAPI:
        self.dialect.need(capability)
        if self._admin is None:
            raise needs_admin_token()
        return self._admin

    def _need_tokens(self) -> TokensAPI:
        if self._tokens is None:
            raise needs_admin_token()
        return self._tokens

    def _need_rooms(self) -> RoomsAPI:
        if self._rooms is None:
            raise needs_admin_token()
        return self._rooms


def _needs_secret() -> NotPossible:
    return NotPossible(
        remedy=_("At this homeserver accounts are made by homeserver.registration_shared_secret alone."),
        detail="no shared secret",
    )


@contextlib.contextmanager
def _shell_exists() -> Iterator[None]:
    """Whatever goes wrong from here on, there is an account of ours that is not finished."""
    try:
        yield
    except HomeserverError as error:
        raise Unreachable.half_done(error) from error
