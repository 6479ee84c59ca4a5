"""Why an account is not made, where neither the invitation nor the homeserver says so.

Refusal
├── NameForbidden        the owner's rules for names
├── NameReserved         kept for the house
├── PasswordMissing
├── PasswordTooShort     shorter than the owner asks
├── PasswordTooLong
├── PasswordsDiffer
├── DoorBusy             as many people as this process lets wait are waiting for the homeserver
├── NameResting          an attempt at it failed a moment ago, and something of it may still be under way
├── HoldLost             the account that was kept for somebody is not there any more, or not theirs
├── MadeAlready          by this invitation, a short while ago; whether by the same person cannot be told here
└── OutcomeUnknown       the homeserver may have made it; a job finds out, and so does the same person pressing again
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from foyer.kit.refusal import Refusal


class NameForbidden(Refusal):
    """The owner's rules do not allow the name."""

    code = "name-forbidden"
    field = "username"
    sentence = _("This server does not allow this user name. Choose another one.")


class NameReserved(NameForbidden):
    """The owner keeps the name."""

    code = "name-reserved"
    sentence = _("This user name is reserved. Choose another one.")


class PasswordMissing(Refusal):
    """No password was typed."""

    code = "password-missing"
    field = "password"
    sentence = _("Choose a password.")


class PasswordTooShort(Refusal):
    """Shorter than `min_length` characters."""

    code = "password-too-short"
    field = "password"
    sentence = _("Use at least %(min_length)s characters. A few words that you can remember make a good password.")


class PasswordTooLong(Refusal):
    """Longer than `max_length` characters."""

    code = "password-too-long"
    field = "password"
    sentence = _("Use at most %(max_length)s characters.")


class PasswordsDiffer(Refusal):
    """The two passwords are not the same."""

    code = "passwords-differ"
    field = "confirm"
    sentence = _("The two passwords are not the same. Type both again.")


class DoorBusy(Refusal):
    """So many people are waiting for the homeserver that one more would only hold up the others."""

    code = "door-busy"
    status = 503
    sentence = _("Many people are joining right now. Wait a moment, then press the button again.")
    retry_after = 5.0


class NameResting(Refusal):
    """Somebody's attempt failed half-way, and its last request may still arrive at the homeserver."""

    code = "name-resting"
    status = 503
    field = "username"
    sentence = _(
        "Somebody tried to make an account of this user name a moment ago, and it is being cleared away. Wait two "
        "minutes, then try again, or choose another name."
    )
    retry_after = 60.0


class HoldLost(Refusal):
    """Nothing can be opened: the account was never finished, was removed, or its name went to somebody else."""

    code = "hold-lost"
    status = 409
    sentence = _("The account that was kept for this request is not there any more.")


class MadeAlready(Refusal):
    """It was made by this code, and the homeserver does not let us try the password."""

    code = "made-already"
    status = 409
    field = "username"
    sentence = _(
        "An account of this name was made with this invitation a short while ago. If it was you, sign in to it with "
        "your password."
    )


class OutcomeUnknown(Refusal):
    """The homeserver may or may not have made the account."""

    code = "outcome-unknown"
    status = 503
    sentence = _(
        "The homeserver did not answer in time, so we do not know yet whether your account was made. "
        "Your invitation is kept for you. Wait a minute, then try again with the same user name and password."
    )
    retry_after = 30.0
