"""What a reader must know of the held-out pairs behind a figure: their version, how many, who looked, who knew them."""

from dataclasses import dataclass

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery

from listening_tests.models import ListeningTest
from modeling.challenge import LEAST_PAIRS
from modeling.heldout_size import pairs_for_difference, srcc_standard_error
from worker.models import (
    DatasetSnapshot,
    HeldoutSet,
    LookKind,
    MeasuredModel,
    Metric,
    MetricName,
    RunStatus,
    TrainingRun,
)

# So many comparisons in turn are what the proof equal_models simulates.
MANY_CHALLENGES = 20


@dataclass(frozen=True)
class HeldoutNotes:
    """`n_looks`: how often figures on this version became known, `n_challenges` of them by comparing models.

    `n_pairs` were measured, of `of_pairs` in the version; `n_waiting` wait for the next one. Figures from before there
    were versions have none. `base_says` is whether the base model says what it was trained on; None where none is
    meant.
    """

    question: str
    version: int | None
    sha256: str
    n_pairs: int
    of_pairs: int
    n_captions: int
    n_looks: int
    n_challenges: int
    n_waiting: int
    standard_error: float | None
    base_says: bool | None
    warnings: tuple[str, ...]


def heldout_notes_of_run(*, run: TrainingRun) -> HeldoutNotes | None:
    """Of the pairs that a finished run was measured on; None until it is done."""
    if run.status != RunStatus.DONE or run.n_heldout is None:
        return None
    snapshot = run.snapshot
    row = _counted(HeldoutSet.objects.filter(snapshots=snapshot)).first() if snapshot else None
    gain = Metric.objects.filter(run=run, model=MeasuredModel.DIFFERENCE, name=MetricName.SRCC).first()
    told = [_few_for(gain) if gain else "", run.base_seen]
    if row is None:
        return _notes(None, run.question, run.n_heldout, 0, told, run.base_says)
    return _notes(row, row.question, run.n_heldout, snapshot.n_waiting if snapshot else 0, told, run.base_says)


def heldout_notes_of_test(*, test: ListeningTest) -> list[HeldoutNotes]:
    """Of the newest version of each question that was trained on."""
    rows = HeldoutSet.objects.filter(test=test).order_by("question", "-version").distinct("question")
    newest = DatasetSnapshot.objects.filter(test=test, question=OuterRef("question")).order_by("-id")
    counted = _counted(HeldoutSet.objects.filter(pk__in=rows.values("pk"))).order_by("question")
    return [
        _notes(row, row.question, row.n_pairs, row.waiting or 0, [])
        for row in counted.annotate(waiting=Subquery(newest.values("n_waiting")[:1]))
    ]


def _counted(rows: QuerySet[HeldoutSet]) -> QuerySet[HeldoutSet]:
    return rows.annotate(n_looks=Count("looks"), n_challenges=Count("looks", filter=Q(looks__kind=LookKind.CHALLENGE)))


def _notes(
    row: HeldoutSet | None,
    question: str,
    n_pairs: int,
    n_waiting: int,
    told: list[str],
    base_says: bool | None = None,
) -> HeldoutNotes:
    n_looks, n_challenges = getattr(row, "n_looks", 0), getattr(row, "n_challenges", 0)
    told = [_too_few(n_pairs), *told, _often(n_challenges)]
    return HeldoutNotes(
        question=question,
        version=row.version if row else None,
        sha256=row.sha256 if row else "",
        n_pairs=n_pairs,
        of_pairs=row.n_pairs if row else n_pairs,
        n_captions=row.n_captions if row else 0,
        n_looks=n_looks,
        n_challenges=n_challenges,
        n_waiting=n_waiting,
        standard_error=srcc_standard_error(n_pairs),
        base_says=base_says,
        warnings=tuple(sentence for sentence in told if sentence),
    )


def _too_few(n_pairs: int) -> str:
    if n_pairs >= LEAST_PAIRS:
        return ""
    return (
        f"{n_pairs:,} held-out pairs are few: only on {LEAST_PAIRS} or more does a model take the place of the one in "
        "use by itself. Collect ratings for more captions; about one in five is held out."
    )


def _few_for(gain: Metric) -> str:
    """Where the interval says that a model is better or worse, but by less than twice the error of such an SRCC."""
    if gain.value is None or gain.low is None or gain.high is None or gain.low <= 0 <= gain.high:
        return ""
    error, needed = srcc_standard_error(gain.n), pairs_for_difference(gain.value)
    if error is None or needed is None or abs(gain.value) >= 2 * error:
        return ""
    return (
        f"{gain.n:,} held-out pairs are few for a difference of {abs(gain.value):.3f} in SRCC: over so many, an SRCC "
        f"near .5 has a standard error of {error:.3f}, and the difference is less than twice that. On other pairs it "
        f"may not show again; about {needed:,} would settle it."
    )


def _often(n_challenges: int) -> str:
    if n_challenges < MANY_CHALLENGES:
        return ""
    return (
        f"{n_challenges:,} models have been compared on these held-out pairs. The best of many owes part of its lead "
        "to chance: of 20 equal models in turn, one was put in use in about a quarter of simulated studies. Collect "
        "ratings for new captions and freeze a new version before a figure is cited."
    )
