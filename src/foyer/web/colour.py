"""The owner's accent colour, made readable.

An owner sets one colour; the pages need a handful that go with it, in light and in dark, each with the contrast that
WCAG 2.2 asks for: 4.5 for text (1.4.3), 3 for the shapes of controls (1.4.11).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

HEX = re.compile(r"#([0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE)
TEXT_CONTRAST = 4.5
LINK_CONTRAST = 5.5  # a little more than asked for: thin coloured letters on dark ground tire
SHAPE_CONTRAST = 3.0
STEPS = 50

Colour = tuple[int, int, int]

WHITE: Colour = (255, 255, 255)
BLACK: Colour = (0, 0, 0)
PAPER_LIGHT: Colour = (250, 247, 242)
PAPER_DARK: Colour = (23, 21, 18)
CARD_LIGHT: Colour = WHITE
CARD_DARK: Colour = (33, 30, 26)


@dataclass(frozen=True, slots=True)
class Shades:
    """What the stylesheet needs of one accent colour on one ground; every value is `#rrggbb`."""

    accent: str
    on_accent: str
    accent_strong: str
    accent_ink: str
    accent_tint: str


def parse(text: str) -> Colour:
    """Return red, green and blue of `#rgb` or `#rrggbb`.

    Raises:
        ValueError: it is neither.
    """
    match = HEX.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a colour like #0b6e4f")
    digits = match[1]
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)


def to_hex(colour: Colour) -> str:
    """Return `#rrggbb`."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _linear(channel: int) -> float:
    share = channel / 255
    return float(share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4)


def luminance(colour: Colour) -> float:
    """Return the relative luminance, 0 to 1. https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    red, green, blue = colour
    return 0.2126 * _linear(red) + 0.7152 * _linear(green) + 0.0722 * _linear(blue)


def contrast(one: Colour, other: Colour) -> float:
    """Return the contrast ratio, 1 to 21. https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio"""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """Return `one` with `share` (0 to 1) of `other` in it."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _first(start: Colour, towards: Colour, is_enough: Callable[[Colour], bool]) -> Colour:
    """Walk from `start` towards a colour until it is enough; its end at the latest."""
    for step in range(STEPS + 1):
        candidate = mix(start, towards, step / STEPS)
        if is_enough(candidate):
            return candidate
    return towards


def shades(accent: Colour, *, dark: bool) -> Shades:
    """Return the shades of `accent` for the light or the dark pages."""
    paper, card = (PAPER_DARK, CARD_DARK) if dark else (PAPER_LIGHT, CARD_LIGHT)
    away = WHITE if dark else BLACK

    fill = _first(accent, away, lambda it: min(contrast(it, paper), contrast(it, card)) >= SHAPE_CONTRAST)
    # One of the two always has 4.58 or more.
    on_fill = max((WHITE, BLACK), key=lambda it: contrast(it, fill))
    tint = mix(card, fill, 0.14 if dark else 0.08)
    grounds = (paper, card, tint)
    ink = _first(accent, away, lambda it: min(contrast(it, ground) for ground in grounds) >= LINK_CONTRAST)
    return Shades(
        accent=to_hex(fill),
        on_accent=to_hex(on_fill),
        # Away from the text that stands on it, so that it stays readable under the pointer.
        accent_strong=to_hex(mix(fill, BLACK if on_fill == WHITE else WHITE, 0.2)),
        accent_ink=to_hex(ink),
        accent_tint=to_hex(tint),
    )


def stylesheet(accent: str) -> str:
    """Return the small stylesheet that puts the owner's colour in place of the default.

    Raises:
        ValueError: `accent` is no colour.
    """
    colour = parse(accent)

    def block(of: Shades) -> str:
        return (
            f":root{{--accent:{of.accent};--on-accent:{of.on_accent};--accent-strong:{of.accent_strong};"
            f"--accent-ink:{of.accent_ink};--accent-tint:{of.accent_tint}}}"
        )

    light, dark = block(shades(colour, dark=False)), block(shades(colour, dark=True))
    return f"{light}\n@media (prefers-color-scheme:dark){{{dark}}}\n"
