"""The table of moderators and admins."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from foyer.kit.clock import now


class Role(models.TextChoices):
    """What somebody may do: moderators decide on people, admins everything."""

    MODERATOR = "moderator", _("Moderator")
    ADMIN = "admin", _("Admin")


class StaffManager(BaseUserManager["Staff"]):
    """What Django's sign-in asks of a table of users. New rows are made by `foyer.staff.services.create`."""


class Staff(AbstractBaseUser):
    """A moderator or admin. `username` is lower-case; it is what they sign in with and what the audit calls them."""

    id = models.BigAutoField(primary_key=True)
    username = models.CharField(_("name"), max_length=64, unique=True)
    email = models.EmailField(_("email"), blank=True)
    role = models.CharField(_("role"), max_length=16, choices=Role.choices)
    is_active = models.BooleanField(_("may sign in"), default=True)
    created_at = models.DateTimeField(_("made"), default=now)
    # Raised, it ends every session there is.
    sessions_ended = models.PositiveIntegerField(default=0)

    objects: ClassVar[StaffManager] = StaffManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("moderator or admin")
        verbose_name_plural = _("moderators and admins")

    def __str__(self) -> str:
        """Return the name."""
        return self.username

    @property
    def is_admin(self) -> bool:
        """Say whether everything is theirs."""
        return self.is_active and self.role == Role.ADMIN

    @property
    def is_staff(self) -> bool:
        """Say whether Django's admin is open to them."""
        return self.is_admin

    @property
    def is_superuser(self) -> bool:
        """Say whether Django's admin shows them everything."""
        return self.is_admin

    def has_perm(self, perm: str, obj: Any = None) -> bool:  # noqa: ARG002 - Django's signature
        """Say whether Django's admin lets them do this."""
        return self.is_admin

    def has_module_perms(self, app_label: str) -> bool:  # noqa: ARG002 - Django's signature
        """Say whether Django's admin shows them this app."""
        return self.is_admin

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Return what a session is tied to: it ends when the password changes, or `sessions_ended`."""
        value = f"{self.password}\0{self.sessions_ended}"
        return salted_hmac("foyer.staff.session", value, secret=secret, algorithm="sha256").hexdigest()
