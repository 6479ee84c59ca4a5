"""The templates' environment. Django's Jinja2 backend calls `environment`."""

from __future__ import annotations

import functools
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time, format_timedelta
from django.utils.translation import get_language, gettext, ngettext, npgettext, pgettext, to_locale
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from foyer.web.assets import asset


def babel_locale() -> Locale:
    """Return the active language as Babel names it."""
    return Locale.parse(to_locale(get_language() or "en"))


def words_locale() -> Locale:
    """Return how days are written: in English the day before the month, which nobody reads wrongly."""
    locale = babel_locale()
    return Locale("en", "GB") if locale.language == "en" else locale


def long_day(at: datetime) -> str:
    """Return `28 November 2026`, the day that it is in UTC."""
    return format_date(at.astimezone(UTC), format="long", locale=words_locale())


def date_words(day: date, form: Literal["long", "short"] = "long") -> str:
    """Return a day of the calendar: `28 November 2026`, or short, `28 Nov`."""
    if form == "short":
        return format_skeleton("MMMd", day, locale=words_locale())
    return format_date(day, format="long", locale=words_locale())


def long_moment(at: datetime) -> str:
    """Return a moment in words, in UTC: `28 November 2026, 14:00 UTC`. The scripts show the reader's own clock."""
    time = format_time(at.astimezone(UTC), format="short", locale=words_locale())
    return f"{long_day(at)}, {time} UTC"


def iso(at: datetime) -> str:
    """Return a moment as the `datetime` attribute has it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment_tag(at: datetime) -> Markup:
    """Return a moment for a page: in UTC and in words, and exact for the scripts, which show the reader's own clock."""
    return _moment_tag(at, get_language())


@functools.lru_cache(maxsize=256)
def _moment_tag(at: datetime, _language: str | None) -> Markup:
    return Markup('<time datetime="{}" data-moment>{}</time>').format(iso(at), long_moment(at))


def rough_time(span: timedelta) -> str:
    """Return `2 days`: the largest unit that says it, rounded."""
    return format_timedelta(span, threshold=1.5, locale=babel_locale())


def strong(text: str) -> Markup:
    """Return a name that stands out in a sentence, whatever direction it is written in."""
    return Markup("<strong><bdi>{}</bdi></strong>").format(text)


def environment(**options: Any) -> Environment:
    """Return the environment: escaping on, a name that is missing is an error, translation as in Python."""
    options.update(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.i18n"], autoescape=True
    )
    env = Environment(**options)  # noqa: S701 - autoescape is among the options
    env.policies["ext.i18n.trimmed"] = True
    env.install_gettext_callables(gettext, ngettext, newstyle=True, pgettext=pgettext, npgettext=npgettext)  # type: ignore[attr-defined]
    env.globals["asset"] = asset
    env.filters.update(moment=moment_tag, strong=strong, rough=rough_time, day=long_day, date_words=date_words)
    return env
