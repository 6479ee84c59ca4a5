"""Django's admin, for admins. What is below is only read; whatever it changes goes through the services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from foyer.applications.models import Application
from foyer.audit.models import Event
from foyer.staff.models import Staff
from foyer.web.admin.registrations import RegistrationAdmin
from foyer.web.staff.places import redirect
from foyer.web.staff.sign_in import SignOut


class Site(admin.AdminSite):
    """The admin behind our own sign-in: it has no way of its own to sign in, out, or change a password."""

    site_title = "Foyer"
    site_header = "Foyer"
    index_title = _("Everything, for admins")

    @property
    def site_url(self) -> str:  # type: ignore[override]
        """Return where "View site" leads."""
        return reverse("mfa_index")

    def has_permission(self, request: HttpRequest) -> bool:
        """Say whether somebody may be here."""
        return bool(isinstance(request.user, Staff) and request.user.is_admin)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Send whoever is signed in to the start, and everybody else to our sign-in, which asks for all it must."""
        return secure_admin_login(self._start)(request)

    def _start(self, request: HttpRequest) -> HttpResponseBase:
        return redirect(reverse("admin:index"))

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Sign out as everywhere."""
        return SignOut.as_view()(request)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Change the password where everybody does."""
        return redirect(reverse("account_change_password"))

    def password_change_done(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Nothing leads here."""
        return redirect(reverse("mfa_index"))


if TYPE_CHECKING:
    Table = admin.ModelAdmin[Any]
else:
    Table = admin.ModelAdmin


class ReadOnly(Table):
    """To look at, and no more."""

    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False


class StaffAdmin(ReadOnly):
    """Moderators and admins. The command line makes and changes them."""

    list_display = ("username", "role", "is_active", "last_login", "created_at")
    list_filter = ("role", "is_active")
    search_fields = ("username", "email")
    ordering = ("username",)
    fields = ("username", "role", "is_active", "email", "last_login", "created_at")


class EventAdmin(ReadOnly):
    """The audit."""

    list_display = ("at", "verb", "actor", "subject_kind", "subject_id")
    search_fields = ("verb", "actor", "subject_id")
    ordering = ("-id",)


site = Site(name="admin")
site.register(Staff, StaffAdmin)
site.register(Event, EventAdmin)
site.register(Application, RegistrationAdmin)
