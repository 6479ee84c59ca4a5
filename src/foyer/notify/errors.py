"""What can go wrong with a mail; the type carries the decision.

MailError
├── MailUnreachable       no usable answer from our mail server; again later
├── MailBusy              it said: later (4xx)
├── MailMisconfigured     nothing was sent; the owner must act (.remedy), then it goes by itself
├── AddressRefused        nobody gets mail at this email, now or later
└── MailRefused           the server takes no mail like this one

`sentence` is for whoever wanted the mail sent, `remedy` for the owner, `detail` for the log. None of them holds a
secret, and none says to whom the mail was.
"""

from __future__ import annotations

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from foyer.kit.refusal import Refusal


class MailError(Refusal):
    """The mail was not taken by our mail server."""

    code = "mail-error"
    status = 503
    sentence = _("The mail could not be sent.")

    def __init__(self, *, detail: str = "", remedy: str | Promise = "", **params: Any) -> None:
        super().__init__(**params)
        self.detail = detail
        self._remedy = remedy

    @property
    def remedy(self) -> str:
        """What the owner can do, in the active language; may be empty."""
        return str(self._remedy)


class MailUnreachable(MailError):
    """There was no answer, or it broke off. The mail may have been taken; a second one has the same Message-ID."""

    code = "mail-unreachable"
    sentence = _("The mail server does not answer. The mail will be sent when it does.")


class MailBusy(MailError):
    """The server asked us to come back later."""

    code = "mail-busy"
    sentence = _("The mail server is busy. The mail will be sent a little later.")


class MailMisconfigured(MailError):
    """Something is set up wrongly, here or there."""

    code = "mail-misconfigured"
    sentence = _("Mail is not set up right on this server. Please tell the person who runs it.")


class AddressRefused(MailError):
    """The server says that this email cannot be reached."""

    code = "mail-address-refused"
    field = "email"
    status = 400
    sentence = _("No mail can be sent to this email. Check it for a typing mistake.")


class MailRefused(MailError):
    """The server looked at the whole mail and refused it for good."""

    code = "mail-refused"
    sentence = _("The mail server refused the mail. Send the link yourself.")
