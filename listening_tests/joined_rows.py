"""Rows of joined tables, read by statements whose text is made once.

For what every rating waits for: there Django takes longer to write a query than PostgreSQL to answer it. Everywhere
else querysets are the better way.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Model

Value = int | float | str | bool | datetime | UUID | list[int] | None


class JoinedRows:
    """A SELECT of whole rows of `models`; in `statement` each is named by its model's name in lower case.

    `{columns}` in the statement stands for all their columns.
    """

    def __init__(self, models: tuple[type[Model], ...], statement: str) -> None:
        self._models = [(model, [field.attname for field in model._meta.concrete_fields]) for model in models]
        columns = ", ".join(
            f'"{model._meta.model_name}"."{field.column}"' for model in models for field in model._meta.concrete_fields
        )
        self._statement = statement.replace("{columns}", columns)

    def fetch(self, values: Mapping[str, Value]) -> list[tuple[Any, ...]]:
        """For each row an instance of each of the models, in their order."""
        with connection.cursor() as cursor:
            cursor.execute(self._statement, values)
            return [self._instances(row) for row in cursor.fetchall()]

    def _instances(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        instances, start = [], 0
        for model, names in self._models:
            stop = start + len(names)
            instances.append(model.from_db(connection.alias, names, row[start:stop]))
            start = stop
        return tuple(instances)


def insertion(model: type[Model], *, n_rows: int = 1) -> str:
    """`INSERT INTO table (columns) VALUES (placeholders), ...`, the keys left to the database; for inserted_values."""
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    places = ", ".join(
        "(" + ", ".join(f"%({field.attname}_{number})s" for field in fields) + ")" for number in range(n_rows)
    )
    return f'INSERT INTO "{model._meta.db_table}" ({columns}) VALUES {places}'  # noqa: S608 -- our own tables


def inserted_values(rows: Sequence[Model]) -> dict[str, Any]:
    return {
        f"{field.attname}_{number}": getattr(row, field.attname)
        for number, row in enumerate(rows)
        for field in row._meta.concrete_fields
        if not field.primary_key
    }
