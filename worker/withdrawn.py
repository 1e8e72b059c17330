"""Which snapshots hold ratings of raters who have withdrawn since, and so which models were made with them."""

from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db.models import Count, Exists, Max, Min, Model, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from listening_tests.models import Withdrawal
from worker.models import RunStatus, TrainingRun

# A withdrawal in the very moment in which a snapshot was read is told rather than missed.
MARGIN = timedelta(minutes=1)
Row = TypeVar("Row", bound=Model)


def with_withdrawals(rows: QuerySet[Row], *, snapshot: str = "") -> QuerySet[Row]:
    """The rows with what `withdrawn_words` needs to know of the snapshot that each leads to.

    `snapshot` is the way there, as in "run__snapshot__"; empty where the rows are snapshots.
    """
    marked: QuerySet[Row] = rows.annotate(
        n_withdrawn=_of_withdrawals(Count("pk"), snapshot),
        withdrawn_first=_of_withdrawals(Min("created_at"), snapshot),
        withdrawn_last=_of_withdrawals(Max("created_at"), snapshot),
    ).annotate(has_model_without=_has_model_without(snapshot))
    return marked


def withdrawn_words(row: Any) -> str:
    """Whose ratings a row of `with_withdrawals` should not have, and what to do; empty where there are none."""
    if not row.n_withdrawn:
        return ""
    raters = "1 rater" if row.n_withdrawn == 1 else f"{row.n_withdrawn:,} raters"
    when = _when(row.withdrawn_first, row.withdrawn_last)
    way_out = "A later model is without them." if row.has_model_without else "Retrain to have a model without them."
    return f"Ratings of {raters} who withdrew {when} were used here. {way_out}"


def _when(first: datetime, last: datetime) -> str:
    if first.date() == last.date():
        return f"on {first:%Y-%m-%d}"
    return f"between {first:%Y-%m-%d} and {last:%Y-%m-%d}"


def _of_withdrawals(measure: Count | Min | Max, snapshot: str) -> Subquery:
    """What `measure` finds over the raters who withdrew after the reading, and had rated before the snapshot's end."""
    read_at = Coalesce(OuterRef(f"{snapshot}read_at"), OuterRef(f"{snapshot}created_at"))
    used = Withdrawal.objects.filter(
        test=OuterRef(f"{snapshot}test"),
        n_ratings__gt=0,
        first_rated_at__lte=OuterRef(f"{snapshot}created_at"),
        created_at__gt=read_at - MARGIN,
    )
    return Subquery(used.order_by().values("test").annotate(found=measure).values("found"))


def _has_model_without(snapshot: str) -> Exists:
    """Whether a run of the same test and question was done on ratings read after the last of these withdrawals."""
    read_at = Coalesce("snapshot__read_at", "snapshot__created_at")
    later = TrainingRun.objects.filter(
        test=OuterRef(f"{snapshot}test"), snapshot__question=OuterRef(f"{snapshot}question"), status=RunStatus.DONE
    )
    return Exists(later.annotate(read_at=read_at).filter(read_at__gte=OuterRef("withdrawn_last") + MARGIN))
