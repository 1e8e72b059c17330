"""Reads whose SQL is compiled once in a process, for what is asked with every request.

Django compiles a queryset anew each time it is used, which takes several times as long as PostgreSQL takes for a row.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache, cached_property
from typing import Any, TypeVar
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connection, models
from django.db.models import QuerySet

Row = TypeVar("Row", bound=models.Model)
# Values that no row has, by which the places of the real ones are found in the compiled SQL.
_STAND_INS: dict[type, Callable[[int], Any]] = {
    int: lambda number: 2**31 - 1 - number,
    str: lambda number: f"stand-in {number}",
    UUID: lambda number: UUID(int=number),
    datetime: lambda number: datetime(9999, 1, 1 + number, tzinfo=UTC),
}


class CompiledRead:
    """The rows of a `values_list` queryset. `make` is called once, with a stand-in of the given type for each value;
    every read gives the values themselves, of these types and not None.

    Raises TypeError, at the first read, for columns that Django converts after it has read them.
    """

    def __init__(self, make: Callable[..., QuerySet[Any, Any]], **types: type) -> None:
        self._make = make
        self._types = types

    def rows(self, **values: Any) -> list[tuple[Any, ...]]:
        if self._compiled is None:
            return []
        sql, parameters = self._compiled
        with connection.cursor() as cursor:
            cursor.execute(sql, [values[name] if name else constant for name, constant in parameters])
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows

    def first(self, **values: Any) -> tuple[Any, ...] | None:
        return next(iter(self.rows(**values)), None)

    @cached_property
    def _compiled(self) -> tuple[str, list[tuple[str, Any]]] | None:
        """SQL, and of each parameter its name or its constant; None where no row can ever be found."""
        stand_ins = {name: _STAND_INS[kind](number) for number, (name, kind) in enumerate(self._types.items())}
        compiler = self._make(**stand_ins).query.get_compiler(DEFAULT_DB_ALIAS)
        try:
            sql, parameters = compiler.as_sql()
        except EmptyResultSet:
            return None
        if compiler.get_converters([column for column, _, _ in compiler.select]):
            raise TypeError(f"Columns of this read are converted by Django: {sql}")
        names = {stand_in: name for name, stand_in in stand_ins.items()}
        return sql, [(names.get(parameter, ""), parameter) for parameter in parameters]


@cache
def columns_of(model: type[models.Model], path: str = "") -> tuple[str, ...]:
    """What `values_list` calls all columns of a model that lies at `path`, such as user__."""
    return tuple(f"{path}{field.attname}" for field in model._meta.concrete_fields)


def row_of(model: type[Row], values: Sequence[Any]) -> Row:
    """The model's row whose columns, in the order of `columns_of`, were read."""
    return model.from_db(DEFAULT_DB_ALIAS, columns_of(model), values)
