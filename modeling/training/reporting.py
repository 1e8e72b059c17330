"""What a finished run says: its result, its note, its report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from modeling import splits
from modeling.breakdown import breakdown
from modeling.contamination import Contamination
from modeling.dataset import PairSet
from modeling.evaluation import compare_models, comparison_counts, people, values_as_json
from modeling.metrics import Floats, MetricValue, Predicted, compare_all, plain
from modeling.model import Clap
from modeling.results import COSINE, SCORE, PairPrediction, TrainingResult
from modeling.snapshot import Snapshot
from modeling.training.outcome import Outcome
from modeling.training.publishing import MODEL

KEPT = (
    "On the validation pairs no epoch agreed better with people than the untuned model, so its weights were kept. "
    "Collect {answers} for more captions."
)
HEAD = (
    "The weights are the base model's; what is judged is the score of a head ({policy}) on its embeddings. Plain "
    "transformers gives the untuned cosine; the score comes with Earmark."
)
COMPARED = (
    "Trained on the Bradley-Terry scores of {n_train_comparisons:,} paired comparisons and judged on "
    "{n_heldout_comparisons:,}, of which {n_heldout_ties:,} without a difference are left out of the agreement. SRCC, "
    "LCC, Kendall tau-b and MSE are against such scores of the held-out comparisons, which compare the sounds of one "
    "caption only. One person against the rest and a ceiling are not defined for comparisons."
)


def run_result(
    pairs: PairSet,
    outcome: Outcome,
    clap: Clap,
    out_dir: Path,
    seconds: float,
    seen: Contamination,
) -> TrainingResult:
    comparison = compare_models(pairs, outcome.base, outcome.tuned)
    one_vs_rest, ceiling = people(pairs)
    scores = outcome.calibration.score(outcome.tuned)
    counts = comparison_counts(pairs)
    spread = pairs.rating_sd()
    return TrainingResult(
        n_heldout=len(pairs.where(splits.HELDOUT)),
        n_train=len(pairs.where(splits.TRAIN)),
        n_validation=len(pairs.where(splits.VALIDATION)),
        n_dropped=len(pairs.where(splits.DROPPED)),
        base=comparison.base,
        tuned=comparison.tuned,
        difference=comparison.difference,
        one_vs_rest_srcc=one_vs_rest,
        ceiling_srcc=ceiling,
        predictions=tuple(
            PairPrediction(
                pair=pair,
                split=str(pairs.split[number]),
                human_mean=float(pairs.human_mean[number]),
                n_ratings=int(pairs.n_ratings[number]),
                base_cosine=float(outcome.base[number]),
                tuned_cosine=float(outcome.tuned[number]),
                tuned_score=float(scores[number]),
                rating_sd=plain(float(spread[number])),
            )
            for number, pair in enumerate(pairs.pairs)
        ),
        model_dir=out_dir / MODEL,
        model_name=clap.name,
        note=_note(pairs, clap, outcome),
        epochs_run=outcome.epochs_run,
        seconds=seconds,
        question=pairs.question,
        judged=COSINE if outcome.head is None else SCORE,
        tuned_score=measure_scores(pairs, scores),
        breakdown=breakdown(pairs, Predicted.of_cosine(outcome.tuned), pairs.where(splits.HELDOUT)),
        n_train_comparisons=counts["n_train_comparisons"],
        n_heldout_comparisons=counts["n_heldout_comparisons"],
        n_heldout_ties=counts["n_heldout_ties"],
        seen_known=seen.known,
        seen_note=seen.note,
    )


def measure_scores(pairs: PairSet, scores: Floats) -> dict[str, MetricValue]:
    """Agreement of scores on 0..10, one per pair of the set, with people's on the held-out pairs."""
    heldout = pairs.where(splits.HELDOUT)
    captions = [splits.fold_caption(pairs.captions[number]) for number in heldout]
    return compare_all([Predicted.of_score(scores[heldout])], pairs.human_mean[heldout], captions)[0][0]


def _note(pairs: PairSet, clap: Clap, outcome: Outcome) -> str:
    compared = pairs.comparisons is not None
    told = [clap.note] if clap.note else []
    told += [COMPARED.format(**comparison_counts(pairs))] if compared else []
    told += [HEAD.format(policy=outcome.head.policy)] if outcome.head else []
    told += [KEPT.format(answers="comparisons" if compared else "ratings")] if outcome.is_untuned else []
    return " ".join(told)


def report_json(result: TrainingResult, snapshot: Snapshot) -> dict[str, Any]:
    """The report as plain values: keys as in `manage.py train --json`, null where undefined."""
    return {
        "question": result.question,
        "n_heldout": result.n_heldout,
        "n_train": result.n_train,
        "n_validation": result.n_validation,
        "n_dropped": result.n_dropped,
        "n_train_comparisons": result.n_train_comparisons,
        "n_heldout_comparisons": result.n_heldout_comparisons,
        "n_heldout_ties": result.n_heldout_ties,
        "base": values_as_json(result.base),
        "tuned": values_as_json(result.tuned),
        "difference": values_as_json(result.difference),
        "judged": result.judged,
        "tuned_score": values_as_json(result.tuned_score),
        "breakdown": result.breakdown,
        "one_vs_rest_srcc": result.one_vs_rest_srcc.as_dict(),
        "ceiling_srcc": result.ceiling_srcc.as_dict(),
        "model": result.model_name,
        "note": result.note,
        "epochs_run": result.epochs_run,
        "seconds": result.seconds,
        "snapshot_sha256": snapshot.info.sha256,
    }
