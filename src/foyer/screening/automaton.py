"""Matching the whole of a text in a time that grows with its length alone, whatever the expression is.

`re` tries one way through an expression after the other, and some have more ways than anybody can wait for, while no
other thread runs. Here all ways are walked at once: after each letter stands a set of places in the expression, a bit
each (V. M. Glushkov's automaton). So the work is at most the letters times the places.
"""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import NamedTuple

from foyer.screening.rule_errors import PatternSlow

Token = tuple[str, str]
FLAGS = re.IGNORECASE | re.ASCII
MOST_PLACES = 1000
MOST_KEPT = 128
"""How many sets of places are remembered with those that follow them."""
WORD = re.compile(r"\w", re.ASCII)
START, END = 1, 2


class _Part(NamedTuple):
    """Where a part of the expression can begin and end, and whether it can be empty."""

    first: int
    last: int
    is_empty: bool


NOTHING = _Part(0, 0, is_empty=True)
Make = Callable[["Automaton"], _Part]


class Automaton:
    """One expression, ready to match. Make it of tokens that `re` has taken as they are."""

    def __init__(self, tokens: list[Token]) -> None:
        """Lay it out.

        Raises:
            PatternSlow: it has more than `MOST_PLACES` places, each repeat counted as often as it may be taken.
        """
        self._follow = [0, 0]
        self._readers: dict[str, int] = defaultdict(int)
        self._anchors: dict[str, int] = defaultdict(int)
        whole = _either(iter(tokens))(self)
        self._join(_Part(START, START, is_empty=False), self._join(whole, _Part(END, END, is_empty=False)))
        self._of_ascii: dict[str, int] = {}
        self._kept: dict[int, int] = {}

    @property
    def places(self) -> int:
        """How many there are."""
        return len(self._follow)

    def matches_whole(self, text: str) -> bool:
        """Say whether this is all of the text."""
        kept, of_ascii, has_anchors = self._kept, self._of_ascii, bool(self._anchors)
        here, at = START, 0
        while True:
            reached = kept.get(here) or self._following(here)
            if has_anchors:
                reached = self._past_anchors(reached, text, at)
            if at == len(text):
                return bool(reached & END)
            reading = of_ascii.get(text[at])
            here = reached & (self._reading(text[at]) if reading is None else reading)
            if not here:
                return False
            at += 1

    def _past_anchors(self, reached: int, text: str, at: int) -> int:
        """Return what is reached before the letter at `at`, with what lies behind the anchors that hold there."""
        holding = sum(places for anchor, places in self._anchors.items() if _holds(anchor, text, at))
        passed = reached & holding
        while passed:
            more = self._following(passed) & ~reached
            reached |= more
            passed = more & holding
        return reached

    def _following(self, places: int) -> int:
        following = 0
        for place in _bits(places):
            following |= self._follow[place]
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        self._kept[places] = following
        return following

    def _reading(self, letter: str) -> int:
        """Return the places that take a letter."""
        reading = sum(places for text, places in self._readers.items() if _one(text).fullmatch(letter))
        if letter.isascii():  # others are too many to remember
            self._of_ascii[letter] = reading
        return reading

    # Laying it out

    def _place(self, kind: str, text: str) -> _Part:
        if len(self._follow) > MOST_PLACES:
            raise PatternSlow
        bit = 1 << len(self._follow)
        self._follow.append(0)
        is_anchor = kind == "anchor" or text in {r"\b", r"\B"}
        (self._anchors if is_anchor else self._readers)[text] |= bit
        return _Part(bit, bit, is_empty=False)

    def _join(self, left: _Part, right: _Part) -> _Part:
        for place in _bits(left.last):
            self._follow[place] |= right.first
        first = left.first | right.first if left.is_empty else left.first
        last = left.last | right.last if right.is_empty else right.last
        return _Part(first, last, is_empty=left.is_empty and right.is_empty)

    def _row(self, parts: list[Make]) -> _Part:
        row = NOTHING
        # From the right: otherwise what may be left out is joined again with all that follows.
        for part in reversed([make(self) for make in parts]):
            row = self._join(part, row)
        return row

    def _choice(self, branches: list[Make]) -> _Part:
        first, last, is_empty = 0, 0, False
        for branch in branches:
            part = branch(self)
            first, last, is_empty = first | part.first, last | part.last, is_empty or part.is_empty
        return _Part(first, last, is_empty=is_empty)

    def _repeat(self, part: Make, least: int, most: int | None) -> _Part:
        copies = [part(self) for _ in range(max(least, 1) if most is None else most)]
        if most is None:
            self._join(copies[-1], copies[-1])
        row = NOTHING
        for number in reversed(range(len(copies))):
            row = self._join(copies[number], row)
            if number >= least:
                row = row._replace(is_empty=True)
        return row


def _either(tokens: Iterator[Token]) -> Make:
    """Read up to the bracket that closes this group, or to the end."""
    branches: list[list[Make]] = [[]]
    for kind, text in tokens:
        match kind:
            case "close":
                break
            case "bar":
                branches.append([])
            case "open":
                branches[-1].append(_either(tokens))
            case "repeat":
                least, most = _how_often(text)
                branches[-1].append(
                    functools.partial(Automaton._repeat, part=branches[-1].pop(), least=least, most=most)
                )
            case _:
                branches[-1].append(functools.partial(Automaton._place, kind=kind, text=text))
    rows: list[Make] = [functools.partial(Automaton._row, parts=parts) for parts in branches]
    return functools.partial(Automaton._choice, branches=rows)


def _how_often(repeat: str) -> tuple[int, int | None]:
    """Return the least and the most of a repeat; None: no most. Whether it is a lazy one changes nothing here."""
    match repeat[0]:
        case "*":
            return 0, None
        case "+":
            return 1, None
        case "?":
            return 0, 1
    least, comma, most = repeat.rstrip("?")[1:-1].partition(",")
    if not comma:
        return int(least), int(least)
    return int(least), int(most) if most else None


def _bits(places: int) -> Iterator[int]:
    while places:
        lowest = places & -places
        yield lowest.bit_length() - 1
        places ^= lowest


def _holds(anchor: str, text: str, at: int) -> bool:
    match anchor:
        case "^":
            return at == 0
        case "$":
            return text[at : at + 2] in {"", "\n"}
    is_edge = bool(at and WORD.match(text[at - 1])) != bool(WORD.match(text, at))
    return is_edge == (anchor == r"\b")


@functools.lru_cache(maxsize=1024)
def _one(text: str) -> re.Pattern[str]:
    return re.compile(text, FLAGS)
