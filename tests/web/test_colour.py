from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foyer.web.colour import (
    CARD_DARK,
    CARD_LIGHT,
    PAPER_DARK,
    PAPER_LIGHT,
    SHAPE_CONTRAST,
    TEXT_CONTRAST,
    Colour,
    contrast,
    parse,
    shades,
    stylesheet,
    to_hex,
)

channel = st.integers(0, 255)
colours = st.tuples(channel, channel, channel)


def test_contrast_of_black_and_white_is_21() -> None:
    assert round(contrast((0, 0, 0), (255, 255, 255)), 2) == 21.0


def test_contrast_of_a_known_pair_is_as_published() -> None:
    assert round(contrast(parse("#767676"), parse("#ffffff")), 2) == 4.54


@pytest.mark.parametrize("text", ["", "#12", "green", "#12345g", "0b6e4f", "#0b6e4f; x"])
def test_parse_of_something_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a colour"):
        parse(text)


def test_parse_reads_the_short_form() -> None:
    assert parse("#fa0") == parse("#ffaa00") == (255, 170, 0)


@given(colours, st.booleans())
def test_shades_of_any_accent_are_readable(accent: Colour, dark: bool) -> None:
    of = shades(accent, dark=dark)
    paper, card = (PAPER_DARK, CARD_DARK) if dark else (PAPER_LIGHT, CARD_LIGHT)
    fill, tint = parse(of.accent), parse(of.accent_tint)

    assert contrast(parse(of.on_accent), fill) >= TEXT_CONTRAST
    assert contrast(parse(of.on_accent), parse(of.accent_strong)) >= TEXT_CONTRAST
    assert min(contrast(fill, paper), contrast(fill, card)) >= SHAPE_CONTRAST
    assert min(contrast(parse(of.accent_ink), ground) for ground in (paper, card, tint)) >= TEXT_CONTRAST
    assert contrast(parse("#b9b0a2" if dark else "#5f584e"), tint) >= TEXT_CONTRAST  # soft text on a tinted note


@given(colours)
def test_stylesheet_of_any_accent_holds_colours_and_nothing_else(accent: Colour) -> None:
    values = re.findall(r"--[a-z-]+:([^;}]+)", stylesheet(to_hex(accent)))

    assert len(values) == 10
    assert all(re.fullmatch(r"#[0-9a-f]{6}", value) for value in values)


def test_default_accent_stays_as_the_owner_wrote_it() -> None:
    assert shades(parse("#0b6e4f"), dark=False).accent == "#0b6e4f"
