"""Computes the results of a question: the one place where answers' rows meet their statistics. Loads statsmodels."""

import logging
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db.models import Exists, OuterRef

from listening_tests.choices import PairRole, TestKind
from listening_tests.exceptions import Refused
from listening_tests.models import Caption, ListeningTest, Pair, Question, Rater
from modeling.bradley_terry import clip_strengths, strength_to_score
from modeling.comparisons import WON
from modeling.metrics import plain
from modeling.rater_agreement import item_statistics
from modeling.study_results import means, study
from modeling.study_results.answers import Scores, choices_of, scores_of
from worker import services_of_results as services
from worker.models import CaptionResult, ComputedResults, PairResult
from worker.results import answers_now
from worker.selectors import counted_study_comparisons, counted_study_ratings

logger = logging.getLogger(__name__)

Ints = npt.NDArray[np.int64]


def results_execute(*, results_id: int) -> None:
    """What the queue asks for. A second delivery finds nothing to claim."""
    results = services.results_claim(results_id=results_id)
    if results is None:
        logger.info("Results %d are not queued; there is nothing to do.", results_id)
        return
    try:
        _compute(results)
    except Exception as error:
        logger.exception("%s errored.", results)
        message = f"Computing stopped on a fault of Earmark ({type(error).__name__}). The worker's log tells more."
        services.results_fail(results_id=results.pk, message=message)


def results_compute(*, test: ListeningTest, question: Question) -> ComputedResults:
    """Computes here and now, without the queue, for whoever can wait.

    Raises `Refused` where nothing was answered, or where computing fails, with what the row says of it.
    """
    results, _ = services.results_request(test=test, question=question, enqueue=False)
    results_execute(results_id=results.pk)
    results.refresh_from_db()
    if results.message:
        raise Refused(results.message)
    return results


def _compute(results: ComputedResults) -> None:
    test, question = results.test, results.question
    # Before the answers: what comes while they are read counts as newer.
    read = answers_now(test=test, question=question)
    is_compared = test.kind == TestKind.COMPARISON
    found, pairs, captions = (_of_choices if is_compared else _of_scores)(results)
    summary = asdict(found) | {"scale": [question.scale_min, question.scale_max, question.scale_step]}
    services.results_store(results=results, read=read, summary=summary, pairs=pairs, captions=captions)


Found = tuple[study.StudyResults, list[PairResult], list[CaptionResult]]


def _of_scores(results: ComputedResults) -> Found:
    scores, pair_keys, caption_keys = _scores(results.test, results.question)
    found = study.results_of_scores(scores, step=results.question.scale_step)
    if not len(scores):
        return found, [], []
    by_pair, by_caption = means.pair_means(scores), means.caption_means(scores)
    spread = item_statistics(scores.pair, scores.score, np.ones(len(scores), dtype=np.bool_)).sd
    pairs = [
        PairResult(results=results, pair_id=int(key), sd=plain(spread[place]), **_columns(by_pair, place))
        for place, key in enumerate(pair_keys)
    ]
    n_pairs = np.bincount(scores.caption)
    captions = [
        CaptionResult(results=results, caption_id=int(key), n_pairs=int(n_pairs[place]), **_columns(by_caption, place))
        for place, key in enumerate(caption_keys)
    ]
    return found, pairs, captions


def _of_choices(results: ComputedResults) -> Found:
    captions, raters = _captions_in_order(results.test), _raters_in_order(results.test)
    counted = counted_study_comparisons(test=results.test, question=results.question).order_by("id")
    rows = list(
        counted.values_list(
            "first_id", "second_id", "first__system", "second__system", "choice", "rater_id", "trial__caption_id"
        )
    )
    columns = list(zip(*rows, strict=True)) or [()] * 7
    first, second, first_system, second_system, choice, rater, caption = columns
    won = np.array([WON[one] for one in choice], dtype=np.float64)
    choices = choices_of(
        first=first_system,
        second=second_system,
        won=won,
        rater=[raters[key] for key in rater],
        caption=[captions[key] for key in caption],
    )
    return study.results_of_choices(choices), _scored_clips(results, first, second, won, caption), []


def _scored_clips(
    results: ComputedResults, first: npt.ArrayLike, second: npt.ArrayLike, won: Any, caption: npt.ArrayLike
) -> list[PairResult]:
    """Bradley-Terry scores of the clips within their captions."""
    sides = np.concatenate([np.asarray(first, dtype=np.int64), np.asarray(second, dtype=np.int64)])
    keys, first_at, places = np.unique(sides, return_index=True, return_inverse=True)
    group = np.tile(np.asarray(caption, dtype=np.int64), 2)[first_at]
    n = len(won)
    scores = strength_to_score(clip_strengths(places[:n], places[n:], won, group))
    counts = np.bincount(places, minlength=len(keys))
    return [
        PairResult(results=results, pair_id=int(key), mean=float(score), n=int(count))
        for key, score, count in zip(keys, scores, counts, strict=True)
    ]


def _scores(test: ListeningTest, question: Question) -> tuple[Scores, Ints, Ints]:
    """Counted study ratings, and the keys of their pairs and captions by their numbers.

    Captions and raters are numbered by what they are and not by their keys, so that an export that is imported again
    gives the same intervals.
    """
    counted = counted_study_ratings(test=test, question=question)
    rows = counted.values_list("pair_id", "rater_id", "score").iterator(chunk_size=20_000)
    table = np.fromiter(rows, dtype=[("pair", np.int64), ("rater", np.int64), ("score", np.float64)])
    captions, raters = _captions_in_order(test), _raters_in_order(test)
    pairs = Pair.objects.filter(test=test, role=PairRole.STUDY).values_list("pk", "caption_id", "system").order_by("pk")
    described = list(pairs)
    keys = np.array([key for key, _, _ in described], dtype=np.int64)
    caption = np.array([captions[caption_id] for _, caption_id, _ in described], dtype=np.int64)
    system = np.array([system for _, _, system in described], dtype=np.str_)
    at = np.searchsorted(keys, table["pair"])
    scores, pair_keys, caption_numbers = scores_of(
        pair=table["pair"],
        rater=_renumbered(table["rater"], raters),
        score=table["score"],
        caption=caption[at],
        system=system[at],
        scale=(question.scale_min, question.scale_max),
    )
    by_number = {number: key for key, number in captions.items()}
    return scores, pair_keys, np.array([by_number[number] for number in caption_numbers.tolist()], dtype=np.int64)


def _captions_in_order(test: ListeningTest) -> dict[int, int]:
    """The number of each caption of the test, by its key."""
    of_test = Caption.objects.filter(Exists(Pair.objects.filter(test=test, caption=OuterRef("pk"))))
    ordered = of_test.order_by("text_sha256", "language").values_list("pk", flat=True)
    return {key: number for number, key in enumerate(ordered)}


def _raters_in_order(test: ListeningTest) -> dict[int, int]:
    """The number of each rater of the test's answers, by their key."""
    name = "comparisons" if test.kind == TestKind.COMPARISON else "ratings"
    answered = getattr(test, name).order_by().values("rater_id")
    ordered = Rater.objects.filter(pk__in=answered).order_by("uuid").values_list("pk", flat=True)
    return {key: number for number, key in enumerate(ordered)}


def _renumbered(keys: Ints, numbers: Mapping[int, int]) -> Ints:
    known, places = np.unique(keys, return_inverse=True)
    return np.array([numbers[key] for key in known.tolist()], dtype=np.int64)[places]


def _columns(found: means.Means, place: int) -> dict[str, Any]:
    return {
        "mean": float(found.mean[place]),
        "low": plain(found.low[place]),
        "high": plain(found.high[place]),
        "n": int(found.n[place]),
    }
