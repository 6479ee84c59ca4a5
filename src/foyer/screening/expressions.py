"""Regular expressions that moderators write: a part of Python's, which cannot hang the server.

Taken are letters, classes, groups, alternatives, repeats and anchors. Not taken is what looks around, refers back or
changes flags, and a repeat of what repeats already. What is taken is matched by an automaton, never by `re`: no text
keeps that one busy for long.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from foyer.kit.folding import SIGNS, folded
from foyer.screening.automaton import FLAGS, Automaton, Token
from foyer.screening.rule_errors import PatternBroken, PatternSlow, PatternTooLong, PatternTooMuch

LONGEST_PATTERN = 200
MOST_REPEATS = 255
LONGEST_SUBJECT = 255

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


def require_safe(pattern: str) -> None:
    """Return if the pattern may be kept.

    Raises:
        PatternTooLong, PatternBroken, PatternTooMuch, PatternSlow
    """
    if len(pattern) > LONGEST_PATTERN:
        raise PatternTooLong(max_length=LONGEST_PATTERN)
    _require_simple(_tokens(pattern))
    compiled_plain(pattern)
    compiled_folded(pattern)


@functools.lru_cache(maxsize=1024)
def compiled_plain(pattern: str) -> Automaton:
    """Return the pattern for text as it is; match the whole of it.

    Raises:
        PatternBroken, PatternSlow
    """
    return _compiled(pattern)


@functools.lru_cache(maxsize=1024)
def compiled_folded(pattern: str) -> Automaton:
    """Return the pattern for folded text: its letters are folded, too, and its classes and repeats are as they were.

    Raises:
        PatternBroken, PatternSlow
    """
    return _compiled("".join(_folded_parts(_tokens(pattern))))


def _compiled(pattern: str) -> Automaton:
    try:
        re.compile(pattern, FLAGS)  # finds what is wrong with it, and has words for that
        return Automaton(_tokens(pattern))
    except (re.error, OverflowError, RecursionError) as error:
        raise PatternBroken(reason=str(getattr(error, "msg", error))) from None


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
            yield f"(?:{re.escape(folded(text))})"  # one letter may become two, or none
        else:
            yield _folded_class(text) if kind == "klass" else text
    yield re.escape(folded(run))


def _folded_class(text: str) -> str:
    """Return the class with the folded letters beside those that it names. Its ranges stay as they are."""
    single = re.sub(r"\\.|.-.", "", text[1:-1].removeprefix("^"))
    more = "".join(re.escape(letter) for letter in sorted(set(folded(single)) - set(single)) if letter.isalnum())
    return f"{text[:-1]}{more}]"
