"""One of each message, with everything that it can have."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from foyer.notify.messages import (
    AlreadyApplied,
    Answered,
    Approved,
    Denied,
    Digest,
    Invitation,
    Lapsed,
    Message,
    NewApplication,
    OpeningFailed,
    Question,
    Received,
    Verification,
    Waiting,
)

ADDRESS = "@maria:example.test"
KEY = "7f3a91c2e85d4b60a1f2c3d4e5f60718"
STATUS = f"http://localhost:5000/apply/{KEY}"
DESK = "http://localhost:5000/desk/requests/17"
UNTIL = datetime(2026, 11, 28, 14, 0, tzinfo=UTC)
THANKS = "Lovely that you found us!\n\nWe meet <every> Friday & all are welcome."
REASON = "I am Maria, Ana's sister.\nWe sing together & I'd like to <join> the choir's room."


def letters(language: str = "en") -> dict[str, Message]:
    """Return each message by a name, in this language."""
    applicant: dict[str, Any] = {"to": "maria@example.net", "language": language}
    about: dict[str, Any] = {**applicant, "address": ADDRESS, "link": STATUS}
    team: dict[str, Any] = {"to": "team@example.org", "language": language, "link": DESK}
    return {
        "verification": Verification(**applicant, code="482913", link=f"http://localhost:5000/apply/confirm/17.{KEY}"),
        "already-applied": AlreadyApplied(**about),
        "received": Received(**about, usual_wait=timedelta(hours=5)),
        "question": Question(**about, text="Who told you about us?\nAnd which room would you like to join?"),
        "approved": Approved(**about, message=THANKS),
        "approved-chooses-password": Approved(**about, chooses_password=True, expires_at=UNTIL),
        "denied": Denied(**applicant, address=ADDRESS, message=THANKS, may_apply_again_at=UNTIL),
        "denied-in-silence": Denied(**applicant, address=ADDRESS),
        "opening-failed": OpeningFailed(**about),
        "lapsed-asked": Lapsed(**about),
        "lapsed-approved": Lapsed(**about, was_approved=True),
        "invitation": Invitation(
            **applicant,
            link=f"http://localhost:5000/i/UnwindTrophyStagnateHarbor?key={KEY}",
            inviter="Ana",
            message=THANKS,
            localpart="maria",
            expires_at=UNTIL,
        ),
        "new-application": NewApplication(
            **team,
            address=ADDRESS,
            email_shown="m•••@example.net",
            answers=(("Who are you, and why do you want to join here?", REASON), ("Your favourite colour?", "Blue")),
            flags=("disposable mail domain", "looks like @mario:example.test"),
            waiting=3,
        ),
        "answered": Answered(**team, address=ADDRESS, text=REASON),
        "digest": Digest(
            **team,
            requests=(
                Waiting(ADDRESS, UNTIL - timedelta(days=2), ("disposable mail domain",)),
                Waiting("@ben:example.test", UNTIL),
            ),
            waiting=14,
        ),
    }
