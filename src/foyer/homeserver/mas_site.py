"""How the Matrix Authentication Service is set up, as far as a journey depends on it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_lazy as _

from foyer.homeserver.errors import Misconfigured, Unreachable, filled
from foyer.homeserver.mas_access import MasAPI
from foyer.homeserver.mas_users import PASSWORDS_OFF
from foyer.homeserver.port import PasswordPolicy
from foyer.kit import guessing

SITE_SECONDS = 300.0
TOKEN_REQUIRED = ("password_registration_token_required", "registration_token_required")
OTHER_NAME = _(
    "The Matrix Authentication Service keeps the accounts of %(name)s, and server_name is %(configured)s. Set "
    "server_name: %(name)s, or correct homeserver.mas.url."
)


@dataclass(frozen=True)
class Strong(PasswordPolicy):
    """A password must reach this score of zxcvbn, from 0 to 4. The service judges too, and by and large the same."""

    complexity: int = 0

    def violations(self, password: str) -> list[str]:
        """Return as PasswordPolicy.violations() does."""
        found = super().violations(password)
        if not found and self.complexity and guessing.score(password) < self.complexity:
            return ["password-too-weak"]
        return found


@dataclass(frozen=True)
class Site:
    """What `GET site-config` says."""

    server_name: str
    has_passwords: bool
    complexity: int
    is_open: bool
    wants_token: bool


@dataclass
class SiteConfig:
    """Asked at most every SITE_SECONDS."""

    api: MasAPI
    server_name: str
    _kept: tuple[float, Site] | None = field(default=None, init=False)

    def read(self) -> Site:
        """Ask now."""
        answer = self.api.call("GET", "/site-config")
        if not answer.ok:
            raise self.api.unexpected(answer)
        if not answer.text("server_name"):
            raise Unreachable(maybe_done=False, detail=f"{answer.asked}: no server_name")
        return Site(
            server_name=answer.text("server_name"),
            has_passwords=answer.body.get("password_login_enabled") is True,
            complexity=_score(answer.body.get("minimum_password_complexity")),
            is_open=answer.body.get("password_registration_enabled") is True,
            wants_token=any(answer.body.get(key) is True for key in TOKEN_REQUIRED),
        )

    def policy(self) -> PasswordPolicy:
        """Return its rules for passwords, and see on the way that accounts can be made.

        Raises:
            Misconfigured: it keeps no passwords, or serves another server.
        """
        kept = self._kept
        if kept is None or time.monotonic() > kept[0]:
            kept = self._kept = (time.monotonic() + SITE_SECONDS, self.read())
        site = kept[1]
        for fault in faults(site, self.server_name):
            self._kept = None  # Whoever mends it is believed at once.
            raise fault
        return Strong(complexity=site.complexity)


def faults(site: Site, server_name: str) -> list[Misconfigured]:
    """Return what keeps Foyer from making accounts there."""
    found = []
    if site.server_name != server_name:
        remedy = filled(OTHER_NAME, name=site.server_name, configured=server_name)
        found.append(Misconfigured(remedy=remedy, detail=f"server_name: {site.server_name}"))
    if not site.has_passwords:
        found.append(Misconfigured(remedy=PASSWORDS_OFF, detail="password_login_enabled: false"))
    return found


def _score(value: Any) -> int:
    return min(4, max(0, value)) if isinstance(value, int) else 0
