"""What pages, notices and the API read of screening beside listening_tests.screening: stored rows only."""

from datetime import datetime

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Greatest

from listening_tests.kinds import kind_of
from listening_tests.models import Comparison, ListeningTest, Rating, Screening
from worker.models import ScreeningAlarm, ScreeningFigure, ScreeningState


def screening_alarms(*, test: ListeningTest) -> list[ScreeningAlarm]:
    """Checks that are to be doubted. Each has a `sentence`, and `since` when it has been so."""
    return list(ScreeningAlarm.objects.filter(test=test))


def screening_state(*, test: ListeningTest) -> ScreeningState:
    """An unsaved one where nothing was ever computed."""
    return ScreeningState.objects.filter(test=test).first() or ScreeningState(test=test)


def is_out_of_date(*, state: ScreeningState) -> bool:
    """Whether answers have come in since the outcomes were computed, or were never looked at."""
    rows = kind_of(state.test).answers._default_manager.filter(test=state.test)
    return (rows.filter(submitted_at__gt=state.newest_answer_at) if state.newest_answer_at else rows).exists()


def screening_figures(*, test: ListeningTest) -> list[ScreeningFigure]:
    """What applying the outcomes would change, question by question."""
    return list(ScreeningFigure.objects.filter(state__test=test).select_related("question"))


def screenings_of(*, test: ListeningTest) -> QuerySet[Screening]:
    """Newest first."""
    return Screening.objects.filter(test=test).select_related("created_by", "undone_by")


def tests_to_compute() -> list[ListeningTest]:
    """Tests whose outcomes were asked for, or are older than an answer. One query, by indexes alone."""
    tests = ListeningTest.objects.select_related("screening_state").annotate(
        newest=Greatest(_newest(Rating), _newest(Comparison))
    )
    return [test for test in tests.order_by("id") if _is_due(test, test.newest)]


def _newest(answers: type[Rating] | type[Comparison]) -> Subquery:
    rows = answers._default_manager.filter(test=OuterRef("pk")).order_by("-submitted_at")
    return Subquery(rows.values("submitted_at")[:1])


def _is_due(test: ListeningTest, newest: datetime | None) -> bool:
    state: ScreeningState | None = getattr(test, "screening_state", None)
    if state is None or state.asked_at is not None:
        return state is not None or newest is not None
    return newest is not None and (state.newest_answer_at is None or newest > state.newest_answer_at)
