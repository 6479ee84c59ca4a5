"""Foyer's access to the Matrix Authentication Service: an access token by client credentials, renewed in time.

https://element-hq.github.io/matrix-authentication-service/topics/admin-api.html#automated-tools
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import gettext_lazy as _

from foyer.homeserver.errors import HomeserverError, Misconfigured, Unreachable, filled
from foyer.homeserver.http import Answer, Client

SCOPE = "urn:mas:admin"
TOKEN_PATH = "/oauth2/token"
PREFIX = "/api/admin/v1"
RENEW_BEFORE_SECONDS = 60.0
"""How long before its end a token is renewed, but never in its first half."""
TRY_AGAIN_SECONDS = 5.0
"""When a renewal failed while the token is good still."""
DEFAULT_LIFETIME_SECONDS = 300.0

WRONG_CLIENT = _(
    "The Matrix Authentication Service does not accept homeserver.mas.client_id and homeserver.mas.client_secret. Copy "
    "them from `clients` in its config.yaml, where the client needs `client_auth_method: client_secret_basic`; after a "
    "change there run `mas-cli config sync`."
)
NO_ADMIN = _(
    "The client of homeserver.mas.client_id may not administer the Matrix Authentication Service. Add its id to "
    "policy.data.admin_clients in the config.yaml of that service, and restart it."
)
NO_TOKENS = _(
    "%(url)s gives no access tokens (%(asked)s). homeserver.mas.url must lead to the Matrix Authentication Service, to "
    "a listener whose resources have `oauth` and `adminapi`."
)
NO_ADMIN_API = _(
    "The Matrix Authentication Service at %(url)s does not show its admin API (%(asked)s). Add `- name: adminapi` to "
    "the resources of the listener in its config.yaml that homeserver.mas.url leads to."
)
REFUSED = _("The Matrix Authentication Service at %(url)s refused %(asked)s: %(said)s")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Token:
    """Moments are those of time.monotonic()."""

    text: str = field(repr=False)
    renew_at: float
    expires_at: float


@dataclass
class Access:
    """Holds the token. Of many threads one renews it; the others wait, or use the old one as long as it is good."""

    client: Client
    client_id: str
    client_secret: str = field(repr=False)
    _token: _Token | None = field(default=None, init=False, repr=False)
    _failed: tuple[float, HomeserverError] = field(default=(0.0, HomeserverError()), init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def token(self, *, instead_of: str = "") -> str:
        """Return an access token that is good now, and another one than the one that was refused.

        Raises:
            Misconfigured: the client is not known, or may not administer.
            HomeserverError: nothing was done.
        """
        token, begun = self._token, time.monotonic()
        is_good = token is not None and token.text != instead_of and begun < token.expires_at
        if token is not None and is_good and begun < token.renew_at:
            return token.text
        if not self._lock.acquire(timeout=0 if is_good else self.client.patience):
            if token is not None and is_good:
                return token.text  # Somebody is renewing it.
            raise Unreachable(maybe_done=False, detail=f"POST {TOKEN_PATH}: others wait for it too")
        try:
            if self._token is not None and self._token is not token and self._token.text != instead_of:
                return self._token.text
            if self._failed[0] > begun:  # While we waited. Each trying anew would wait ever longer.
                raise _same(self._failed[1])
            return self._renew(token if is_good else None)
        finally:
            self._lock.release()

    def _renew(self, good: _Token | None) -> str:
        try:
            self._token = self._ask()
        except HomeserverError as error:
            self._failed = (time.monotonic(), error)
            if good is None:
                raise
            log.warning("The access token could not be renewed in advance: %s", error.detail)
            self._token = replace(good, renew_at=time.monotonic() + TRY_AGAIN_SECONDS)
        return self._token.text

    def _ask(self) -> _Token:
        asked_at = time.monotonic()
        answer = self.client.call(
            "POST",
            TOKEN_PATH,
            form={"grant_type": "client_credentials", "scope": SCOPE},
            basic=(self.client_id, self.client_secret),
            writes=False,  # A token too many harms nobody.
        )
        if answer.error in ("invalid_client", "unauthorized_client"):
            raise Misconfigured(remedy=WRONG_CLIENT, **answer.said)
        if answer.error in ("invalid_scope", "access_denied"):
            raise Misconfigured(remedy=NO_ADMIN, **answer.said)
        token = answer.text("access_token")
        if not answer.ok or not token:
            remedy = filled(NO_TOKENS, url=self.client.url, asked=f"{answer.asked}: {answer.status}")
            raise Misconfigured(remedy=remedy, **answer.said)
        if SCOPE not in answer.text("scope").split() and answer.text("scope"):
            raise Misconfigured(remedy=NO_ADMIN, **answer.said)
        seconds = answer.body.get("expires_in")
        if not isinstance(seconds, int | float) or isinstance(seconds, bool) or seconds <= 0:
            seconds = DEFAULT_LIFETIME_SECONDS
        early = min(RENEW_BEFORE_SECONDS, seconds / 2)
        return _Token(token, renew_at=asked_at + seconds - early, expires_at=asked_at + seconds)


@dataclass
class MasAPI:
    """The admin API, asked with that token."""

    access: Access

    @property
    def client(self) -> Client:
        """Where it is."""
        return self.access.client

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        is_optional: bool = False,
    ) -> Answer:
        """Ask below /api/admin/v1. A token that is not accepted (any more) is renewed once.

        is_optional: an answer of a service that does not know the path is an answer.

        Raises:
            Misconfigured: the client may not do this, or this is not the admin API.
        """
        token = self.access.token()
        answer = self._call(method, path, body, query, token)
        if answer.status == 401:  # Then nothing was done.
            token = self.access.token(instead_of=token)
            answer = self._call(method, path, body, query, token)
        if answer.status == 401:
            raise Misconfigured(remedy=NO_ADMIN, **answer.said)
        if not answer.ok and not title(answer) and not is_optional:
            remedy = filled(NO_ADMIN_API, url=self.client.url, asked=f"{answer.asked}: {answer.status}")
            raise Misconfigured(remedy=remedy, **answer.said)
        return answer

    def unexpected(self, answer: Answer) -> Misconfigured:
        """Return what an error that nobody foresaw means: something must be set up differently."""
        remedy = filled(REFUSED, url=self.client.url, asked=answer.asked, said=title(answer) or answer.status)
        return Misconfigured(remedy=remedy, **answer.said)

    def _call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        query: Mapping[str, str] | None,
        token: str,
    ) -> Answer:
        return self.client.call(method, PREFIX + path, body, query=query, token=token, writes=method != "GET")


def title(answer: Answer) -> str:
    """Return the service's own sentence about what is wrong, or nothing. It may hold a name or an email."""
    errors = answer.body.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    text = first.get("title") if isinstance(first, dict) else None
    return text if isinstance(text, str) else ""


def _same(error: HomeserverError) -> HomeserverError:
    """Return an error like this one, for another thread to raise."""
    twin = type(error).__new__(type(error))
    twin.args = error.args
    twin.__dict__.update(error.__dict__)
    return twin
