"""What PostgreSQL knows of the tables when it plans a query."""

from django.db import connection

from listening_tests.models import (
    Assignment,
    Caption,
    Clip,
    Comparison,
    Exclusion,
    Pair,
    Rater,
    Rating,
    Session,
    Trial,
    TrialPair,
)

# Which grow with clips and answers.
_GROWING = (Assignment, Caption, Clip, Comparison, Exclusion, Pair, Rater, Rating, Session, Trial, TrialPair)
_MANY = 1_000


def planner_inform(*, n_new: int) -> None:
    """Has the tables that grow counted anew, where `n_new` rows that came at once are many.

    PostgreSQL does so by itself, but a minute later, and not before a transaction's end. Until then it plans for the
    few rows that there were: a study report right after an import then takes minutes instead of a second.
    """
    if n_new < _MANY:
        return
    tables = ", ".join(connection.ops.quote_name(model._meta.db_table) for model in _GROWING)
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {tables}")
