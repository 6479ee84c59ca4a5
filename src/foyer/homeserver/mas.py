"""The Matrix Authentication Service, which keeps the accounts of the Synapse beside it.

| | the client's credentials | and homeserver.admin_token |
|---|---|---|
| create, hold, look up, set password, email, tokens | at the service | at the service |
| is the name free | at the service, and by its profile at Synapse | at both |
| sign in | at the service's compatibility layer | the same |
| rooms, say | no | at Synapse |

An account is made by `POST users`, which never overwrites, and gets its password afterwards: a claim, then the
password.
The service tells Synapse of a new account in its own time.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from foyer.homeserver.errors import AccountMissing, Busy, HomeserverError, NotPossible, PasswordRefused, Unreachable
from foyer.homeserver.http import Client
from foyer.homeserver.mas_access import Access, MasAPI
from foyer.homeserver.mas_emails import Emails
from foyer.homeserver.mas_probe import examine
from foyer.homeserver.mas_site import SiteConfig
from foyer.homeserver.mas_synapse import SignInAtMas, SynapseBesideMas
from foyer.homeserver.mas_tokens import RegistrationTokens
from foyer.homeserver.mas_users import NEW_DEVICE, MasUser, Users, taken
from foyer.homeserver.port import Capability, Created, PasswordPolicy, Probe, Sighting, TokenUses
from foyer.homeserver.synapse_admin import AdminAPI, unguessable_password
from foyer.homeserver.synapse_errors import refuse_impossible_name, refuse_unusual_name
from foyer.homeserver.synapse_rooms import RoomsAPI
from foyer.kit.matrix import mxid as full_mxid

LONGEST_DEED = 2.5
"""In time-outs: how long create, hold and reopen may take over all their requests."""
NOT_TOLD_YET_SECONDS = 5.0
BY_CLIENT = frozenset(
    {
        Capability.NAMES,
        Capability.CREATE,
        Capability.SIGN_IN,
        Capability.LOOK_UP,
        Capability.HOLD,
        Capability.SET_PASSWORD,
        Capability.EMAIL,
        Capability.TOKENS,
        Capability.PROBE,
    }
)
AT_SYNAPSE = frozenset({Capability.ROOMS, Capability.SAY})


@dataclass
class Mas:
    """One service and one Synapse; see port.Homeserver for what each method promises. client: where Synapse is."""

    client: Client
    mas_client: Client
    server_name: str
    client_id: str
    client_secret: str = field(repr=False)
    admin_token: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        api = MasAPI(Access(self.mas_client, self.client_id, self.client_secret))
        self._site = SiteConfig(api, self.server_name)
        self._users = Users(api)
        self._emails = Emails(api)
        self._tokens = RegistrationTokens(api)
        self._sign_in = SignInAtMas(self.mas_client)
        self._synapse = SynapseBesideMas(self.client)
        self._admin = AdminAPI(self._synapse, self.admin_token) if self.admin_token else None
        self._rooms = RoomsAPI(self._admin) if self._admin else None

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What these credentials allow."""
        return BY_CLIENT | AT_SYNAPSE if self._admin else BY_CLIENT

    @property
    def create_is_one_step(self) -> bool:
        """The password comes second."""
        return False

    @contextlib.contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Hand the limit on to both pools."""
        with self.client.within_seconds(seconds), self.mas_client.within_seconds(seconds):
            yield

    def check_name(self, localpart: str) -> None:
        """Ask both servers; without an admin token Synapse only shows whether there is a profile."""
        self._refuse_name(localpart)
        if self._users.find(localpart) is not None:
            raise taken("GET of the account: 200")
        if self._admin:
            self._admin.check_name(localpart)
        elif self._synapse.has_profile(self._mxid(localpart)):
            raise taken("GET of the profile: 200")

    def exists(self, localpart: str) -> bool:
        """Ask both servers. An account that only Synapse has was made before the service came."""
        mxid = self._mxid(localpart)
        return self._users.find(localpart) is not None or bool(self._synapse.has_profile(mxid))

    def create(self, localpart: str, password: str, *, sign_in: bool = False) -> Created:
        """Make an account that did not exist. 2 requests; 3 for sign_in."""
        with self.mas_client.within(LONGEST_DEED):
            self._check(localpart, password)
            user = self._users.claim(localpart)
            with _shell_exists():
                self._users.set_password(user.id, password)
            mxid = self._mxid(localpart)
            if not sign_in:
                return Created(mxid, None)
            return Created(mxid, self._sign_in.sign_in_newcomer(mxid, password, device_id=NEW_DEVICE))

    def password_policy(self) -> PasswordPolicy:
        """Return the service's rule. Synapse's own count for nothing here."""
        return self._site.policy()

    def password_is_right(self, localpart: str, password: str) -> bool:
        """Sign in and out again; of a locked account this cannot be told."""
        return self._sign_in.password_is_right(self._mxid(localpart), password)

    def look_up(self, localpart: str) -> Sighting | None:
        """Ask for the account, and whether it ever had a session."""
        refuse_impossible_name(localpart, self.server_name)
        return self._users.look_up(localpart)

    def hold(self, localpart: str, password: str) -> Created:
        """Make it without a password, lock it, and only then set the password."""
        with self.mas_client.within(LONGEST_DEED):
            self._check(localpart, password)
            user = self._users.claim(localpart)
            with _shell_exists():
                self._users.lock(user)
                self._users.set_password(user.id, password)
        return Created(self._mxid(localpart))

    def rehold(self, localpart: str, password: str) -> None:
        """Give a shell of ours a password and keep it locked."""
        with self.mas_client.within(LONGEST_DEED):
            user = self._emptied(localpart, password)
            self._users.reactivate(user)

    def open(self, localpart: str) -> None:
        """Unlock it."""
        self._users.unlock(self._existing(localpart))

    def shelve(self, localpart: str) -> None:
        """Lock it and empty it."""
        user = self._existing(localpart)
        # The lock first: should a later step fail, nobody can use the account.
        self._users.lock(user)
        self._users.forget_password(user.id, unguessable_password())
        self._strip(user)

    def reopen(self, localpart: str, password: str) -> None:
        """Give a shell of ours a password and open it."""
        with self.mas_client.within(LONGEST_DEED):
            self._check(localpart, password)
            user = self._existing(localpart)
            with _refused_for_a_shell():
                self._users.set_password(user.id, password)
            self._users.end_sessions(user.id)
            self._users.reactivate(user)
            self._users.unlock(user)

    def set_password(self, localpart: str, password: str) -> None:
        """Give an account of ours another password, and sign it out everywhere: the service does not by itself."""
        self._check(localpart, password)
        user = self._existing(localpart)
        self._users.set_password(user.id, password)
        self._users.end_sessions(user.id)

    def attach_email(self, localpart: str, email: str) -> None:
        """Add an email that nobody has."""
        self._emails.attach(self._existing(localpart).id, email)

    def join(self, localpart: str, room: str) -> None:
        """Put it into a room, once Synapse knows it."""
        rooms, mxid = self._need_rooms(), self._mxid(localpart)
        with self._told(localpart):
            rooms.join(mxid, room)

    def say(self, localpart: str, text: str) -> None:
        """Send a server notice or a direct message, once Synapse knows whom to."""
        rooms, mxid = self._need_rooms(), self._mxid(localpart)
        with self._told(localpart):
            rooms.say(mxid, text)

    def say_in_room(self, room: str, text: str, *, key: str = "") -> None:
        """Send a message into a room."""
        self._need_rooms().say_in_room(room, text, key=key)

    def put_token(self, token: str, *, uses: int | None, expires_at: datetime | None) -> None:
        """Make or change a registration token."""
        self._tokens.put(token, uses=uses, expires_at=expires_at)

    def delete_token(self, token: str) -> None:
        """Revoke a registration token; the service keeps it and its count."""
        self._tokens.revoke(token)

    def token_uses(self, token: str) -> TokenUses | None:
        """Ask how many accounts were made with it."""
        return self._tokens.uses(token)

    def record_consent(self, localpart: str) -> None:
        """Synapse does not start with user_consent where it leaves its accounts to the service."""
        refuse_impossible_name(localpart, self.server_name)
        remedy = _("Synapse records no consent beside the Matrix Authentication Service. Leave homeserver.consent out.")
        raise NotPossible(remedy=remedy, detail="no consent")

    def probe(self, rooms: Iterable[str] = ()) -> Probe:
        """Examine both servers and the credentials."""
        return examine(self._site, self._sign_in, self._synapse, rooms_api=self._rooms, rooms=list(rooms))

    def _mxid(self, localpart: str) -> str:
        refuse_impossible_name(localpart, self.server_name)
        return full_mxid(localpart, self.server_name)

    def _refuse_name(self, localpart: str) -> None:
        refuse_impossible_name(localpart, self.server_name)
        refuse_unusual_name(localpart)

    def _check(self, localpart: str, password: str) -> None:
        self._refuse_name(localpart)
        self.password_policy().check(password)

    def _existing(self, localpart: str) -> MasUser:
        refuse_impossible_name(localpart, self.server_name)
        return self._users.existing(localpart)

    def _emptied(self, localpart: str, password: str) -> MasUser:
        """Lock a shell and take everything from it but this password."""
        self._check(localpart, password)
        user = self._existing(localpart)
        self._users.lock(user)
        with _refused_for_a_shell():
            self._users.set_password(user.id, password)
        self._strip(user)
        return user

    def _strip(self, user: MasUser) -> None:
        self._emails.remove_all(user.id)
        self._users.end_sessions(user.id)

    def _need_rooms(self) -> RoomsAPI:
        if self._rooms is None:
            raise NotPossible(
                remedy=_(
                    "This needs the access token of an admin of Synapse in homeserver.admin_token. `mas-cli manage "
                    "issue-compatibility-token NAME --yes-i-want-to-grant-synapse-admin-privileges` prints one."
                ),
                detail="no admin token",
            )
        return self._rooms

    @contextlib.contextmanager
    def _told(self, localpart: str) -> Iterator[None]:
        """Synapse may not have been told yet of an account that the service made."""
        try:
            yield
        except AccountMissing as error:
            user = self._users.find(localpart)
            if user is None or user.deactivated:
                raise
            raise Busy(retry_after=NOT_TOLD_YET_SECONDS, detail=error.detail) from error


@contextlib.contextmanager
def _shell_exists() -> Iterator[None]:
    """Whatever goes wrong from here on, there is an account of ours that is not finished."""
    try:
        with _refused_for_a_shell():
            yield
    except PasswordRefused:
        raise
    except HomeserverError as error:
        raise Unreachable.half_done(error) from error


@contextlib.contextmanager
def _refused_for_a_shell() -> Iterator[None]:
    """A password that the service finds too weak, where we did not, is refused when the account is there already."""
    try:
        yield
    except PasswordRefused as error:
        error.leaves_shell = True
        raise
