"""How long a password would withstand guessing, as zxcvbn estimates it, in a time that does not run away."""

from __future__ import annotations

# zxcvbn's time grows steeply with the length, and what stands beyond changes nothing that matters.
READ_AT_MOST = 72
# Nor does it grow any slower with how many of these signs there are: it tries every way to read them as letters.
SIGNS_FOR_LETTERS = frozenset("4@8({[<369&#!1/|0$5+7%2")
SIGNS_AT_MOST = 6


def to_be_judged(password: str) -> str:
    """Return of a password what zxcvbn may be given."""
    return _with_few_signs(password[:READ_AT_MOST])


def score(password: str) -> int:
    """Return from 0 (guessed at once) to 4."""
    from zxcvbn import zxcvbn  # Its lists of words take 0.1 s to load, and most commands judge no password.

    judged = to_be_judged(password)
    return int(zxcvbn(judged, max_length=READ_AT_MOST)["score"]) if judged else 0


def _with_few_signs(password: str) -> str:
    """Write a hyphen for every such sign beyond the first few different ones: nobody reads words in so many."""
    signs = list(dict.fromkeys(sign for sign in password if sign in SIGNS_FOR_LETTERS))
    return password.translate({ord(sign): "-" for sign in signs[SIGNS_AT_MOST:]})
