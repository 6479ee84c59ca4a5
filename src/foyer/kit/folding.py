"""What two names, or two emails, have in common when a person would mix them up."""

from __future__ import annotations

# Localparts are ASCII: letters of other alphabets stand only in what moderators have copied into a pattern.
_FOREIGN = str.maketrans(
    {
        "а": "a",
        "е": "e",
        "о": "o",
        "р": "p",
        "с": "c",
        "у": "y",
        "х": "x",  # Cyrillic
        "і": "l",
        "ї": "l",
        "ј": "j",
        "к": "k",
        "ѕ": "s",
        "ԁ": "d",
        "һ": "h",
        "ԛ": "q",
        "ԝ": "w",
        "ь": "b",
        "α": "a",
        "ε": "e",
        "ι": "l",
        "κ": "k",
        "ν": "v",
        "ο": "o",
        "ρ": "p",
        "τ": "t",
        "υ": "u",  # Greek
    }
)
_ALIKE = str.maketrans(
    {"0": "o", "1": "l", "i": "l", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "2": "z", "9": "g"}
)
SIGNS = "._=-/+"
_NO_SIGNS = str.maketrans(dict.fromkeys(SIGNS))


def skeleton(localpart: str) -> str:
    """Return the same for names that look alike: `admin`, `4dm1n` and `a.d-min`."""
    return folded(localpart.translate(_NO_SIGNS))


def folded(text: str) -> str:
    """Return the same for texts that look alike, signs and all."""
    return text.lower().translate(_FOREIGN).translate(_ALIKE).replace("rn", "m").replace("vv", "w")


def mailbox(email: str) -> str:
    """Return the same for emails that end in one mailbox: without the tag after a plus, in small letters."""
    name, _at, domain = email.strip().rpartition("@")
    untagged = name.partition("+")[0] or name
    return f"{untagged}@{domain}".casefold()
