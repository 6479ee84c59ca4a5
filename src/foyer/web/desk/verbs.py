"""The verbs of the audit in words."""

from __future__ import annotations

from django.utils.translation import gettext as _

from foyer.audit.verbs import Verb
from foyer.web.desk import timeline


def room_words() -> dict[str, str]:
    """Return what verbs are about: the part before the dot → words."""
    return {
        "application": _("Requests"),
        "account": _("Accounts"),
        "invite": _("Invitations"),
        "rule": _("Rules"),
        "staff": _("Staff"),
        "job": _("Jobs"),
        "delivery": _("Messages"),
    }


def verb_words() -> dict[str, str]:
    """Return every verb → words. One that nobody has put into words yet says itself."""
    return {**{verb.value: verb.value for verb in Verb}, **timeline.words(), **_invites(), **_staff(), **_others()}


def _invites() -> dict[str, str]:
    return {
        Verb.INVITE_CREATED: _("An invitation was made"),
        Verb.INVITE_EDITED: _("An invitation was changed"),
        Verb.INVITE_REVOKED: _("An invitation was closed"),
        Verb.INVITE_RESTORED: _("An invitation was opened again"),
        Verb.INVITE_USED_THERE: _("Somebody registered at the homeserver itself with an invitation"),
        Verb.INVITE_NOT_MIRRORED: _("The homeserver has a registration token of an invitation's code already"),
        Verb.INVITE_DELETED: _("An invitation was deleted"),
        Verb.INVITE_MAILED: _("An invitation was mailed"),
    }


def _others() -> dict[str, str]:
    return {
        Verb.RULE_MADE: _("A rule was made"),
        Verb.RULE_EDITED: _("A rule was changed"),
        Verb.RULE_ENDED: _("A rule was ended"),
        Verb.JOB_GAVE_UP: _("A job was given up"),
        Verb.JOB_TRIED_AGAIN: _("A job was tried again"),
        Verb.DELIVERY_TRIED_AGAIN: _("A message was tried again"),
    }


def _staff() -> dict[str, str]:
    return {
        Verb.STAFF_CREATED: _("Somebody was made staff"),
        Verb.STAFF_DISABLED: _("Somebody of the staff was shut out"),
        Verb.STAFF_ENABLED: _("Somebody of the staff was let in again"),
        Verb.STAFF_SIGNED_IN: _("Signed in"),
        Verb.STAFF_SIGNED_OUT: _("Signed out"),
        Verb.STAFF_SIGN_IN_FAILED: _("A sign-in failed"),
        Verb.STAFF_CONFIRM_FAILED: _("A password was not confirmed"),
        Verb.STAFF_PASSWORD_CHANGED: _("Changed their password"),
        Verb.STAFF_PASSWORD_RESET: _("A password was set anew"),
        Verb.STAFF_SECOND_FACTOR_ADDED: _("Added a second factor"),
        Verb.STAFF_SECOND_FACTOR_REMOVED: _("Removed a second factor"),
        Verb.STAFF_SECOND_FACTOR_RESET: _("All second factors were removed"),
        Verb.STAFF_RECOVERY_CODES_MADE: _("Made recovery codes"),
    }
