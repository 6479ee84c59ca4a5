"""The arithmetic of the measurements. Times are seconds in, and rounded milliseconds or microseconds out."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` (0 to 1) of all values do not exceed.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("no values were measured")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def median(values: Sequence[float]) -> float:
    """Return the middle value. Raises: ValueError: there are no values."""
    return statistics.median(values)


def rounded(value: float, digits: int = 3) -> float:
    """Return a value with so many significant digits: no measurement here knows more."""
    if value == 0 or not math.isfinite(value):
        return value
    places = digits - 1 - math.floor(math.log10(abs(value)))
    return round(value, places)


def milliseconds(seconds: float) -> float:
    """Return seconds as rounded milliseconds."""
    return rounded(seconds * 1e3)


def microseconds(seconds: float) -> float:
    """Return seconds as rounded microseconds."""
    return rounded(seconds * 1e6)


@dataclass(frozen=True)
class Ratio:
    """How one side compares to the other: the median of the rounds, and the lowest and highest round."""

    median: float
    lowest: float
    highest: float

    def kept(self) -> dict[str, float]:
        """Return it as it is kept in the figures."""
        return {"median": self.median, "lowest": self.lowest, "highest": self.highest}

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.lowest:.2f}–{self.highest:.2f})"


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Ratio:
    """Compare round by round: both sides of a round met the same moment of the machine.

    Raises:
        ValueError: there are no rounds, or not as many on both sides.
    """
    each = [our / their for our, their in zip(ours, theirs, strict=True)]
    if not each:
        raise ValueError("no rounds were measured")
    return Ratio(rounded(median(each)), rounded(min(each)), rounded(max(each)))
