"""Everything that Foyer says, one frozen dataclass for each message."""

from foyer.notify.messages.applicants import (
    AlreadyApplied,
    Approved,
    Denied,
    Invitation,
    Lapsed,
    OpeningFailed,
    Question,
    Received,
    Verification,
)
from foyer.notify.messages.letter import Content, Message
from foyer.notify.messages.moderators import Answered, Digest, NewApplication, Waiting

__all__ = [
    "AlreadyApplied",
    "Answered",
    "Approved",
    "Content",
    "Denied",
    "Digest",
    "Invitation",
    "Lapsed",
    "Message",
    "NewApplication",
    "OpeningFailed",
    "Question",
    "Received",
    "Verification",
    "Waiting",
]
