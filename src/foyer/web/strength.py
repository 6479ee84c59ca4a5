"""How long a password would withstand guessing, in words. It advises; nothing here ever refuses one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from foyer.kit.guessing import READ_AT_MOST, to_be_judged

WORDS: tuple[Promise, ...] = (
    _("Very easy to guess."),
    _("Easy to guess."),
    _("Could be stronger."),
    _("Good."),
    _("Very good."),
)
GOOD_ENOUGH = 3

ADVICE: dict[str, Promise] = {
    "dictionary": _("Common words are tried first. Add one or two unusual ones."),
    "own": _("It contains your name or the name of this server. Choose something unrelated."),
    "spatial": _("Rows of keys are tried early. Choose a few unrelated words instead."),
    "repeat": _("Repeating something adds little. Add another word instead."),
    "sequence": _("Sequences such as abc or 6543 are tried early. Add an unusual word."),
    "regex": _("Years are easy to guess. Add an unusual word."),
    "date": _("Dates are easy to guess. Add an unusual word."),
    "bruteforce": _("Add another word or two: length helps most."),
}


@dataclass(frozen=True, slots=True)
class Strength:
    """`score` is 0 (guessed at once) to 4; `words` say so; `advice` is empty where it is good enough."""

    score: int
    words: str
    advice: str


def judge(password: str, related: Iterable[str] = ()) -> Strength:
    """Judge a password; `related` are words that an attacker would try for this person first."""
    password = to_be_judged(password)
    if not password:
        return Strength(0, str(WORDS[0]), "")
    from zxcvbn import zxcvbn  # see foyer.kit.guessing

    result = zxcvbn(password, user_inputs=[word for word in related if word], max_length=READ_AT_MOST)
    score = int(result["score"])
    if score >= GOOD_ENOUGH:
        return Strength(score, str(WORDS[score]), "")
    worst = max(result["sequence"], key=lambda it: len(it["token"]))
    kind = "own" if worst.get("dictionary_name") == "user_inputs" else str(worst["pattern"])
    return Strength(score, str(WORDS[score]), str(ADVICE.get(kind, ADVICE["bruteforce"])))
