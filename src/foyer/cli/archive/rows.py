"""Rows as JSON and back: by the fields of the models, so that no database's own forms are in a backup."""

from __future__ import annotations

import base64
import functools
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.apps.registry import Apps
from django.core.exceptions import ValidationError
from django.db import connections, models
from django.db.models import Model

BATCH = 1000


def tables(apps: Apps) -> dict[str, type[Model]]:
    """Return every table that Foyer keeps, by name, in the order of the names."""
    found = {model._meta.db_table: model for model in apps.get_models(include_auto_created=True) if _is_kept(model)}
    return dict(sorted(found.items()))


def _is_kept(model: type[Model]) -> bool:
    return model._meta.managed and not model._meta.proxy and not model._meta.swapped


def columns(model: type[Model]) -> list[models.Field[Any, Any]]:
    """Return the fields that are columns of their own."""
    return [field for field in model._meta.local_concrete_fields if not getattr(field, "generated", False)]


def read(model: type[Model], using: str) -> Iterator[dict[str, Any]]:
    """Yield every row as a plain dictionary, a few at a time, in the order of the primary key."""
    names = [field.attname for field in columns(model)]
    rows = model._base_manager.using(using).order_by("pk").values_list(*names)
    for row in rows.iterator(chunk_size=BATCH):
        yield dict(zip(names, row, strict=True))


def as_line(row: dict[str, Any]) -> str:
    """Return a row as one line of JSON."""
    return json.dumps(row, default=plain, ensure_ascii=False, separators=(",", ":")) + "\n"


def plain(value: Any) -> Any:
    """Return what JSON has for a value that it does not have itself."""
    if isinstance(value, datetime | date | time):
        return value.isoformat()  # whole, to the microsecond
    if isinstance(value, Decimal | UUID):
        return str(value)
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(bytes(value)).decode()
    raise TypeError(f"no JSON for {type(value)}")


def from_line(model: type[Model], line: str | bytes) -> dict[str, Any]:
    """Return the row of a line of JSON, each value as its field has it.

    Raises:
        ValueError: it is not a row of this table.
    """
    row = json.loads(line)
    readers = _readers(model)
    if not isinstance(row, dict) or row.keys() != readers.keys():
        raise ValueError(f"not a row of {model._meta.db_table}")
    try:
        return {name: None if row[name] is None else read(row[name]) for name, read in readers.items()}
    except (ValidationError, TypeError) as error:
        raise ValueError(f"not a row of {model._meta.db_table}") from error


@functools.cache
def _readers(model: type[Model]) -> dict[str, Callable[[Any], Any]]:
    return {field.attname: _reader(field) for field in columns(model)}


def _reader(field: models.Field[Any, Any]) -> Callable[[Any], Any]:
    if isinstance(field, models.ForeignKey):
        return _reader(field.target_field)
    if isinstance(field, models.JSONField):
        return lambda value: value
    if isinstance(field, models.BinaryField):
        return base64.b64decode
    if isinstance(field, models.DateTimeField):
        return datetime.fromisoformat
    plain = _plain_type(field)
    return field.to_python if plain is None else functools.partial(_exactly, plain)


def _plain_type(field: models.Field[Any, Any]) -> type | None:
    """Return the type that JSON and both databases have alike; for a million rows the fields' own ways take minutes."""
    if isinstance(field, models.ForeignKey):
        return _plain_type(field.target_field)
    kind = field.get_internal_type()
    if kind in {"CharField", "TextField", "SlugField"}:
        return str
    return int if isinstance(field, models.IntegerField) else bool if kind == "BooleanField" else None


def _exactly(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise ValueError(f"{kind.__name__} is meant")
    return value


def write(model: type[Model], rows: Iterable[dict[str, Any]], using: str) -> int:
    """Insert rows exactly as they are, without what a model does by itself when saved; return how many."""
    connection = connections[using]
    fields = columns(model)
    quote = connection.ops.quote_name
    names = ", ".join(quote(str(field.column)) for field in fields)
    marks = ", ".join("%s" for _ in fields)
    statement = f"INSERT INTO {quote(model._meta.db_table)} ({names}) VALUES ({marks})"  # noqa: S608 - our own names
    writers = [
        (field.attname, _as_it_is if _plain_type(field) else functools.partial(_prepare, field, connection))
        for field in fields
    ]
    count = 0
    with connection.cursor() as cursor:
        for batch in _batches(rows):
            prepared = [[write(row[name]) for name, write in writers] for row in batch]
            cursor.executemany(statement, prepared)
            count += len(batch)
    return count


def _as_it_is(value: Any) -> Any:
    return value


def _prepare(field: models.Field[Any, Any], connection: Any, value: Any) -> Any:
    return field.get_db_prep_save(value, connection)


def _batches(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
