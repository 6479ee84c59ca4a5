"""Columns for figures, worked out here: the page gets plain SVG and needs no script to draw it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from foyer.applications.models import Day

WIDTH, HEIGHT = 640, 180
LEFT, TOP, BOTTOM = 32, 12, 26
SHARE = 0.66
"""How much of its room a column takes."""
LEAST_TOP = 4


@dataclass(frozen=True, slots=True)
class Bar:
    """One piece of a column."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Column:
    """One day: what is drawn of it, and what is said of it."""

    day: Day
    lower: Bar
    upper: Bar
    room: Bar


@dataclass(frozen=True, slots=True)
class Line:
    """A line across, with its figure."""

    y: float
    value: int


@dataclass(frozen=True, slots=True)
class Mark:
    """A day that is written below."""

    x: float
    day: date
    anchor: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything that the template draws."""

    width: int
    height: int
    left: int
    columns: list[Column]
    lines: list[Line]
    marks: list[Mark]
    total: int


def chart(days: Sequence[Day]) -> Chart:
    """Return the columns of these days, requests below and invitations on top."""
    top = _top(max((day.all for day in days), default=0))
    room = (WIDTH - LEFT) / max(1, len(days))
    ground = HEIGHT - BOTTOM
    scale = (ground - TOP) / top
    columns = [_column(day, LEFT + number * room, room, ground, scale) for number, day in enumerate(days)]
    lines = [Line(round(ground - value * scale, 1), value) for value in (0, top // 2, top)]
    return Chart(WIDTH, HEIGHT, LEFT, columns, lines, _marks(days, room), sum(day.all for day in days))


def _top(most: int) -> int:
    """Return a round even figure that everything fits under."""
    top = LEAST_TOP
    while top < most:
        digits = 10 ** (len(str(top)) - 1)
        top = {1: 2, 2: 4, 4: 6, 6: 10}.get(top // digits, 10) * digits
    return top


def _column(day: Day, x: float, room: float, ground: float, scale: float) -> Column:
    width = round(room * SHARE, 2)
    left = round(x + room * (1 - SHARE) / 2, 2)
    below, above = day.by_request * scale, day.by_invitation * scale
    return Column(
        day=day,
        lower=Bar(left, round(ground - below, 2), width, round(below, 2)),
        upper=Bar(left, round(ground - below - above, 2), width, round(above, 2)),
        room=Bar(round(x, 2), TOP, round(room, 2), ground - TOP),
    )


def _marks(days: Sequence[Day], room: float) -> list[Mark]:
    if not days:
        return []
    middle = len(days) // 2
    return [
        Mark(LEFT, days[0].day, "start"),
        Mark(round(LEFT + (middle + 0.5) * room, 1), days[middle].day, "middle"),
        Mark(WIDTH, days[-1].day, "end"),
    ]
