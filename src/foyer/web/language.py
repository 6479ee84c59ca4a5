"""Which language a page speaks: the URL's `?lang=`, then a cookie, then what the browser asks for."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language_bidi
from django.utils.translation.trans_real import parse_accept_lang_header

PARAMETER = "lang"
COOKIE = "foyer_language"
COOKIE_SECONDS = 365 * 24 * 3600
MAX_HEADER_LENGTH = 500

# Written differently, not only spoken differently: none of ours serves these readers.
NOT_OURS = ("zh-hant", "zh-tw", "zh-hk", "zh-mo")


@dataclass(frozen=True, slots=True)
class Language:
    """The language of one answer. `chosen` is set when the URL asked for it, and is then kept in its links."""

    code: str
    chosen: str = ""

    @property
    def tag(self) -> str:
        """Return the BCP 47 tag for the `lang` attribute: `pt-BR`, `zh-Hans`."""
        return tag(self.code)

    @property
    def direction(self) -> str:
        """Return `rtl` or `ltr`. The language must be active."""
        return "rtl" if get_language_bidi() else "ltr"

    @property
    def query(self) -> str:
        """Return `?lang=…` where the URL chose the language, so that it lasts without cookies."""
        return f"?{urlencode({PARAMETER: self.chosen})}" if self.chosen else ""


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry of the language switcher."""

    tag: str
    name: str
    url: str
    is_current: bool


def tag(code: str) -> str:
    """Return Django's `pt-br`, `zh-hans` as the tag a browser knows: `pt-BR`, `zh-Hans`."""
    primary, _, rest = code.partition("-")
    return f"{primary}-{rest.upper() if len(rest) == 2 else rest.title()}" if rest else primary


@functools.cache
def supported() -> dict[str, str]:
    """Return the languages we have, by Django's code, with the name each gives itself."""
    return dict(settings.LANGUAGES)


@functools.lru_cache(maxsize=256)
def match(wanted: str) -> str | None:
    """Return our language for a tag in any spelling: `de-DE` and `de_AT` are `de`, `zh_CN` is `zh-hans`."""
    wanted = wanted.strip().replace("_", "-").lower()
    if wanted in supported():
        return wanted
    if wanted.startswith(NOT_OURS):
        return None
    primary = wanted.partition("-")[0]
    return next((code for code in supported() if code.partition("-")[0] == primary), None)


def _accepted(header: str) -> Iterable[str]:
    return (wanted for wanted, _ in parse_accept_lang_header(header[:MAX_HEADER_LENGTH]))


def choose(*, asked: str, cookie: str, header: str) -> Language:
    """Return the language of the answer; English where nothing fits."""
    if asked and (code := match(asked)):
        return Language(code, chosen=tag(code))
    if cookie and (code := match(cookie)):
        return Language(code)
    return Language(next((code for wanted in _accepted(header) if (code := match(wanted))), "en"))


def of(request: HttpRequest) -> Language:
    """Return the language that a request asks for."""
    return choose(
        asked=request.GET.get(PARAMETER, "")[:35],
        cookie=request.COOKIES.get(COOKIE, "")[:35],
        header=request.META.get("HTTP_ACCEPT_LANGUAGE", ""),
    )


def choices(current: Language, *, path: str, parameters: Mapping[str, str]) -> list[Choice]:
    """Return the switcher's entries: `path` again, with the same parameters, in each language."""
    kept = {name: value for name, value in parameters.items() if name != PARAMETER}
    return [
        Choice(tag(code), name, f"{path}?{urlencode({**kept, PARAMETER: tag(code)})}", code == current.code)
        for code, name in supported().items()
    ]
