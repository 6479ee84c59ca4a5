"""The words in which the predecessor refuses a registration, in the order in which its forms find them."""

from __future__ import annotations

import re

from foyer.accounts.errors import NameForbidden, PasswordMissing, PasswordsDiffer, PasswordTooLong, PasswordTooShort
from foyer.accounts.rules import MAX_PASSWORD_LENGTH
from foyer.accounts.services import JoinAttempt
from foyer.config import current
from foyer.invites.errors import InviteMissing, InviteRefused, InviteUnknown
from foyer.kit.matrix import NameMalformed, NameMissing, NameTooLong, parse_localpart
from foyer.kit.refusal import Refusal

LONGEST_USERNAME = 200
FIELDS = ("username", "password", "token")
OLD_CODE = re.compile(r"([A-Z][a-z]+)+")

LENGTH = "Field must be between 1 and 200 characters long."
REQUIRED = "This field is required."
DIFFERENT = "Passwords must match"
INPUT = "Invalid input."
TOKEN = "Token is invalid"


class UsernameTooLong(NameTooLong):
    """More characters than the predecessor takes."""


def messages(attempt: JoinAttempt, refusals: list[Refusal]) -> dict[str, list[str]]:
    """Return field → messages."""
    found: dict[str, list[str]] = {}
    for refusal in refusals:
        found.setdefault(field_of(refusal), []).extend(_words(attempt, refusal))
    if REQUIRED in found.get("password", []):
        found["password"] = [REQUIRED]  # its form looks no further then
    return {field: list(dict.fromkeys(words)) for field, words in found.items()}


def field_of(refusal: Refusal) -> str:
    """Return the field of the old form that a refusal belongs to."""
    return refusal.field if refusal.field in FIELDS else {"confirm": "password"}.get(refusal.field or "", "token")


def _words(attempt: JoinAttempt, refusal: Refusal) -> list[str]:
    if refusal.field == "username":
        return _words_on_name(attempt, refusal)
    match refusal:
        case PasswordMissing():
            return [REQUIRED]
        case PasswordTooShort() | PasswordTooLong():
            shortest = current().password.min_length
            return [f"Password should be between {shortest} and {MAX_PASSWORD_LENGTH} chars long"]
        case PasswordsDiffer():
            return [DIFFERENT]
        case InviteMissing() | InviteUnknown():
            return [TOKEN] if OLD_CODE.fullmatch(attempt.code) else [INPUT, TOKEN]
        case InviteRefused(field="token"):
            return [TOKEN]
        case _:
            return [str(refusal)]


def _words_on_name(attempt: JoinAttempt, refusal: Refusal) -> list[str]:
    match refusal:
        case UsernameTooLong():
            return [LENGTH]
        case NameMissing():
            return [LENGTH, _mxid_pattern()]
        case NameTooLong():
            return [str(refusal)]
        case NameMalformed():
            return [_mxid_pattern()]
        case NameForbidden():
            return [_owners_pattern(attempt.username) or str(refusal)]
        case _:
            return [str(refusal)]


def _mxid_pattern() -> str:
    server = re.escape(current().server_name)
    pattern = rf"^(?P<at>@)?(?P<username>[a-zA-Z_\-=\.\/0-9]+)(?P<server_name>:{server})?$"
    return f"Username doesn't follow mxid pattern: /{pattern}/"


def _owners_pattern(username: str) -> str:
    """Return which of the owner's expressions a well-formed name breaks; nothing where it is reserved."""
    rules = current().usernames
    localpart = parse_localpart(username, current().server_name)
    for pattern in rules.must_match:
        if not pattern.fullmatch(localpart):
            return f"Username does not follow custom pattern /{pattern.pattern}/"
    for pattern in rules.must_not_match:
        if pattern.fullmatch(localpart):
            return f"Username must not follow custom pattern /{pattern.pattern}/"
    return ""
