"""Mailing an invitation to the email that it is pinned to.

The mailed link carries an extra key. Whoever joins with it has shown that the email is theirs, and only then is it
attached to the account. The key is worked out when the mail is written, and kept nowhere.
"""

from __future__ import annotations

from urllib.parse import urlencode

from django.db import transaction
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from foyer.audit.services import record
from foyer.audit.verbs import Verb
from foyer.invites import queries
from foyer.invites.errors import InviteUnknown
from foyer.invites.models import Invite
from foyer.invites.services import email_key
from foyer.kit.actor import Actor
from foyer.kit.refusal import Refusal
from foyer.notify import email
from foyer.notify import queries as deliveries
from foyer.notify import services as notify
from foyer.notify.messages import Invitation
from foyer.notify.registry import renders

KEY_PARAMETER = "key"
KIND = "invites.invitation"


class InviteWithoutEmail(Refusal):
    """It is pinned to no email, so there is nobody to mail it to."""

    code = "invite-without-email"
    field = "email"
    sentence = _("This invitation is for no email in particular. Give it one, or send the link yourself.")


class MailNotSetUp(Refusal):
    """The owner has configured no mail server."""

    code = "mail-not-set-up"
    status = 503
    sentence = _("This server cannot send mail yet: email.host is not set. Send the link yourself.")


def send(invite: Invite, *, actor: Actor, language: str | None = None) -> bool:
    """Owe the mail, in `language` (None: the active one). False: it is owed already and will come.

    Raises:
        MailNotSetUp, InviteWithoutEmail
        InviteRefused: nobody could join by it.
    """
    if not email.is_configured():
        raise MailNotSetUp
    with transaction.atomic():
        locked = Invite.objects.select_for_update().filter(id=invite.id).first()
        if locked is None:
            raise InviteUnknown
        if not locked.email:
            raise InviteWithoutEmail
        queries.require_live(locked)
        if deliveries.is_owed(KIND, f"invite:{locked.id}"):
            return False
        record(Verb.INVITE_MAILED, actor=actor, subject=("invite", locked.id))
        notify.deliver(KIND, f"invite:{locked.id} {language or get_language() or 'en'}", to=locked.email)
    return True


@renders(KIND)
def letter(subject: str, _to: str) -> Invitation | None:
    """Return the mail to the email that the invitation is for by now; None where nobody can join by it any more."""
    about, language = subject.split(" ")
    invite = Invite.objects.filter(id=int(about.removeprefix("invite:"))).first()
    if invite is None or not invite.email or not invite.is_live:
        return None
    return Invitation(
        to=invite.email,
        language=language,
        link=link(invite),
        inviter=invite.inviter,
        message=invite.message,
        localpart=invite.localpart,
        expires_at=invite.expires_at,
    )


def link(invite: Invite) -> str:
    """Return the link that only the mail may carry."""
    return f"{queries.link(invite)}?{urlencode({KEY_PARAMETER: email_key(invite)})}"
