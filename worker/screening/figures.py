"""What a screening would change of a question's numbers, now and then, side by side."""

from collections.abc import Callable, Iterator

import numpy as np
from django.db.models import Case, Exists, FloatField, OuterRef, Value, When

from listening_tests.choices import PairRole, TestKind
from listening_tests.models import Comparison, Exclusion, ListeningTest, Pair, Question, Withdrawal
from modeling import agreement, bradley_terry
from modeling.agreement import Ints
from modeling.comparisons import WON
from modeling.metrics import Floats
from modeling.rater_agreement import Bools
from modeling.screening.answers import STUDY
from worker.models import FigureName, ScreeningFigure
from worker.screening.bulk import Array, columns_of
from worker.screening.reading import RatersAnswers, answers_of

# Pairs that are simulated in all: 200 times 10,000 take two seconds.
SIMULATED = 2_000_000
# By name and system; nothing where it is undefined.
Numbers = dict[tuple[FigureName, str], float | None]


def figures_of(
    *, test: ListeningTest, question: Question, failing: Ints, read: RatersAnswers | None = None
) -> list[ScreeningFigure]:
    """Unsaved. `failing` are keys of raters. `read` are the question's answers where somebody has read them already."""
    if test.kind == TestKind.COMPARISON:
        now, then = _of_comparisons(test, question, failing)
    else:
        now, then = _of_ratings(test, read or answers_of(test=test, question=question), failing)
    return [
        ScreeningFigure(question=question, name=name, system=system, now=value, then=then.get((name, system)))
        for (name, system), value in now.items()
    ]


def _of_ratings(test: ListeningTest, read: RatersAnswers, failing: Ints) -> tuple[Numbers, Numbers]:
    answers = read.answers
    study = answers.role == STUDY
    rater = read.raters[answers.rater]
    pairs = columns_of(
        Pair.objects.filter(test=test).order_by("pk").values_list("pk", "system"), ("key", "system"), texts=["system"]
    )
    systems, number = np.unique(pairs["system"].astype(str), return_inverse=True)
    system = number[np.searchsorted(pairs["key"], answers.item)] if len(number) else answers.item

    def numbers(counted: Bools) -> Numbers:
        pair, score = answers.item[counted], answers.score[counted]
        told: Numbers = {
            (FigureName.RATERS, ""): float(len(np.unique(rater[counted]))),
            (FigureName.ANSWERS, ""): float(len(score)),
            (FigureName.ITEMS, ""): float(len(np.unique(pair))),
            (FigureName.ICC1, ""): agreement.icc1(pair, score),
            (FigureName.RELIABILITY, ""): agreement.reliability(pair, score),
            (FigureName.CEILING_SRCC, ""): _ceiling(pair, score),
            (FigureName.MEAN, ""): float(score.mean()) if len(score) else None,
        }
        for place, name in enumerate(systems):
            mine = counted & (system == place)
            if name and (study & (system == place)).any():
                told[FigureName.MEAN, str(name)] = float(answers.score[mine].mean()) if mine.any() else None
        return told

    now, then = _counted(read.key, rater, failing, "rating", test)
    return _both(numbers, study & now, study & then)


def _ceiling(pair: Ints, score: Floats) -> float | None:
    """As study_report tells it; of more than 10,000 pairs by fewer simulations, which differ by some .001 there."""
    simulations = max(1, min(agreement.N_SIMULATIONS, SIMULATED // max(1, len(np.unique(pair)))))
    return agreement.ceiling_srcc(pair, score, simulations=simulations).value


def _of_comparisons(test: ListeningTest, question: Question, failing: Ints) -> tuple[Numbers, Numbers]:
    withdrawn = Withdrawal.objects.filter(test=OuterRef("test"), rater=OuterRef("rater"))
    won = Case(*(When(choice=choice, then=Value(share)) for choice, share in WON.items()), output_field=FloatField())
    rows = columns_of(
        Comparison.objects.filter(~Exists(withdrawn), test=test, question=question, trial__role=PairRole.STUDY)
        .order_by("pk")
        .annotate(won=won)
        .values_list("pk", "rater_id", "trial_id", "trial__caption_id", "won", "first__system", "second__system"),
        ("key", "rater", "trial", "caption", "won", "first", "second"),
        texts=["first", "second"],
    )

    def numbers(counted: Bools) -> Numbers:
        chosen = {name: values[counted] for name, values in rows.items()}
        told: Numbers = {
            (FigureName.RATERS, ""): float(len(np.unique(chosen["rater"]))),
            (FigureName.ANSWERS, ""): float(len(chosen["key"])),
            (FigureName.ITEMS, ""): float(len(np.unique(chosen["trial"]))),
        }
        return told | dict(_strengths(chosen))

    now, then = _counted(rows["key"].astype(np.int64), rows["rater"].astype(np.int64), failing, "comparison", test)
    return _both(numbers, now, then)


def _both(numbers: Callable[[Bools], Numbers], now: Bools, then: Bools) -> tuple[Numbers, Numbers]:
    """Where the same answers count, the numbers, which may take a while, are computed once."""
    found = numbers(now)
    return found, found if (now == then).all() else numbers(then)


def _strengths(rows: dict[str, Array]) -> Iterator[tuple[tuple[FigureName, str], float | None]]:
    if not len(rows["key"]):
        return
    found = bradley_terry.system_strengths(
        [str(name) for name in rows["first"]],
        [str(name) for name in rows["second"]],
        rows["won"],
        rows["caption"].tolist(),
    )
    for each in found:
        if each.system:
            yield (FigureName.STRENGTH, each.system), each.score.value


def _counted(key: Ints, rater: Ints, failing: Ints, answer: str, test: ListeningTest) -> tuple[Bools, Bools]:
    """Which answers count now, and which would: then the screening in force would be gone."""
    rows = Exclusion.objects.filter(**{f"{answer}__test": test}).order_by()
    excluded = columns_of(rows.values_list(f"{answer}_id", "screening_id"), ("key", "screening"))
    by_others = excluded["key"][np.isnan(excluded["screening"])]
    now = ~np.isin(key, excluded["key"].astype(np.int64))
    return now, ~np.isin(key, by_others.astype(np.int64)) & ~np.isin(rater, failing)
