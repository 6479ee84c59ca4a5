"""Statements that are written once and run often, the same on SQLite and on PostgreSQL.

A queryset is built and turned into SQL anew each time it runs, which costs several times what the database takes to do
it. Only what every join runs is written here instead. Values still pass Django's own fields both ways, so that nobody
sees which database it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, Model

Row = TypeVar("Row", bound=Model)
Converter = Callable[[Any, Any, Any], Any]

_LOCKS = {"for_update": " FOR UPDATE", "skip_locked": " FOR UPDATE SKIP LOCKED"}


@dataclass(frozen=True, slots=True)
class _Reader(Generic[Row]):
    """How a database's row becomes a model's."""

    model: type[Row]
    columns: str
    names: tuple[str, ...]
    converted: tuple[tuple[int, Any, tuple[Converter, ...]], ...]

    @classmethod
    def of(cls, model: type[Row], connection: BaseDatabaseWrapper) -> _Reader[Row]:
        """Ask the model for its columns, and Django for what each must pass through."""
        fields = model._meta.concrete_fields
        table = connection.ops.quote_name(model._meta.db_table)
        columns = ", ".join(f"{table}.{_quoted(field, connection)}" for field in fields)
        converted = []
        for index, field in enumerate(fields):
            column: Any = field.get_col(model._meta.db_table)
            converters = (*connection.ops.get_db_converters(column), *column.get_db_converters(connection))
            if converters:
                converted.append((index, column, converters))
        return cls(model, columns, tuple(field.attname for field in fields), tuple(converted))

    def read(self, row: tuple[Any, ...], connection: BaseDatabaseWrapper) -> Row:
        """Return it as the model's own."""
        values = list(row)
        for index, column, converters in self.converted:
            for convert in converters:
                values[index] = convert(values[index], column, connection)
        return self.model.from_db(connection.alias, self.names, values)


class Statement(Generic[Row]):
    """One statement about one table. `{table}` and `{columns}` in it are the model's, `%s` are parameters.

    `{for_update}` and `{skip_locked}` at the end of a SELECT lock its rows, the second those alone that nobody else has
    locked. On SQLite they are nothing: there a transaction that may write is alone.

    `then` reads what an UPDATE or INSERT changed, on an SQLite so old (before 3.35) that it cannot return it. Elsewhere
    `RETURNING {columns}` does it in one go.
    """

    def __init__(self, model: type[Row], sql: str, *, then: str = "") -> None:
        self._model, self._sql, self._then = model, sql, then
        self._prepared: dict[str, tuple[str, str, _Reader[Row]]] = {}

    def run(self, *parameters: Any) -> int:
        """Run it, and return how many rows it changed."""
        connection = connections[DEFAULT_DB_ALIAS]
        sql, _, _ = self._ready(connection)
        with connection.cursor() as cursor:
            cursor.execute(sql, _adapted(parameters, connection))
            return int(cursor.rowcount)

    def rows(self, *parameters: Any, then: tuple[Any, ...] = ()) -> list[Row]:
        """Run it, and return the rows that it finds, or (as they are now) those that it changed.

        `then` are the parameters of the statement that reads them where the first cannot return them.
        """
        connection = connections[DEFAULT_DB_ALIAS]
        sql, read, reader = self._ready(connection)
        changes = bool(read)
        with connection.cursor() as cursor:
            if changes and not connection.features.can_return_columns_from_insert:
                cursor.execute(sql, _adapted(parameters, connection))
                if not cursor.rowcount:
                    return []
                cursor.execute(read, _adapted(then, connection))
            else:
                cursor.execute(
                    f"{sql} RETURNING {reader.columns}" if changes else sql, _adapted(parameters, connection)
                )
            return [reader.read(row, connection) for row in cursor.fetchall()]

    def first(self, *parameters: Any, then: tuple[Any, ...] = ()) -> Row | None:
        """Return the first of `rows`, if there is one."""
        found = self.rows(*parameters, then=then)
        return found[0] if found else None

    def _ready(self, connection: BaseDatabaseWrapper) -> tuple[str, str, _Reader[Row]]:
        vendor = connection.vendor
        if vendor not in self._prepared:
            reader = _Reader.of(self._model, connection)
            table = connection.ops.quote_name(self._model._meta.db_table)
            locks = _LOCKS if connection.features.has_select_for_update else dict.fromkeys(_LOCKS, "")
            filled = (text.format(table=table, columns=reader.columns, **locks) for text in (self._sql, self._then))
            self._prepared[vendor] = (*filled, reader)  # type: ignore[assignment]
        return self._prepared[vendor]


class Insert(Generic[Row]):
    """Puts new rows of one model into its table. `or_leave`: where one stands in the way, nothing happens."""

    def __init__(self, model: type[Row], *, or_leave: bool = False) -> None:
        self._model, self._or_leave = model, or_leave
        self._prepared: dict[str, str] = {}
        self._fields = [field for field in model._meta.concrete_fields if not _is_made_by_database(field)]
        self._makes_key = len(self._fields) < len(model._meta.concrete_fields)

    def __call__(self, row: Row) -> bool:
        """Insert it; its key, where the database makes one, is on it afterwards. False: one stood in the way."""
        connection = connections[DEFAULT_DB_ALIAS]
        values = [field.get_db_prep_save(getattr(row, field.attname), connection) for field in self._fields]
        returns = self._makes_key and connection.features.can_return_columns_from_insert
        with connection.cursor() as cursor:
            cursor.execute(self._ready(connection), values)
            if not returns:
                is_new = cursor.rowcount > 0
                key = cursor.cursor.lastrowid if is_new and self._makes_key else None
            else:
                returned = cursor.fetchall()
                is_new, key = bool(returned), returned[0][0] if returned else None
        if key is not None:
            row.pk = key
        if is_new:
            row._state.adding, row._state.db = False, connection.alias
        return bool(is_new)

    def _ready(self, connection: BaseDatabaseWrapper) -> str:
        returns = connection.features.can_return_columns_from_insert
        kind = f"{connection.vendor} {returns}"
        if kind not in self._prepared:
            table = connection.ops.quote_name(self._model._meta.db_table)
            columns = ", ".join(_quoted(field, connection) for field in self._fields)
            sql = (
                f"INSERT INTO {table} ({columns}) "  # noqa: S608 - the model's own names
                f"VALUES ({', '.join(['%s'] * len(self._fields))})"
            )
            if self._or_leave:
                sql += " ON CONFLICT DO NOTHING"
            if self._makes_key and returns and self._model._meta.pk is not None:
                sql += f" RETURNING {_quoted(self._model._meta.pk, connection)}"
            self._prepared[kind] = sql
        return self._prepared[kind]


def _quoted(field: Field[Any, Any], connection: BaseDatabaseWrapper) -> str:
    return connection.ops.quote_name(str(field.column))


def _is_made_by_database(field: Field[Any, Any]) -> bool:
    return bool(field.primary_key and field.get_internal_type() in {"AutoField", "BigAutoField", "SmallAutoField"})


def _adapted(parameters: tuple[Any, ...], connection: BaseDatabaseWrapper) -> list[Any]:
    """Write moments as the database keeps them."""
    adapt = connection.ops.adapt_datetimefield_value
    return [adapt(value) if isinstance(value, datetime) else value for value in parameters]
