"""From a template to the text or the HTML of a mail, in the active language.

Mail programs know little CSS and some drop whole style sheets, so that the rules are written into the elements. In dark
mode they invert colours as they like; only the button has colours of its own, and its text has the contrast to it.
"""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import css_inline
from babel import Locale
from babel.dates import format_date, format_time
from django.utils.translation import get_language, get_language_bidi, gettext, ngettext, to_locale
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from foyer.config import current

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
        server_name=config.server_name,
        public_url=config.public_url,
        accent=config.branding.accent,
        on_accent=text_on(config.branding.accent),
        language=to_locale(language).replace("_", "-"),
        direction="rtl" if get_language_bidi() else "ltr",
    )
    return _inliner().inline(made) if template.endswith(".html") else made


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


def _long_moment(at: datetime) -> str:
    """Return `28 November 2026, 14:00 UTC`."""
    locale = Locale.parse(to_locale(get_language() or "en"))
    at = at.astimezone(UTC)
    return f"{format_date(at, format='long', locale=locale)}, {format_time(at, format='short', locale=locale)} UTC"


@functools.cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(enabled_extensions=("html",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.policies["ext.i18n.trimmed"] = True
    made.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    made.filters["long_moment"] = _long_moment
    return made


@functools.cache
def _inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)
