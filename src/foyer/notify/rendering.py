"""From a template to the text or the HTML of a mail, in the active language.

Mail programs know little CSS and some drop whole style sheets, so that the rules are written into the elements. In dark
mode they invert colours as they like; only the button has colours of its own, and its text has the contrast to it.
"""

from __future__ import annotations

import functools
import unicodedata
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import css_inline
from babel import Locale
from babel.dates import format_date, format_time, format_timedelta
from django.utils.translation import get_language, get_language_bidi, gettext, to_locale
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from foyer.config import current
from foyer.notify.logo import LOGO_ID, logo

TEMPLATES = Path(__file__).resolve().parent / "templates"
WHITE, NEARLY_BLACK = "#ffffff", "#0a0c0b"


def render(template: str, **context: Any) -> str:
    """Return a mail's text (`.txt`) or HTML (`.html`)."""
    config = current()
    language = get_language() or "en"
    words = _environment().get_template(template)
    made = words.render(
        **context,
        server=config.display_name,
        public_url=config.public_url,
        copy_the_link=gettext("If the button does not work, copy this link into your browser:"),
        has_logo=logo() is not None,
        logo_id=LOGO_ID,
        accent=config.branding.accent,
        on_accent=text_on(config.branding.accent),
        language=to_locale(language).replace("_", "-"),
        direction="rtl" if get_language_bidi() else "ltr",
    )
    return _inliner().inline(made) if template.endswith(".html") else made


def clean(text: str) -> str:
    """Return the text without characters that are none to a reader: they steer terminals, and some break a mail."""
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))


def text_on(colour: str) -> str:
    """Return the text colour that has the better contrast on `#rgb` or `#rrggbb`.

    https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
    """
    ground = _luminance(colour)
    on_white = (1 + 0.05) / (ground + 0.05)
    on_black = (ground + 0.05) / (_luminance(NEARLY_BLACK) + 0.05)
    return WHITE if on_white >= on_black else NEARLY_BLACK


def _luminance(colour: str) -> float:
    digits = colour.removeprefix("#")
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    red, green, blue = (_linear(int(digits[place : place + 2], 16) / 255) for place in (0, 2, 4))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(share: float) -> float:
    return float(share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4)


def long_moment(at: datetime) -> str:
    """Return `28 November 2026, 14:00 UTC`."""
    at = at.astimezone(UTC)
    # Some programs that show mails have no sign for the narrow space before PM.
    time = format_time(at, format="short", locale=_locale()).replace("\u202f", "\u00a0")
    return f"{long_day(at)}, {time} UTC"


def long_day(at: datetime) -> str:
    """Return `28 November 2026`."""
    return format_date(at.astimezone(UTC), format="long", locale=_locale())


def rough_time(span: timedelta) -> str:
    """Return `2 days`: the largest unit that says it, rounded."""
    return format_timedelta(span, threshold=1.5, locale=_locale())


def _locale() -> Locale:
    return Locale.parse(to_locale(get_language() or "en"))


def _clean_text(value: Any) -> Any:
    # Markup, which is a str too, is made of values that have been here before.
    return clean(value) if type(value) is str else value


@functools.cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(enabled_extensions=("html",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_clean_text,
    )


@functools.cache
def _inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)
