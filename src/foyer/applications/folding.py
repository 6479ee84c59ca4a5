"""What two names, or two emails, have in common when a person would mix them up."""

from __future__ import annotations

# Localparts are ASCII, so that look-alikes from other alphabets cannot come in.
_ALIKE = str.maketrans(
    {"0": "o", "1": "l", "i": "l", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "2": "z", "9": "g"}
)
_SIGNS = str.maketrans(dict.fromkeys("._=-/+"))


def skeleton(localpart: str) -> str:
    """Return the same for names that look alike: `admin`, `4dm1n` and `a.d-min`."""
    return localpart.lower().translate(_SIGNS).translate(_ALIKE).replace("rn", "m").replace("vv", "w")


def mailbox(email: str) -> str:
    """Return the same for emails that end in one mailbox: without the tag after a plus, in small letters."""
    name, _at, domain = email.strip().rpartition("@")
    untagged = name.partition("+")[0] or name
    return f"{untagged}@{domain}".casefold()
