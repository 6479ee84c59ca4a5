"""The closed list of what can stand in the audit."""

from __future__ import annotations

from enum import StrEnum


class Verb(StrEnum):
    """Subject and deed, past tense."""

    INVITE_CREATED = "invite.created"
    INVITE_EDITED = "invite.edited"
    INVITE_REVOKED = "invite.revoked"
    INVITE_RESTORED = "invite.restored"
    INVITE_DELETED = "invite.deleted"
    INVITE_MAILED = "invite.mailed"
    ACCOUNT_CREATING = "account.creating"
    ACCOUNT_HELD = "account.held"
    ACCOUNT_OPENED = "account.opened"
    ACCOUNT_REFUSED = "account.refused"
    ACCOUNT_UNKNOWN = "account.unknown"
    ACCOUNT_SETTLED_BY_PRESENCE = "account.settled-by-presence"
    ACCOUNT_NEEDS_A_DECISION = "account.needs-a-decision"
    ACCOUNT_SHELVED = "account.shelved"
    ACCOUNT_EMAIL_ATTACHED = "account.email-attached"
    ACCOUNT_ROOM_JOINED = "account.room-joined"
    ACCOUNT_WELCOMED = "account.welcomed"
    JOB_GAVE_UP = "job.gave-up"
