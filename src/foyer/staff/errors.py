"""Why something about moderators and admins cannot be done.

StaffUnknown          there is nobody of this name
StaffNameTaken        there is somebody of this name
StaffNameMalformed    a name has other characters, or another length
StaffRoleUnknown      neither moderator nor admin
StaffEmailMalformed   not an email
StaffPasswordWeak     too short, too well known, or too much like the name; `reasons` says which

SecretUnreadable      a second factor was locked with another secret key (not a refusal: nobody at the door can mend it)
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from foyer.kit.refusal import Refusal


class StaffUnknown(Refusal):
    """There is nobody of this name."""

    code = "staff-unknown"
    field = "username"
    status = 404
    sentence = _("There is no moderator or admin called %(name)s. `foyer staff list` shows them all.")


class StaffNameTaken(Refusal):
    """There is somebody of this name."""

    code = "staff-name-taken"
    field = "username"
    status = 409
    sentence = _("There is a moderator or admin called %(name)s already. Choose another name.")


class StaffNameMalformed(Refusal):
    """A name has other characters, or another length."""

    code = "staff-name-malformed"
    field = "username"
    sentence = _("A name has 1 to 64 of these: a to z, 0 to 9, and . _ - and begins with a letter or digit.")


class StaffRoleUnknown(Refusal):
    """Neither moderator nor admin."""

    code = "staff-role-unknown"
    field = "role"
    sentence = _("There are two roles: moderator and admin.")


class StaffEmailMalformed(Refusal):
    """Not an email."""

    code = "staff-email-malformed"
    field = "email"
    sentence = _("%(email)s is not an email address. Write one such as anna@example.org.")


class StaffPasswordWeak(Refusal):
    """Too short, too well known, or too much like the name; `reasons` has a sentence for each."""

    code = "staff-password-weak"
    field = "password"
    sentence = _("%(reasons)s Choose another password.")


class SecretUnreadable(Exception):
    """A second factor was locked with another secret key."""
