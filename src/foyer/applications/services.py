"""What the public door may call, on one screen. Each says in its own room what it promises and raises."""

from __future__ import annotations

from foyer.applications.arriving import (
    Started,
    Verified,
    correct_email,
    resend,
    seconds_until_resend,
    start,
    verify_by_code,
    verify_by_link,
)
from foyer.applications.naming import check_name, choose_name, suggestions
from foyer.applications.submitting import Submitted, password_is_asked, save_answers, submit, validate
from foyer.applications.waiting import choose_freely, renew, reply, withdraw

__all__ = [
    "Started",
    "Submitted",
    "Verified",
    "check_name",
    "choose_freely",
    "choose_name",
    "correct_email",
    "password_is_asked",
    "renew",
    "reply",
    "resend",
    "save_answers",
    "seconds_until_resend",
    "start",
    "submit",
    "suggestions",
    "validate",
    "verify_by_code",
    "verify_by_link",
    "withdraw",
]
