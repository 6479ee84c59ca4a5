"""A million requests for an account within thirty days: the last thousand wait, the others were decided.

Today is as busy as the other days, however early it is: pages that count today's have as much to count at any hour.
"""

from __future__ import annotations

import hashlib
import itertools
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from functools import cached_property

from dev.bench.rows import Row, Table

DAYS = 30
WAITING = 1000
ASKED = 200
ONE_FLAGGED_IN = 10
DEEDS = ("account.opened", "application.done")
FREQUENT = "matrix"
RARE = "quetzalcoatlus"
RARE_EVERY = 200_000
SENTENCES = 20_000
WORDS_IN_A_SENTENCE = 18
_COLUMNS = (
    "state state_before localpart skeleton language ip subnet created_at email mailbox email_wanted email_verified_at "
    "has_code code_generation code_tries mails nonce key_digest answers legal password_way submitted_at asked_at "
    "decision decided_at decided_by message is_silent reason effects_at effects_started_at ended_at claimed_by flags "
    "is_flagged"
)
_SYLLABLES = [f"{first}{vowel}" for first in "bdfgklmnprstvz" for vowel in "aeiou"]


def _vocabulary(chance: random.Random) -> list[str]:
    return ["".join(chance.choices(_SYLLABLES, k=chance.randint(2, 4))) for _ in range(4000)]


def _sentences() -> list[str]:
    """Words as often as in a language: the hundredth a hundredth as often as the first."""
    chance = random.Random(1)  # noqa: S311 - every run writes the same
    words = _vocabulary(chance)
    weights = [*itertools.accumulate(1 / rank for rank in range(1, len(words) + 1))]
    made = []
    for number in range(SENTENCES):
        chosen = chance.choices(words, cum_weights=weights, k=WORDS_IN_A_SENTENCE)
        made.append(" ".join(([FREQUENT] if number % 5 < 2 else []) + chosen))
    return made


@dataclass(frozen=True)
class Past:
    """What there is, so that a search can ask for it. Rows came in the order of their numbers, until `end` (UTC)."""

    total: int
    end: datetime = field(default_factory=lambda: datetime.now(UTC).replace(tzinfo=None, microsecond=0))
    sentences: list[str] = field(default_factory=_sentences, repr=False)

    @cached_property
    def _names(self) -> list[str]:
        return [".".join(sentence.split()[-2:]) for sentence in self.sentences[:997]]

    def localpart(self, number: int) -> str:
        """The name that was asked for."""
        return f"{self._names[number % 997]}{number}"

    def email(self, number: int) -> str:
        """Its email."""
        return f"{self.localpart(number)}@mail{number % 50}.example.org"

    def answer(self, number: int) -> str:
        """What was answered."""
        rare = f" {RARE}" if number % RARE_EVERY == RARE_EVERY // 2 or (number == 1 and self.total < RARE_EVERY) else ""
        return f"{self.sentences[number % SENTENCES]}{rare}"

    def at(self, number: int, minutes: int = 0) -> str:
        """When it was submitted, or so many minutes later."""
        left, midnight = self.total - number, datetime.combine(self.end, time())
        today = self.total // DAYS
        if left < today:
            moment = self.end - (self.end - midnight) * (left / today)
        else:
            moment = midnight - timedelta(days=DAYS - 1) * ((left - today) / (self.total - today))
        return str(min(moment + timedelta(minutes=minutes), self.end))

    def state(self, number: int) -> str:
        """How it stands."""
        left = self.total - number
        if left < WAITING:
            return "waiting"
        if left < WAITING + ASKED:
            return "asked"
        return "denied" if number % 3 == 0 else "done"

    def tables(self) -> tuple[Table, ...]:
        """The tables to fill."""
        deeds = "at verb actor subject_kind subject_id facts"
        return (
            Table("applications_application", _COLUMNS, self._application),
            Table("applications_haystack", "application_id text", self._haystack),
            # One after the other, because numbers rise with time there.
            Table("audit_event", deeds, self._deed, times=len(DEEDS)),
        )

    def _application(self, number: int) -> Row:
        state = self.state(number)
        at, name = self.at(number), self.localpart(number)
        email = self.email(number)
        is_over = state in {"done", "denied"}
        decided = self.at(number, 20) if is_over else None
        flagged = state == "waiting" and number % ONE_FLAGGED_IN == 0
        flags = '[{"code": "sent-at-once", "params": {}}]' if flagged else "[]"
        answers = f'[{{"id": "reason", "text": "Who are you?", "answer": "{self.answer(number)}"}}]'
        decision = {"done": "approve", "denied": "deny"}.get(state, "")
        key = hashlib.blake2b(f"key {number}".encode(), digest_size=32).hexdigest()
        network = f"2001:db8:{number >> 16:x}:{number & 0xFFFF:x}"
        return (
            *(state, "waiting" if is_over else "", name, name, "en", f"{network}::1", f"{network}::/64", at),
            *(email, email, "", at, True, 1, 0, 1, key[:32], key, answers, "[]", "when_approved"),
            *(at, self.at(number, 5) if state == "asked" else None, decision, decided),
            *(
                "staff:anna" if is_over else "",
                "",
                False,
                "",
                decided,
                decided,
                decided,
                "",
                flags,
                flagged,
            ),
        )

    def _haystack(self, number: int) -> Row:
        return (number, f"{self.localpart(number)} {self.email(number)} {self.answer(number)}")

    def _deed(self, row: int) -> Row:
        number, which = divmod(row - 1, len(DEEDS))
        verb = DEEDS[which]
        return (self.at(1 + number, 20), verb, "job", verb.partition(".")[0], str(1 + number), "{}")
