"""Rows as JSON and back: by the fields of the models, so that no database's own forms are in a backup."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
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
    return json.dumps(row, default=_plain, ensure_ascii=False, separators=(",", ":")) + "\n"


def _plain(value: Any) -> Any:
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
    fields = {field.attname: field for field in columns(model)}
    if not isinstance(row, dict) or row.keys() != fields.keys():
        raise ValueError(f"not a row of {model._meta.db_table}")
    return {name: _of_field(fields[name], value) for name, value in row.items()}


def _of_field(field: models.Field[Any, Any], value: Any) -> Any:
    if value is None or isinstance(field, models.JSONField):
        return value
    if isinstance(field, models.BinaryField):
        return base64.b64decode(value)
    if isinstance(field, models.ForeignKey):
        return field.target_field.to_python(value)
    try:
        return field.to_python(value)
    except (ValidationError, TypeError) as error:
        raise ValueError(f"not a value of {field}") from error


def write(model: type[Model], rows: Iterable[dict[str, Any]], using: str) -> int:
    """Insert rows exactly as they are, without what a model does by itself when saved; return how many."""
    connection = connections[using]
    fields = columns(model)
    quote = connection.ops.quote_name
    names = ", ".join(quote(str(field.column)) for field in fields)
    marks = ", ".join("%s" for _ in fields)
    statement = f"INSERT INTO {quote(model._meta.db_table)} ({names}) VALUES ({marks})"  # noqa: S608 - our own names
    count = 0
    with connection.cursor() as cursor:
        for batch in _batches(rows):
            prepared = [[field.get_db_prep_save(row[field.attname], connection) for field in fields] for row in batch]
            cursor.executemany(statement, prepared)
            count += len(batch)
    return count


def _batches(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
