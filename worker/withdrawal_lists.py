"""A test's withdrawals with the models that had used their ratings, and a new model without them at one press."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce

from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest, Withdrawal
from worker.models import ACTIVE_RUN_STATUSES, ModelVersion, RunStatus, RunTrigger, TrainingRun
from worker.services import run_request
from worker.withdrawn import MARGIN


@dataclass(frozen=True)
class Concern:
    """A withdrawal, and the models that were made with its ratings, the newest first."""

    withdrawal: Withdrawal
    models: list[ModelVersion]


@dataclass(frozen=True)
class QuestionState:
    """Where a question stands whose models hold ratings of who has withdrawn since.

    `newest` is its newest model with such ratings, `without` the run whose model is without any, `under_way` one that
    is on its way, with such ratings where `has_them`.
    """

    question: str
    newest: ModelVersion
    without: TrainingRun | None
    under_way: TrainingRun | None
    has_them: bool


def withdrawals_of(*, test: ListeningTest) -> QuerySet[Withdrawal]:
    """Newest first."""
    return Withdrawal.objects.filter(test=test).select_related("rater").order_by("-created_at", "-id")


def with_models(*, test: ListeningTest, withdrawals: Iterable[Withdrawal]) -> list[Concern]:
    """Each with the models concerned. One query for all of them."""
    models = list(_models(test))
    return [Concern(one, [model for model in models if _has_used(model, one)]) for one in withdrawals]


def questions_concerned(*, test: ListeningTest) -> list[QuestionState]:
    """Of each question with a model that had used ratings of who withdrew later."""
    rated = list(Withdrawal.objects.filter(test=test, n_ratings__gt=0, first_rated_at__isnull=False))
    concerned: dict[str, ModelVersion] = {}
    for model in _models(test):
        if any(_has_used(model, one) for one in rated):
            concerned.setdefault(model.run.question, model)
    if not concerned:
        return []
    last = max(one.created_at for one in rated)
    under_way = _under_way(test)
    return [
        QuestionState(name, model, _done_without(test, name, last), under_way, _is_before(under_way, last))
        for name, model in sorted(concerned.items())
    ]


def retrain_without_withdrawn(
    *, test: ListeningTest, question: str, user: AbstractBaseUser
) -> tuple[TrainingRun, bool]:
    """A run on the ratings that are left, and whether it was made by this call: a model without them, or a run that is
    on its way to one, is the answer too.

    Raises `Refused` where nobody who rated has withdrawn, or another run stands in the way.
    """
    last = Withdrawal.objects.filter(test=test, n_ratings__gt=0).order_by("-created_at").first()
    if last is None:
        raise Refused(f"Nobody who had rated has withdrawn from “{test.title}”; its models hold no such ratings.")
    done = _done_without(test, question, last.created_at)
    if done is not None:
        return done, False
    under_way = _under_way(test)
    if under_way is not None and (_is_before(under_way, last.created_at) or under_way.question != question):
        raise Refused(
            f"{under_way} is on its way on {_what_of(under_way, question)}. Press again when it has ended, or cancel "
            "it first."
        )
    return run_request(test=test, trigger=RunTrigger.PERSON, requested_by=user, question=question)


def _models(test: ListeningTest) -> QuerySet[ModelVersion]:
    rows = ModelVersion.objects.filter(run__test=test, run__snapshot__isnull=False)
    return rows.select_related("run__snapshot").order_by("-created_at", "-id")


def _has_used(model: ModelVersion, withdrawal: Withdrawal) -> bool:
    """As worker.withdrawn has it: had rated before the snapshot's end, and withdrew after its reading began."""
    snapshot = model.run.snapshot
    if snapshot is None or withdrawal.first_rated_at is None or not withdrawal.n_ratings:
        return False
    read_at = snapshot.read_at or snapshot.created_at
    return withdrawal.first_rated_at <= snapshot.created_at and withdrawal.created_at > read_at - MARGIN


def _done_without(test: ListeningTest, question: str, last: datetime) -> TrainingRun | None:
    done = TrainingRun.objects.filter(test=test, question=question, status=RunStatus.DONE)
    read = done.annotate(read_at=Coalesce(F("snapshot__read_at"), F("snapshot__created_at")))
    return read.filter(read_at__gte=last + MARGIN).order_by("-id").first()


def _under_way(test: ListeningTest) -> TrainingRun | None:
    return TrainingRun.objects.filter(test=test, status__in=ACTIVE_RUN_STATUSES).select_related("snapshot").first()


def _is_before(run: TrainingRun | None, last: datetime) -> bool:
    """Whether its ratings were read before the last of the withdrawals."""
    if run is None or run.snapshot is None:
        return False
    return (run.snapshot.read_at or run.snapshot.created_at) < last + MARGIN


def _what_of(run: TrainingRun, question: str) -> str:
    if run.question != question:
        return f"the question {run.question}"
    return "ratings that were read before the withdrawal"
