"""How much is measured: all of it, or (`--quick`) just enough to see that the measuring works."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

Amount = TypeVar("Amount", int, float, str)
Found = dict[str, Any]
"""What a case found: plain values, kept as JSON."""


@dataclass(frozen=True)
class Scale:
    """Where a case works, and how much it does."""

    folder: Path
    quick: bool = False

    def of(self, full: Amount, quick: Amount) -> Amount:
        """Choose an amount."""
        return quick if self.quick else full

    def say(self, sentence: str) -> None:
        """Tell the person who waits what is going on."""
        print(f"  {sentence}", flush=True)

    def missing(self, what: str, error: Exception) -> str:
        """Tell that a piece is not measured, since it cannot be had here; returns the sentence."""
        reason = str(error).strip().splitlines()
        sentence = f"{what} was not measured: {reason[0] if reason else type(error).__name__}"
        self.say(sentence)
        return sentence
