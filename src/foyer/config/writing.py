"""Writing foyer.yaml: values as YAML, with the schema's words as comments above them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from pydantic import SecretStr

from foyer.config.keys import all_keys, blocks

WIDTH = 100
HEADER = "The configuration of Foyer. Every key there is stands in foyer.dist.yaml and docs/configuration.md."


class _Dumper(yaml.SafeDumper):
    """One line for one value, and no anchors."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML calls it so
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - as above
        super().increase_indent(flow, indentless=False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if text.isprintable() else '"')


_Dumper.add_representer(str, _text)


def dump(value: Any, *, one_line: bool = False) -> str:
    """Return a plain value as YAML, without a line break at its end."""
    written = yaml.dump(
        value, Dumper=_Dumper, default_flow_style=one_line, allow_unicode=True, sort_keys=False, width=1 << 30
    )
    return written.removesuffix("\n").removesuffix("\n...")


def comment(text: str, indent: str = "") -> list[str]:
    """Return text as lines of a comment."""
    return textwrap.wrap(text, WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ")


def setting(name: str, value: Any, indent: str = "") -> list[str]:
    """Return the lines of one key with its value; lists of blocks get a line for each key."""
    if isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        return [indent + line for line in dump({name: value}).splitlines()]
    return [f"{indent}{name}: {dump(value, one_line=True)}"]


def compose(values: Mapping[str, Any]) -> str:
    """Return a short foyer.yaml of the values that were chosen, each with what it means.

    `values` is nested as the file is, with plain values; a secret may be a SecretStr, None is left out.

    Raises:
        KeyError: a name in `values` is no key.
    """
    written = list(comment(HEADER))
    opened: set[tuple[str, ...]] = {()}
    left = dict(_flat(values))
    for key in all_keys():
        block, indent = key.path[:-1], "  " * len(key.path[:-1])
        for name in (key.path[-1], f"{key.path[-1]}_file") if key.may_be_a_file else (key.path[-1],):
            value = left.pop((*block, name), None)
            if value is None:
                continue
            written += ["", *_open(block, opened)] if not block or block not in opened else []
            written += comment(key.doc, indent)
            written += setting(name, value.get_secret_value() if isinstance(value, SecretStr) else value, indent)
    if left:
        raise KeyError(", ".join(".".join(path) for path in left))
    return "\n".join(written) + "\n"


def _open(block: tuple[str, ...], opened: set[tuple[str, ...]]) -> Iterator[str]:
    """Yield the lines that begin a block and those that it stands in, as far as they are not begun."""
    for depth in range(1, len(block) + 1):
        if block[:depth] not in opened:
            opened.add(block[:depth])
            indent = "  " * (depth - 1)
            yield from comment(blocks()[block[:depth]].__doc__ or "", indent)
            yield f"{indent}{block[depth - 1]}:"


def _flat(values: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, value in values.items():
        if (*path, name) in blocks() and isinstance(value, Mapping):
            yield from _flat(value, (*path, name))
        else:
            yield (*path, name), value
