"""Why an invitation does not let somebody in.

InviteRefused
├── InviteMissing     nothing was given
├── InviteUnknown     no such code: mistyped, or deleted
├── InviteRevoked     withdrawn by its maker
├── InviteExpired     past its date
├── InviteSpent       every use is taken
├── InviteBusy        every use left is held by somebody who is joining at this moment
└── InviteForOther    pinned to another email
    └── InviteForOtherName

CodeTaken             for its maker: there is an invitation with this code already
CodeMalformed         for its maker: not the characters or the length of a registration token
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from foyer.kit.refusal import Refusal


class InviteRefused(Refusal):
    """The invitation does not let this person in."""

    field = "token"


class InviteMissing(InviteRefused):
    """No code was given."""

    code = "invite-missing"
    sentence = _("Open the link you were sent, or paste it here.")


class InviteUnknown(InviteRefused):
    """There is no invitation with this code."""

    code = "invite-unknown"
    sentence = _("We do not know this invitation. Check that you have copied the whole link.")


class InviteRevoked(InviteRefused):
    """Its maker took it back."""

    code = "invite-revoked"
    sentence = _("This invitation was withdrawn. Ask the person who sent it for another.")


class InviteExpired(InviteRefused):
    """Its date has passed; `when` is that date."""

    code = "invite-expired"
    sentence = _("This invitation ended on %(when)s. Ask the person who sent it for another.")


class InviteSpent(InviteRefused):
    """As many people as it was made for have joined by it."""

    code = "invite-spent"
    sentence = _("This invitation has been used up. Ask the person who sent it for another.")


class InviteBusy(InviteRefused):
    """Every use that is left is held while an account is being made."""

    code = "invite-busy"
    status = 409
    sentence = _("Somebody is joining with this invitation right now. Wait a minute and try again.")


class InviteForOther(InviteRefused):
    """The link was mailed to another email than the one it is pinned to."""

    code = "invite-for-other"
    sentence = _(
        "This invitation was made for another email. Open the link in your own mail, or ask for one of your own."
    )


class InviteForOtherName(InviteForOther):
    """It is pinned to another user name, `name`."""

    code = "invite-for-other-name"
    field = "username"
    sentence = _("This invitation is for the user name %(name)s. Join with that name, or ask for another invitation.")


class CodeTaken(Refusal):
    """There is an invitation with this code already."""

    code = "code-taken"
    field = "code"
    status = 409
    sentence = _("There is an invitation with the code %(code)s already. Choose another code.")


class CodeMalformed(Refusal):
    """The code cannot be one."""

    code = "code-malformed"
    field = "code"
    sentence = _("A code has 1 to 64 of these characters: A to Z, a to z, 0 to 9, and . _ ~ -")
