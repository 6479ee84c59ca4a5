"""Regular expressions that moderators write: a part of Python's, which cannot hang the server.

Taken are letters, classes, groups, alternatives, repeats and anchors. Not taken is what looks around, refers back or
changes flags, and a repeat of what repeats already. The rest is tried on the words that would make it slow, one
letter longer each time, until it has shown that it is quick enough, or that it is not.
"""

from __future__ import annotations

import functools
import itertools
import re
import time
from collections.abc import Iterator

from foyer.kit.folding import SIGNS, folded
from foyer.screening.rule_errors import PatternBroken, PatternSlow, PatternTooLong, PatternTooMuch

LONGEST_PATTERN = 200
MOST_REPEATS = 255
LONGEST_SUBJECT = 255
TRIAL_SECONDS = 0.5
SLOW_SECONDS = 0.02
MOST_TRIALS = 24

_TOKEN = re.compile(
    r"""(?P<escape>\\.)
    |(?P<klass>\[\^?\]?(?:\\.|[^\]\\])*\])
    |(?P<open>\((?:\?:)?)
    |(?P<close>\))
    |(?P<bar>\|)
    |(?P<anchor>[\^$])
    |(?P<any>\.)
    |(?P<repeat>(?:[*+?]|\{\d+(?:,\d*)?\})\??)
    |(?P<literal>[^\\\[\](){}|^$.*+?])""",
    re.VERBOSE | re.DOTALL,
)
Token = tuple[str, str]


def require_safe(pattern: str) -> None:
    """Return if the pattern may be kept.

    Raises:
        PatternTooLong, PatternBroken, PatternTooMuch, PatternSlow
    """
    if len(pattern) > LONGEST_PATTERN:
        raise PatternTooLong(max_length=LONGEST_PATTERN)
    tokens = _tokens(pattern)
    _require_simple(tokens)
    try:
        compiled = [compiled_plain(pattern), compiled_folded(pattern)]
    except (re.error, OverflowError, RecursionError) as error:
        raise PatternBroken(reason=str(getattr(error, "msg", error))) from None
    for one in compiled:
        _try(one, tokens)


@functools.lru_cache(maxsize=1024)
def compiled_plain(pattern: str) -> re.Pattern[str]:
    """Return the pattern for text as it is; match the whole of it."""
    return re.compile(pattern, re.IGNORECASE | re.ASCII)


@functools.lru_cache(maxsize=1024)
def compiled_folded(pattern: str) -> re.Pattern[str]:
    """Return the pattern for folded text: its letters are folded, too, and its classes and repeats are as they were."""
    return re.compile("".join(_folded_parts(_tokens(pattern))), re.IGNORECASE | re.ASCII)


def names_a_sign(pattern: str) -> bool:
    """Say whether a sign of names stands in the pattern, and so is meant."""
    return any(kind in {"literal", "escape"} and text[-1] in SIGNS for kind, text in _tokens(pattern))


def _tokens(pattern: str) -> list[Token]:
    found: list[Token] = []
    at = 0
    while at < len(pattern):
        match = _TOKEN.match(pattern, at)
        if match is None:
            raise PatternBroken(reason=f"{pattern[at : at + 5]!r} at {at + 1}")
        found.append((str(match.lastgroup), match[0]))
        at = match.end()
    return found


def _require_simple(tokens: list[Token]) -> None:
    """Refuse what refers back, looks around, or repeats what repeats."""
    repeats_inside = [False]
    closed = False  # whether the token before was a group, and a repeat was inside it
    before = ""
    for kind, text in tokens:
        if kind == "escape" and text[1].isalnum() and text[1] not in "dDwWsSbB":
            raise PatternTooMuch(part=text)
        if kind == "repeat":
            if before in {"", "open", "bar", "anchor", "repeat"}:
                raise PatternBroken(reason=f"nothing to repeat: {text}")
            if before == "close" and closed and text[0] != "?":
                raise PatternSlow
            if any(int(number) > MOST_REPEATS for number in re.findall(r"\d+", text)):
                raise PatternTooMuch(part=text)
            repeats_inside[-1] = True
        elif kind == "open":
            repeats_inside.append(False)
        elif kind == "close":
            if len(repeats_inside) == 1:
                raise PatternBroken(reason="unbalanced )")
            closed = repeats_inside.pop()
            repeats_inside[-1] = repeats_inside[-1] or closed
        before = kind


def _folded_parts(tokens: list[Token]) -> Iterator[str]:
    run = ""
    for number, (kind, text) in enumerate(tokens):
        is_repeated = number + 1 < len(tokens) and tokens[number + 1][0] == "repeat"
        if kind == "literal" and not is_repeated:
            run += text
            continue
        yield re.escape(folded(run))
        run = ""
        if kind == "literal":
            yield re.escape(folded(text))
        else:
            yield _folded_class(text) if kind == "klass" else text
    yield re.escape(folded(run))


def _folded_class(text: str) -> str:
    """Return the class with the folded letters beside those that it names. Its ranges stay as they are."""
    single = re.sub(r"\\.|.-.", "", text[1:-1].removeprefix("^"))
    more = "".join(re.escape(letter) for letter in sorted(set(folded(single)) - set(single)) if letter.isalnum())
    return f"{text[:-1]}{more}]"


def _try(pattern: re.Pattern[str], tokens: list[Token]) -> None:
    """Match against ever longer words that begin well and end badly.

    What grows without measure is found out at the first length that takes long: each is only a little longer than the
    one before, so none takes very long. The time of this thread counts: others may be busy.
    """
    end = time.thread_time() + TRIAL_SECONDS
    for unit in _units(tokens):
        for length in _lengths():
            word = (unit * length)[:length] + "\n"
            begun = time.thread_time()
            pattern.fullmatch(word)
            done = time.thread_time()
            if done - begun > SLOW_SECONDS or done > end:
                raise PatternSlow


def _lengths() -> Iterator[int]:
    length = 1.0
    while length < LONGEST_SUBJECT:
        yield int(length)
        length = length + 1 if length < 40 else length * 1.2
    yield LONGEST_SUBJECT


def _units(tokens: list[Token]) -> list[str]:
    """Return what a slow pattern would be slow at: its own letters, in a row, alone and in pairs."""
    runs = [""]
    for kind, text in tokens:
        if kind in {"open", "close", "bar"}:
            runs.append("")
        elif kind in {"literal", "klass", "any", "escape"}:
            runs[-1] += _letter(kind, text)
    letters = "".join(runs)
    pairs = ["".join(pair) for pair in itertools.pairwise(letters)]
    return list(dict.fromkeys(unit for unit in (letters, *runs, *letters, *pairs, "a") if unit))[:MOST_TRIALS]


def _letter(kind: str, text: str) -> str:
    """Return one letter that this token takes."""
    if kind == "literal":
        return text
    one = re.compile(text, re.IGNORECASE | re.ASCII)
    return next((letter for letter in "a0.-_@z5 " if one.fullmatch(letter)), text[-1])
