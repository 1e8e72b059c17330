"""What pages read of a test's models: the models, what is in use, and what was put in use."""

from django.db.models import Max, Q, QuerySet

from listening_tests.models import ListeningTest
from worker.models import DatasetSnapshot, MeasuredModel, MetricName, ModelVersion, Promotion
from worker.withdrawn import with_withdrawals


def versions_of(*, test: ListeningTest) -> QuerySet[ModelVersion]:
    """The test's models, newest first, with their challenge, and `base_srcc` and `tuned_srcc` of their run."""
    rows = ModelVersion.objects.filter(run__test=test).select_related("run__snapshot", "challenge__champion__run")
    rows = with_withdrawals(rows, snapshot="run__snapshot__")
    return rows.annotate(base_srcc=_srcc(MeasuredModel.BASE), tuned_srcc=_srcc(MeasuredModel.TUNED)).order_by(
        "-created_at", "-id"
    )


def champions_of(*, test: ListeningTest) -> QuerySet[Promotion]:
    """What is in use for the test: the newest promotion of each question."""
    rows = Promotion.objects.filter(test=test).select_related("version__run", "promoted_by")
    return rows.order_by("question", "-id").distinct("question")


def champions_everywhere() -> QuerySet[Promotion]:
    """What is in use: the newest promotion of each question of each test."""
    rows = Promotion.objects.select_related("version__run__test")
    return rows.order_by("test_id", "question", "-id").distinct("test_id", "question")


def promotions_of(*, test: ListeningTest) -> QuerySet[Promotion]:
    """What was put in use for the test, the newest first."""
    return Promotion.objects.filter(test=test).select_related("version__run", "promoted_by")


def snapshot_with_runs(*, test: ListeningTest) -> QuerySet[DatasetSnapshot]:
    """The test's snapshots with their runs and what became of them; `withdrawn_words` takes them."""
    rows = DatasetSnapshot.objects.filter(test=test).select_related("heldout_set")
    return with_withdrawals(rows).prefetch_related("runs__model_version")


def _srcc(model: str) -> Max:
    return Max("run__metrics__value", filter=Q(run__metrics__model=model, run__metrics__name=MetricName.SRCC))
