"""What changes about moderators and admins. Each deed and its row in the audit stand or fall together."""

from __future__ import annotations

import re
from typing import Literal

from allauth.mfa.models import Authenticator
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import F

from foyer.audit.services import record
from foyer.audit.verbs import Verb
from foyer.kit.actor import Actor
from foyer.staff.errors import (
    StaffEmailMalformed,
    StaffNameMalformed,
    StaffNameTaken,
    StaffPasswordWeak,
    StaffRoleUnknown,
)
from foyer.staff.models import Role, Staff

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
Step = Literal["password", "second-factor", "passkey"]


def check_name(name: str) -> str:
    """Return the name as it is kept.

    Raises:
        StaffNameMalformed, StaffNameTaken
    """
    name = name.strip().lower()
    if NAME.fullmatch(name) is None:
        raise StaffNameMalformed
    if Staff.objects.filter(username=name).exists():
        raise StaffNameTaken(name=name)
    return name


def create(name: str, role: str, *, password: str, actor: Actor, email: str = "") -> Staff:
    """Make a moderator or admin.

    Raises:
        StaffNameMalformed, StaffNameTaken, StaffRoleUnknown, StaffEmailMalformed, StaffPasswordWeak
    """
    if role not in Role.values:
        raise StaffRoleUnknown
    made = Staff(username=check_name(name), role=role, email=_email(email))
    _set_password(made, password)
    try:
        with transaction.atomic():
            made.save(force_insert=True)
            record(Verb.STAFF_CREATED, actor=actor, subject=("staff", made.pk), role=role)
    except IntegrityError as error:
        raise StaffNameTaken(name=made.username) from error
    return made


def disable(staff: Staff, *, actor: Actor) -> bool:
    """Let somebody sign in no more, and end their sessions at once. Returns whether they could until now."""
    with transaction.atomic():
        active = Staff.objects.filter(pk=staff.pk, is_active=True)
        changed = active.update(is_active=False, sessions_ended=F("sessions_ended") + 1)
        if changed:
            record(Verb.STAFF_DISABLED, actor=actor, subject=("staff", staff.pk))
    return bool(changed)


def enable(staff: Staff, *, actor: Actor) -> bool:
    """Let somebody sign in again; sessions of old stay ended. Returns whether they could not until now."""
    with transaction.atomic():
        changed = Staff.objects.filter(pk=staff.pk, is_active=False).update(is_active=True)
        if changed:
            record(Verb.STAFF_ENABLED, actor=actor, subject=("staff", staff.pk))
    return bool(changed)


def reset_password(staff: Staff, password: str, *, actor: Actor) -> None:
    """Give somebody another password, and end their sessions.

    Raises:
        StaffPasswordWeak
    """
    _set_password(staff, password)
    with transaction.atomic():
        staff.save(update_fields=["password"])
        Staff.objects.filter(pk=staff.pk).update(sessions_ended=F("sessions_ended") + 1)
        record(Verb.STAFF_PASSWORD_RESET, actor=actor, subject=("staff", staff.pk))


def reset_second_factor(staff: Staff, *, actor: Actor) -> int:
    """Take every second factor and the recovery codes away, and end the sessions. Returns how many factors there were.

    For somebody who lost their phone: after that the password alone lets them in, to set up another.
    """
    with transaction.atomic():
        kinds = list(Authenticator.objects.filter(user_id=staff.pk).values_list("type", flat=True))
        Authenticator.objects.filter(user_id=staff.pk).delete()
        Staff.objects.filter(pk=staff.pk).update(sessions_ended=F("sessions_ended") + 1)
        record(Verb.STAFF_SECOND_FACTOR_RESET, actor=actor, subject=("staff", staff.pk), kinds=sorted(kinds))
    return sum(kind != "recovery_codes" for kind in kinds)


def end_other_sessions(staff: Staff) -> None:
    """End every session of theirs. The caller ties its own to the new state of `staff`."""
    Staff.objects.filter(pk=staff.pk).update(sessions_ended=F("sessions_ended") + 1)
    staff.refresh_from_db(fields=["sessions_ended"])


def note(verb: Verb, staff: Staff, **facts: str | int) -> None:
    """Keep what somebody did about their own account. Facts are kinds and numbers."""
    record(verb, actor=Actor.staff(staff.username), subject=("staff", staff.pk), **facts)


def note_failure(staff_name: str | None, step: Step, *, verb: Verb = Verb.STAFF_SIGN_IN_FAILED) -> None:
    """Keep that a sign-in failed: whose it would have been, if anybody's, and never what was typed."""
    staff = Staff.objects.filter(username=staff_name.strip().lower()).first() if staff_name else None
    record(verb, actor=Actor.person(), subject=("staff", staff.pk if staff else "nobody"), step=step)


def _set_password(staff: Staff, password: str) -> None:
    try:
        validate_password(password, staff)
    except ValidationError as error:
        raise StaffPasswordWeak(reasons=" ".join(error.messages)) from error
    staff.set_password(password)


def _email(email: str) -> str:
    email = email.strip()
    if email:
        try:
            validate_email(email)
        except ValidationError as error:
            raise StaffEmailMalformed(email=email) from error
    return email
