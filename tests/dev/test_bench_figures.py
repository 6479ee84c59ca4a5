"""The arithmetic behind docs/performance.md."""

from __future__ import annotations

import json
import math

import pytest

from dev.bench import figures, run, tables


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([5.0], 0.99, 5.0),
        ([3.0, 1.0, 2.0], 0.5, 2.0),
        ([1.0, 2.0, 3.0, 4.0], 0.5, 2.0),
        (list(range(1, 101)), 0.99, 99),
        (list(range(1, 102)), 0.99, 100),
        ([1.0, 2.0], 1.0, 2.0),
        ([1.0, 2.0], 0.0, 1.0),
    ],
)
def test_percentile_is_the_smallest_value_that_so_many_stay_within(
    values: list[float], share: float, expected: float
) -> None:
    assert figures.percentile(values, share) == expected


def test_percentile_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no values were measured"):
        figures.percentile([], 0.5)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.0, 0.0), (1234.5678, 1230.0), (0.0012345, 0.00123), (9.996, 10.0), (-12.345, -12.3), (math.inf, math.inf)],
)
def test_rounded_keeps_three_significant_digits(value: float, expected: float) -> None:
    assert figures.rounded(value) == expected


def test_units_are_of_a_second() -> None:
    assert (figures.milliseconds(0.0123456), figures.microseconds(0.0123456)) == (12.3, 12300.0)


def test_ratio_compares_round_by_round() -> None:
    found = figures.ratio([2.0, 30.0, 4.0], [1.0, 10.0, 4.0])

    assert (found.median, found.lowest, found.highest) == (2.0, 1.0, 3.0)
    assert str(found) == "2.00 (1.00–3.00)"


def test_ratio_of_rounds_that_do_not_pair_is_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        figures.ratio([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="no rounds were measured"):
        figures.ratio([], [])


def test_table_puts_numbers_to_the_right() -> None:
    made = tables.table(["Work", "ms", "note"], [["a|b", 1234.5, 3], ["c", 0.5, "–"]])

    assert made == "| Work | ms | note |\n| --- | ---: | --- |\n| a\\|b | 1,234 | 3 |\n| c | 0.5 | – |"


def test_put_replaces_one_place_and_nothing_else() -> None:
    document = "a\n<!-- bench: one -->\nold\n<!-- end -->\nb\n<!-- bench: two -->\nkept\n<!-- end -->\n"

    made = tables.put(document, "one", "new \\1")

    assert made == "a\n<!-- bench: one -->\n\nnew \\1\n\n<!-- end -->\nb\n<!-- bench: two -->\nkept\n<!-- end -->\n"
    assert tables.put(made, "one", "new \\1") == made


def test_put_where_there_is_no_place_is_refused() -> None:
    with pytest.raises(LookupError, match="<!-- bench: one -->"):
        tables.put("nothing", "one", "new")


def test_document_has_a_place_for_every_case_and_shows_the_figures_that_are_kept() -> None:
    document = run.DOCUMENT.read_text()
    figures_kept = json.loads(run.FIGURES.read_text()) if run.FIGURES.exists() else {}

    for name in ("goals", *run.CASES):
        assert tables.put(document, name, "x") != document
    assert run.document_of(document, figures_kept) == document
