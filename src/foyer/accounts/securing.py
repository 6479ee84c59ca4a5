"""A use that is held here must not be given away at the homeserver as well: see foyer.invites.mirroring."""

from __future__ import annotations

from foyer.accounts import settling
from foyer.accounts.errors import OutcomeUnknown
from foyer.accounts.models import Account
from foyer.invites import mirroring
from foyer.kit.refusal import Refusal


def secure_use(account: Account, code: str) -> None:
    """Make sure of the use that this attempt holds, before the homeserver is asked for the account.

    Raises:
        InviteSpent, InviteBusy: it was given away at the homeserver; the attempt is settled.
        HomeserverError: it does not say; the same.
        OutcomeUnknown: that took so long that the attempt was given up meanwhile.
    """

    def step_back(refusal: Refusal) -> None:
        if account.is_shell:  # It is there as before: the job that finds out makes it an empty shell again.
            settling.mark_unknown(account, refusal.code)
        else:
            settling.settle_refused(account, refusal.code)

    # What the homeserver took for the token must not be missing when it makes the account.
    if mirroring.secure(code, step_back=step_back) and not settling.renew(account):
        raise OutcomeUnknown
