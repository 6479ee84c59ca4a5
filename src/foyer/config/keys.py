"""The schema as a list: each key with its path, its names outside, and what documentation says of it."""

from __future__ import annotations

import functools
import re
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from foyer.config.clients import OwnClient
from foyer.config.database import MASK
from foyer.config.schema import Config
from foyer.config.types import Fill, Shown, Words
from foyer.config.values import Rate
from foyer.kit.durations import format_duration

PREFIX = "FOYER_"


@dataclass(frozen=True)
class Key:
    """One key. `block` is the model that it belongs to, `entry` that of its list's entries, where it has one."""

    path: tuple[str, ...]
    block: type[BaseModel]
    field: FieldInfo
    words: str
    is_secret: bool
    is_list: bool
    entry: type[BaseModel] | None

    @property
    def dotted(self) -> str:
        """Return the name in documentation and messages: `homeserver.url`."""
        return ".".join(self.path)

    @property
    def environment(self) -> str:
        """Return the name in the environment: `FOYER_HOMESERVER__URL`."""
        return PREFIX + "__".join(self.path).upper()

    @property
    def may_be_a_file(self) -> bool:
        """Return whether the value may stand in a file of its own, named by `…_file`."""
        return self.is_secret or self.dotted == "database"

    @property
    def doc(self) -> str:
        """Return what the key means, in plain words."""
        return self.field.description or ""

    @property
    def examples(self) -> list[Any]:
        """Return values that show the form, where the type's words do not."""
        return self.field.examples or []

    @property
    def fill(self) -> str | None:
        """Return the example that an owner must replace, where foyer.dist.yaml has this key uncommented."""
        return next((mark.value for mark in self.field.metadata if isinstance(mark, Fill)), None)

    @property
    def default(self) -> Any:
        """Return the default as YAML has it."""
        shown = next((mark.value for mark in self.field.metadata if isinstance(mark, Shown)), None)
        return shown or plain(self.field.get_default(call_default_factory=True), _none(self.field))


@functools.cache
def all_keys() -> tuple[Key, ...]:
    """Return every key, in the order of the schema."""
    return tuple(keys_of(Config))


@functools.cache
def by_path() -> dict[tuple[str, ...], Key]:
    """Return every key by its path."""
    return {key.path: key for key in all_keys()}


@functools.cache
def known_paths() -> frozenset[tuple[str, ...]]:
    """Return the path of everything that has a name: blocks, keys, and the keys of entries of lists."""
    entries = {(*key.path, *inner.path) for key in all_keys() if key.entry for inner in keys_of(key.entry)}
    return frozenset({*by_path(), *blocks(), *entries})


@functools.cache
def blocks() -> dict[tuple[str, ...], type[BaseModel]]:
    """Return every block by its path; that of the whole is the empty one."""
    found: dict[tuple[str, ...], type[BaseModel]] = {(): Config}
    for key in all_keys():
        found.setdefault(key.path[:-1], key.block)
    return found


def name_of(name: str, field: FieldInfo) -> str:
    """Return how a field is called outside Python."""
    return field.alias or name


def block_of(field: FieldInfo) -> type[BaseModel] | None:
    """Return the model of a field that is a block of keys."""
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def keys_of(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[Key]:
    """Yield the keys of a block and of the blocks in it."""
    for name, field in model.model_fields.items():
        here = (*path, name_of(name, field))
        block = block_of(field)
        if block is None:
            yield _key(model, here, field)
        else:
            yield from keys_of(block, here)


def _key(model: type[BaseModel], path: tuple[str, ...], field: FieldInfo) -> Key:
    kinds, marks = _take_apart(field.annotation)
    marks = [*field.metadata, *marks]
    words = next((mark for mark in marks if isinstance(mark, Words)), Words(_literal(kinds)))
    is_list = tuple in kinds and not any(isinstance(mark, Words) for mark in field.metadata)
    entry = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
    text = f"list of {words.text or 'blocks'}" if is_list else words.text
    return Key(path, model, field, text, SecretStr in kinds, is_list, entry)


def _take_apart(annotation: Any) -> tuple[list[Any], list[Any]]:
    """Return the types within an annotation and the marks on them, outermost first."""
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        kinds, marks = _take_apart(parts[0])
        return kinds, [*parts[1:], *marks]
    if origin in (typing.Union, types.UnionType, tuple):
        found = [_take_apart(part) for part in parts if part is not Ellipsis]
        return [origin, *(kind for kinds, _ in found for kind in kinds)], [mark for _, marks in found for mark in marks]
    return [annotation], []


def _literal(kinds: list[Any]) -> str:
    words = [f"`{word}`" for kind in kinds for word in typing.get_args(kind)]
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else ""


def plain(value: Any, none: str = "") -> Any:
    """Return a value as YAML and JSON have it, `none` standing for None. Secrets are masked."""
    if value is None:
        return none or None
    if isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, SecretStr):
        return MASK
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, re.Pattern):
        return value.pattern
    if isinstance(value, OwnClient):
        return {"name": value.name, "url": value.url}
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        return {name_of(name, field): plain(getattr(value, name), _none(field)) for name, field in fields.items()}
    if isinstance(value, (list, tuple)):
        if value and all(isinstance(item, Rate) for item in value):
            return ", ".join(map(str, value))
        return [plain(item) for item in value]
    return str(value)


def _none(field: FieldInfo) -> str:
    return next((mark.none for mark in field.metadata if isinstance(mark, Words)), "")
