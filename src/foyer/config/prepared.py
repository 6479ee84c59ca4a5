"""Statements that are written once and run often, the same on SQLite and on PostgreSQL.

A queryset is built and turned into SQL anew each time it runs, which costs several times what the database takes to do
it. Only what every join runs is written here instead. Values still pass Django's own fields both ways, so that nobody
sees which database it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, Model

from foyer.config import driver

Row = TypeVar("Row", bound=Model)
Converter = Callable[[Any, Any, Any], Any]

# What these fields keep as it is, on either database.
_KEPT_AS_IT_IS: dict[str, type] = {
    "CharField": str,
    "TextField": str,
    "BooleanField": bool,
    "PositiveIntegerField": int,
    "ForeignKey": int,
}
_LOCKS = {"for_update": " FOR UPDATE", "skip_locked": " FOR UPDATE SKIP LOCKED"}


@dataclass(frozen=True, slots=True)
class _Reader(Generic[Row]):
    """How a database's row becomes a model's."""

    model: type[Row]
    columns: str
    names: tuple[str, ...]
    converted: tuple[tuple[int, Any, tuple[Converter, ...]], ...]

    @classmethod
    def of(cls, model: type[Row], connection: BaseDatabaseWrapper, wanted: tuple[str, ...] = ()) -> _Reader[Row]:
        """Ask the model for its columns (or those wanted), and Django for what each must pass through."""
        fields = [field for field in model._meta.concrete_fields if not wanted or field.attname in wanted]
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
    `RETURNING {columns}` does it in one go. `columns` are the only ones that are wanted, for `values`.
    """

    def __init__(self, model: type[Row], sql: str, *, then: str = "", columns: tuple[str, ...] = ()) -> None:
        self._model, self._sql, self._then, self._columns = model, sql, then, columns
        self._prepared: dict[tuple[str, bool], _Prepared[Row]] = {}

    def run(self, *parameters: Any) -> int:
        """Run it, and return how many rows it changed."""
        connection = connections[DEFAULT_DB_ALIAS]
        count, _, _ = self._ready(connection).plain.run(connection, _adapted(parameters, connection))
        return count

    def rows(self, *parameters: Any, then: tuple[Any, ...] = ()) -> list[Row]:
        """Run it, and return the rows that it finds, or (as they are now) those that it changed.

        `then` are the parameters of the statement that reads them where the first cannot return them.
        """
        connection = connections[DEFAULT_DB_ALIAS]
        ready = self._ready(connection)
        return [ready.reader.read(row, connection) for row in self._fetched(ready, connection, parameters, then)]

    def first(self, *parameters: Any, then: tuple[Any, ...] = ()) -> Row | None:
        """Return the first of `rows`, if there is one."""
        found = self.rows(*parameters, then=then)
        return found[0] if found else None

    def values(self, *parameters: Any, then: tuple[Any, ...] = ()) -> tuple[Any, ...] | None:
        """Return the first row as the database gives it: for numbers and text, which need no model."""
        connection = connections[DEFAULT_DB_ALIAS]
        found = self._fetched(self._ready(connection), connection, parameters, then)
        return found[0] if found else None

    def _fetched(
        self,
        ready: _Prepared[Row],
        connection: BaseDatabaseWrapper,
        parameters: tuple[Any, ...],
        then: tuple[Any, ...],
    ) -> driver.Rows:
        count, found, _ = ready.fetching.run(connection, _adapted(parameters, connection))
        if ready.afterwards is None or not count:
            return found
        return ready.afterwards.run(connection, _adapted(then, connection))[1]

    def _ready(self, connection: BaseDatabaseWrapper) -> _Prepared[Row]:
        can_return = connection.features.can_return_columns_from_insert
        kind = (connection.vendor, can_return)
        if kind not in self._prepared:
            reader = _Reader.of(self._model, connection, self._columns)
            table = connection.ops.quote_name(self._model._meta.db_table)
            locks = _LOCKS if connection.features.has_select_for_update else dict.fromkeys(_LOCKS, "")
            sql, then = (text.format(table=table, columns=reader.columns, **locks) for text in (self._sql, self._then))
            plain = driver.Statement(sql, returns=False)
            if not then:
                ready = _Prepared(reader, plain, driver.Statement(sql, returns=True), None)
            elif can_return:
                returning = driver.Statement(f"{sql} RETURNING {reader.columns}", returns=True)
                ready = _Prepared(reader, plain, returning, None)
            else:
                ready = _Prepared(reader, plain, plain, driver.Statement(then, returns=True))
            self._prepared[kind] = ready
        return self._prepared[kind]


@dataclass(frozen=True, slots=True)
class _Prepared(Generic[Row]):
    """A statement as one database runs it."""

    reader: _Reader[Row]
    plain: driver.Statement
    fetching: driver.Statement
    afterwards: driver.Statement | None
    """What reads the rows that `fetching` changed, where that cannot return them."""


class Insert(Generic[Row]):
    """Puts new rows of one model into its table. `or_leave`: where one stands in the way, nothing happens."""

    def __init__(self, model: type[Row], *, or_leave: bool = False) -> None:
        self._model, self._or_leave = model, or_leave
        self._prepared: dict[tuple[str, bool], driver.Statement] = {}
        self._fields = [field for field in model._meta.concrete_fields if not _is_made_by_database(field)]
        self._as_it_is = [_KEPT_AS_IT_IS.get(field.get_internal_type()) for field in self._fields]
        self._makes_key = len(self._fields) < len(model._meta.concrete_fields)

    def __call__(self, row: Row) -> bool:
        """Insert it; its key, where the database makes one, is on it afterwards. False: one stood in the way."""
        connection = connections[DEFAULT_DB_ALIAS]
        is_new, key = self._insert(connection, [getattr(row, field.attname) for field in self._fields])
        if key is not None:
            row.pk = key
        if is_new:
            row._state.adding, row._state.db = False, connection.alias
        return is_new

    def values(self, **given: Any) -> bool:
        """Insert a row of these values, and of the model's defaults for the rest. False: one stood in the way."""
        values = [
            given[field.attname] if field.attname in given else field.get_default()  # it may be a costly one
            for field in self._fields
        ]
        return self._insert(connections[DEFAULT_DB_ALIAS], values)[0]

    def _insert(self, connection: BaseDatabaseWrapper, values: list[Any]) -> tuple[bool, Any]:
        is_sqlite = connection.vendor == "sqlite"
        kept = [
            value
            if value is None or type(value) is as_it_is
            else _moment(value, is_sqlite)
            if type(value) is datetime and value.tzinfo is UTC
            else field.get_db_prep_save(value, connection)
            for field, value, as_it_is in zip(self._fields, values, self._as_it_is, strict=True)
        ]
        count, returned, key = self._ready(connection).run(connection, kept)
        if self._returns(connection):
            return bool(returned), returned[0][0] if returned else None
        return count > 0, key if count > 0 and self._makes_key else None

    def _returns(self, connection: BaseDatabaseWrapper) -> bool:
        return self._makes_key and connection.features.can_return_columns_from_insert

    def _ready(self, connection: BaseDatabaseWrapper) -> driver.Statement:
        returns = self._returns(connection)
        kind = (connection.vendor, returns)
        if kind not in self._prepared:
            table = connection.ops.quote_name(self._model._meta.db_table)
            columns = ", ".join(_quoted(field, connection) for field in self._fields)
            sql = (
                f"INSERT INTO {table} ({columns}) "  # noqa: S608 - the model's own names
                f"VALUES ({', '.join(['%s'] * len(self._fields))})"
            )
            if self._or_leave:
                sql += " ON CONFLICT DO NOTHING"
            if returns and self._model._meta.pk is not None:
                sql += f" RETURNING {_quoted(self._model._meta.pk, connection)}"
            self._prepared[kind] = driver.Statement(sql, returns=returns)
        return self._prepared[kind]


def _quoted(field: Field[Any, Any], connection: BaseDatabaseWrapper) -> str:
    return connection.ops.quote_name(str(field.column))


def _is_made_by_database(field: Field[Any, Any]) -> bool:
    return bool(field.primary_key and field.get_internal_type() in {"AutoField", "BigAutoField", "SmallAutoField"})


def _adapted(parameters: tuple[Any, ...], connection: BaseDatabaseWrapper) -> list[Any]:
    """Write moments, which are UTC, as the database keeps them."""
    is_sqlite = connection.vendor == "sqlite"
    return [_moment(value, is_sqlite) if isinstance(value, datetime) else value for value in parameters]


def _moment(value: datetime, is_sqlite: bool) -> datetime | str:
    """As Django's own fields do it, which look at time zones first."""
    return str(value.astimezone(UTC).replace(tzinfo=None)) if is_sqlite else value
