"""Markdown tables, and the places in docs/performance.md that they go to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table; numbers stand right."""
    numeric = [bool(rows) and all(isinstance(row[column], int | float) for row in rows) for column in range(len(head))]
    rule = ["---:" if right else "---" for right in numeric]
    lines = [head, rule, *([cell(value) for value in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cell(value: object) -> str:
    """Return a value as it stands in a table: no digits behind a large number, and no break in the line."""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:g}"
    return f"{value:,}" if isinstance(value, int) else str(value).replace("|", "\\|").replace("\n", " ")


def spread(ratio: Mapping[str, float], *, digits: int = 2) -> str:
    """Return a ratio as it was kept: the median of the rounds, and the lowest and the highest round."""
    return f"{ratio['median']:.{digits}f} ({ratio['lowest']:.{digits}f}–{ratio['highest']:.{digits}f})"


def put(document: str, name: str, content: str) -> str:
    """Replace what stands between `<!-- bench: NAME -->` and `<!-- end -->`.

    Raises:
        LookupError: the document has no such place.
    """
    begin, end = f"<!-- bench: {name} -->", "<!-- end -->"
    place = re.compile(rf"({re.escape(begin)}\n).*?({re.escape(end)})", re.DOTALL)
    if not place.search(document):
        raise LookupError(f"There is no {begin} … {end} in the document.")
    return place.sub(lambda match: f"{match[1]}\n{content}\n\n{match[2]}", document, count=1)
