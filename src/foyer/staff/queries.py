"""Looking moderators and admins up."""

from __future__ import annotations

from collections.abc import Iterable

from allauth.mfa.models import Authenticator
from django.core.cache import cache

from foyer.staff.errors import StaffUnknown
from foyer.staff.models import Role, Staff

# Recovery codes are no second factor by themselves: they stand in for one.
SECOND_FACTORS = ("totp", "webauthn")
# A code is good for a minute and a half at most: its own half minute, and one on either side of it.
CODE_SECONDS = 120


def by_name(name: str) -> Staff:
    """Return the moderator or admin of this name, in any case.

    Raises:
        StaffUnknown: there is none.
    """
    found = Staff.objects.filter(username=name.strip().lower()).first()
    if found is None:
        raise StaffUnknown(name=name.strip())
    return found


def everybody(*, disabled_too: bool = True) -> list[Staff]:
    """Return all moderators and admins, by name."""
    found = Staff.objects.order_by("username")
    return list(found if disabled_too else found.filter(is_active=True))


def has_admin() -> bool:
    """Say whether anybody can sign in as an admin."""
    return Staff.objects.filter(role=Role.ADMIN, is_active=True).exists()


def has_second_factor(staff: Staff) -> bool:
    """Say whether signing in takes more than the password."""
    return bool(Authenticator.objects.filter(user_id=staff.pk, type__in=SECOND_FACTORS).exists())


def second_factors(of: Iterable[Staff]) -> dict[int, list[str]]:
    """Return the kinds of second factors (`totp`, `webauthn`) that each has, by id."""
    kinds: dict[int, list[str]] = {staff.pk: [] for staff in of}
    rows = Authenticator.objects.filter(user_id__in=kinds, type__in=SECOND_FACTORS)
    for staff_id, kind in rows.values_list("user_id", "type").order_by("type").distinct():
        kinds[staff_id].append(kind)
    return kinds


def is_first_use(staff: Staff, code: str) -> bool:
    """Say whether nobody has used this code yet, and remember that somebody has now."""
    return bool(cache.add(f"staff.code:{staff.pk}:{''.join(code.split())}", 1, timeout=CODE_SECONDS))
