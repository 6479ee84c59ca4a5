"""Reading foyer.yaml: YAML, taken by its text.

Every value stays the text that its owner wrote, and the schema says what it means: YAML's own guesses turn
the secret 0123 into 83, `no` into false and 2027-01-31 into a date. A key that stands twice is an error, and
so is a value that YAML took for a comment (`room: #team:example.org`).
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from foyer.config.errors import Problem, key_and_entry

LARGEST = 1024 * 1024
_NULLS = {"", "~", "null", "Null", "NULL"}
_OF_YAML = re.compile(r"'[^']{1,2}'|\"'\"|'<[a-z ]+>'")
_TEXT_TAG = "tag:yaml.org,2002:str"


@dataclass
class Source:
    """What one file said: nested mappings, lists and text, and the line of each key."""

    name: str = ""
    tree: dict[str, Any] = field(default_factory=dict)
    lines: dict[tuple[str | int, ...], int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def complain(self, path: tuple[str | int, ...], sentence: str, line: int | None = None) -> None:
        """Note a problem of this file."""
        key, entry = key_and_entry(path)
        self.problems.append(Problem(key, "", entry + sentence, self.place(line)))

    def place(self, line: int | None) -> str:
        """Return the file's name and the line."""
        return self.name if line is None else f"{self.name}, line {line}"


def read_file(path: Path) -> Source:
    """Read a configuration file. Never raises: what is wrong stands in `problems`."""
    source = Source()
    text = _text_of(path, source)
    if text is not None:
        read_yaml(text, source)
    return source


def _text_of(path: Path, source: Source) -> str | None:
    source.name = os.fsencode(path).decode("utf-8", "replace")
    raw = b""
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
        if len(raw) > LARGEST:
            source.complain((), "This file is far too large for a configuration. Is it the right one?")
            return None
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        source.complain((), "This file is not UTF-8. Save it in that encoding.", line)
    except FileNotFoundError:
        source.complain((), "There is no such file. `foyer setup` makes one.")
    except IsADirectoryError:
        source.complain((), "This is a folder. Name the file in it.")
    except PermissionError:
        source.complain((), "This file may not be read. Give it to the user that runs Foyer.")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "the name is not valid"
        source.complain((), f"This file cannot be read: {reason}.")
    return None


def read_yaml(text: str, source: Source) -> None:
    """Fill a source from YAML text."""
    try:
        root = yaml.compose(text, Loader=yaml.BaseLoader)
        if root is not None:
            _Reader(source, text.splitlines()).read(root)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, f" at column {mark.column + 1}") if mark else (None, "")
        reason = _without_content(error.problem or "it breaks off")
        source.complain((), f"This is not valid YAML{column}: {reason}. {_yaml_remedy(reason)}", line)
    except yaml.YAMLError:
        source.complain((), "This file has a character that YAML forbids. Retype the value that it is in.")
    except (RecursionError, ValueError, OverflowError):
        source.complain((), "This file is nested too deeply, or has a number in an escape that is no character.")


def _without_content(reason: str) -> str:
    """Keep the signs of YAML that the parser quotes, and no more: `*secret` looks like an undefined alias."""
    signs = _OF_YAML.sub(lambda match: match[0].replace("'", "\0").replace('"', "\0"), reason)
    end = re.search("['\"]", signs)
    return " ".join(signs[: end.start() if end else None].replace("\0", "'").split())


def _yaml_remedy(reason: str) -> str:
    if "\\t" in reason:
        return "Use spaces, not tabs."
    if any(word in reason for word in ("alias", "anchor", "tag", "cannot start any token", "mapping values")):
        return "A value with signs such as * & ! @ % ` # or a colon in it needs quotes."
    return "Check the indentation, the quotes and the brackets there."


class _Reader:
    """Turns nodes into Python, keeping lines and complaints."""

    def __init__(self, source: Source, text: list[str]) -> None:
        self._source = source
        self._text = text
        self._open: set[int] = set()

    def read(self, root: yaml.Node) -> None:
        if isinstance(root, yaml.MappingNode):
            self._source.tree = self._mapping(root, ())
        elif not (isinstance(root, yaml.ScalarNode) and root.style is None and root.value in _NULLS):
            self._source.complain((), "A configuration is keys with values, such as server_name: example.org.", 1)

    def _value(self, node: yaml.Node, path: tuple[str | int, ...]) -> Any:
        line = node.start_mark.line + 1
        self._source.lines.setdefault(path, line)
        if id(node) in self._open:
            self._source.complain(path, "This block contains itself through an alias. Write it out.", line)
            return None
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, path)
            return [self._value(item, (*path, number)) for number, item in enumerate(node.value)]
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: yaml.MappingNode, path: tuple[str | int, ...]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                self._source.complain(path, "A key must be a word.", line)
                continue
            here = (*path, key.value)
            if key.value in found:
                first = self._source.lines[here]
                self._source.complain(here, f"This key stands twice, first in line {first}. Remove one.", line)
                continue
            self._source.lines[here] = line
            found[key.value] = self._value(value, here)
        return found

    def _scalar(self, node: yaml.ScalarNode, path: tuple[str | int, ...]) -> str | None:
        line = node.start_mark.line
        text = str(node.value)
        if node.tag != _TEXT_TAG:
            self._source.complain(path, "A value that begins with ! needs quotes.", line + 1)
            return None
        if text.encode("utf-8", "replace").decode() != text:
            self._source.complain(path, "This holds half of a character. Retype it.", line + 1)
            return None
        if node.style is not None or text not in _NULLS:
            return text
        rest = self._text[line][node.start_mark.column :] if line < len(self._text) else ""
        if text == "" and re.match(r"\s*#[^\s#]", rest):
            self._source.complain(path, "YAML takes what follows # for a comment. Put the value in quotes.", line + 1)
        return None
