"""Reading one value: from text as YAML and the environment give it, or from Python, to the type that Foyer uses.

Every reader raises ValueError with the remedy alone; key and value are put in front of it by `words`.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationInfo

from foyer.kit.durations import SECONDS, format_duration, parse_duration

YES, NO = {"true", "yes", "on", "1"}, {"false", "no", "off", "0"}
UNITS = {"second": SECONDS["s"], "minute": SECONDS["m"], "hour": SECONDS["h"], "day": SECONDS["d"]}

LONGEST_TEMPLATE = 5_000
NOTICE_FIELDS = ("address", "link", "server", "waiting")

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_RATE = re.compile(r"([0-9]{1,9})\s*(?:/|per)\s*(second|minute|hour|day)s?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` in any `seconds`."""

    count: int
    seconds: int

    def __str__(self) -> str:
        unit = next(name for name, seconds in UNITS.items() if seconds == self.seconds)
        return f"{self.count}/{unit}"


def text(value: Any) -> str:
    """Return one line of text without space around it."""
    if isinstance(value, str):
        line = value.strip()
        if not line:
            raise ValueError("This is empty. Give a value, or remove the line.")
        if _CONTROL.search(line) or "\n" in line:
            raise ValueError("Write it on one line, without control characters.")
        return line
    if isinstance(value, (bool, int, float)):
        raise ValueError("Text is meant here. Put the value in quotes.")
    raise ValueError("Give one value here.")


def slug(value: Any) -> str:
    """Return a short name for programs."""
    name = text(value)
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,31}", name):
        raise ValueError("Write up to 32 small letters, digits, _ and -, beginning with a letter.")
    return name


def lines(value: Any) -> str:
    """Return text of any number of lines."""
    if isinstance(value, str) and _CONTROL.search(value) is None and value.strip():
        return value.strip()
    return text(value)


def notice(value: Any) -> str:
    """Return text of any number of lines whose `{…}` are all known."""
    words = lines(value)
    unknown = [name for name in re.findall(r"\{(\w+)\}", words) if name not in NOTICE_FIELDS]
    if unknown:
        known = ", ".join(f"{{{name}}}" for name in NOTICE_FIELDS)
        raise ValueError(f"{{{unknown[0]}}} is not known here. These are: {known}.")
    return words


def template(value: Any) -> str:
    """Return text of any number of lines that is sent as it stands."""
    words = lines(value)
    if len(words) > LONGEST_TEMPLATE:
        raise ValueError(f"Use at most {LONGEST_TEMPLATE} characters.")
    if named := re.search(r"\{\w+\}", words):
        raise ValueError(f"Nothing is filled in here, so {named[0]} would be sent as it stands. Write it out.")
    return words


def secret(value: Any) -> SecretStr:
    """Return a secret as it is: space around it may be part of it."""
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if not isinstance(value, str):
        text(value)
    if not value:
        raise ValueError("This is empty. Give the secret, or remove the line.")
    if _CONTROL.search(value) or "\n" in value:
        raise ValueError("The secret must be one line, without control characters.")
    return SecretStr(value)


def long_secret(value: Any) -> SecretStr:
    """Return a secret that is long enough to sign with."""
    known = secret(value)
    if len(known) < 32:
        raise ValueError("Give at least 32 characters. `openssl rand -base64 48` prints a good one.")
    return known


def flag(value: Any) -> bool:
    """Return a yes or a no."""
    word = str(value).strip().lower()
    if word in YES:
        return True
    if word in NO:
        return False
    raise ValueError("Write true or false.")


def whole(low: int, high: int) -> Callable[[Any], int]:
    """Return a reader of whole numbers from `low` to `high`."""

    def read(value: Any) -> int:
        digits = str(value).strip()
        if isinstance(value, bool) or not re.fullmatch(r"-?[0-9]{1,18}", digits) or not low <= int(digits) <= high:
            raise ValueError(f"Write a whole number from {low} to {high}.")
        return int(digits)

    return read


def whole_or(word: str, low: int, high: int) -> Callable[[Any], int | None]:
    """Return a reader of whole numbers that takes one word for "no limit" (None)."""
    number = whole(low, high)

    def read(value: Any) -> int | None:
        if value is None or str(value).strip().lower() == word:
            return None
        try:
            return number(value)
        except ValueError:
            raise ValueError(f"Write a whole number from {low} to {high}, or {word}.") from None

    return read


def duration(low: timedelta, high: timedelta) -> Callable[[Any], timedelta]:
    """Return a reader of lengths of time."""

    def read(value: Any) -> timedelta:
        try:
            span = value if isinstance(value, timedelta) else parse_duration(str(value))
        except ValueError:
            raise ValueError("Write a number and a unit: 90s, 15m, 12h, 7d or 2w.") from None
        if not low <= span <= high:
            raise ValueError(f"Write a duration from {format_duration(low)} to {format_duration(high)}.")
        return span

    return read


def duration_or(word: str, low: timedelta, high: timedelta) -> Callable[[Any], timedelta | None]:
    """Return a reader of lengths of time that takes one word for "no end" (None)."""
    span = duration(low, high)

    def read(value: Any) -> timedelta | None:
        if value is None or str(value).strip().lower() == word:
            return None
        try:
            return span(value)
        except ValueError as error:
            raise ValueError(f"{str(error).rstrip('.')}, or {word}.") from None

    return read


def items(value: Any) -> list[Any]:
    """Return a list: of YAML, as JSON, or with commas."""
    if isinstance(value, (list, tuple)):
        return list(value)
    if not isinstance(value, str):
        raise ValueError("Give a list here: a line for each entry, each beginning with a dash.")
    line = value.strip()
    try:
        known = json.loads(line) if line.startswith("[") else None
    except (ValueError, RecursionError):
        known = None
    if isinstance(known, list):
        return known
    if line.startswith(('["', "[{", "{")):
        raise ValueError('This list is not valid JSON. Write it as ["one", "two"].')
    return [part.strip() for part in line.split(",") if part.strip()]


def ways(value: Any) -> list[Any]:
    """Return a list that is not empty, without repetitions."""
    found = items(value)
    if not found:
        raise ValueError("Nobody could come in. Write invitation, application, or both.")
    return [item for number, item in enumerate(found) if item not in found[:number]]


def patterns(value: Any) -> list[Any]:
    """Return a list of regular expressions. A lone one is not split at its commas."""
    if isinstance(value, str) and value.strip():
        try:
            known = json.loads(value)
        except (ValueError, RecursionError):
            known = None
        return known if isinstance(known, list) else [value.strip()]
    return items(value)


def pattern(value: Any) -> re.Pattern[str]:
    """Return a regular expression, to be used with `fullmatch`."""
    if isinstance(value, re.Pattern):
        value = value.pattern
    line = text(value)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return re.compile(line)
    except re.error as error:
        raise ValueError(f"This is not a regular expression of Python's: {error}.") from None
    except (OverflowError, RecursionError):
        raise ValueError("This regular expression is too big.") from None


def rates(value: Any) -> tuple[Rate, ...]:
    """Return rates, as in `10/minute, 100/day`."""
    found = []
    for item in items(value) or [""]:
        match = _RATE.fullmatch(str(item).strip())
        if not isinstance(item, Rate) and (match is None or int(match[1]) < 1):
            raise ValueError("Write how many, a slash, and second, minute, hour or day, such as 10/minute, 100/day.")
        found.append(item if isinstance(item, Rate) or match is None else Rate(int(match[1]), UNITS[match[2].lower()]))
    return tuple(found)


def colour(value: Any) -> str:
    """Return a colour as `#rrggbb`."""
    code = text(value).lower()
    if not re.fullmatch(r"#([0-9a-f]{3}|[0-9a-f]{6})", code):
        raise ValueError('Write a colour in quotes, such as "#0b6e4f".')
    return code if len(code) == 7 else "#" + "".join(sign * 2 for sign in code[1:])


def own_file(value: Any, info: ValidationInfo) -> Path:
    """Return the absolute path of a file that is there; a relative one starts beside foyer.yaml."""
    name = str(value) if isinstance(value, Path) else text(value)
    if "://" in name:
        raise ValueError("Write the path of a file on this machine: pages load nothing from elsewhere.")
    path = Path((info.context or {}).get("folder", Path()), name).absolute()
    try:
        found = path.is_file()
    except OSError:
        found = False
    if not found:
        raise ValueError(f"There is no file {path} that Foyer may read. Check the path and its permissions.")
    return path


def verify_tls(value: Any, info: ValidationInfo) -> bool | Path:
    """Return true, false, or the path of a bundle of certificates."""
    word = str(value).strip().lower()
    if word in YES or word in NO:
        return word in YES
    return own_file(value, info)
