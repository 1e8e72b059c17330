"""`python -m modeling evaluate`: models and anyone's predictions on the same held-out pairs, in one table."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from modeling import splits
from modeling.audio import AudioError
from modeling.breakdown import breakdown
from modeling.cache_place import open_cache
from modeling.calibration_curve import calibration_curve
from modeling.contamination import Contamination, contamination
from modeling.dataset import PairSet, pair_set
from modeling.ensemble import open_scorer
from modeling.evaluation import compare_predictions, comparison_counts, people, values_as_json
from modeling.kept_arrays import KeptArrays
from modeling.metrics import Floats, Predicted
from modeling.predictions import read_predictions
from modeling.provenance import read_provenance
from modeling.results import COSINE, SCORE, TrainingRefused
from modeling.scoring import Score
from modeling.snapshot import Snapshot, read_snapshot
from modeling.terminal import bar_shown, breakdown_lines, calibration_lines, people_lines, table_lines

# What `--model` and `--predictions` put into `options.judged`, in the order in which they are named.
MODEL, PREDICTIONS = "model", "predictions"
HEAD = "{model} is judged by the score of its head; the cosine beside it is that of untuned weights."


@dataclass(frozen=True)
class Judged:
    """A model, or a file of predictions; arrays have one entry per held-out pair. `score` stands beside a cosine.

    `judged` is what `predicted` holds, the "cosine" or the "score".
    """

    name: str
    note: str
    judged: str
    predicted: Predicted
    score: Floats | None
    contamination: Contamination


def evaluate(options: Namespace) -> tuple[dict[str, Any], str]:
    if not options.judged:
        raise TrainingRefused("Name what is to be measured: --model MODEL, --predictions FILE, or several of them.")
    snapshot = read_snapshot(options.snapshot)
    pairs = pair_set(snapshot, question=options.question)
    heldout = pairs.where(splits.HELDOUT)
    if len(heldout) < 2:
        raise TrainingRefused(
            f"The snapshot holds out {len(heldout)} pairs; at least 2 are needed to measure agreement."
        )
    cache = open_cache(options.cache)
    judged = [
        _model(named, pairs, snapshot, cache) if kind == MODEL else _predictions(named, pairs, snapshot, options.audio)
        for kind, named in options.judged
    ]
    found = _measured(pairs, judged)
    one_vs_rest, ceiling = people(pairs)
    report = {
        "question": pairs.question,
        "n_heldout": len(heldout),
        **{name: value for name, value in found[0].items() if name != "difference"},
        **{name: n for name, n in comparison_counts(pairs).items() if name != "n_train_comparisons"},
        "one_vs_rest_srcc": one_vs_rest.as_dict(),
        "ceiling_srcc": ceiling.as_dict(),
        "snapshot_sha256": snapshot.info.sha256,
        "models": found,
    }
    return report, "\n".join(_lines(report))


def _model(name: str, pairs: PairSet, snapshot: Snapshot, cache: KeptArrays) -> Judged:
    scorer = open_scorer(name, cache)
    called = scorer.name
    heldout = pairs.where(splits.HELDOUT).tolist()
    files = [snapshot.audio[pairs.clips[pairs.clip[number]]] for number in heldout]
    with bar_shown() as bar:
        task = bar.add_task("scoring", total=None)
        found = scorer.score_all(
            files,
            [pairs.captions[number] for number in heldout],
            lambda done, of: bar.update(task, completed=done, total=of),
        )
    heard = [_heard(score) for score in found]
    score = np.array([one.score for one in heard])
    seen = contamination(called, read_provenance(Path(name)), pairs, snapshot)
    if scorer.judged == SCORE:
        note = _sentences(scorer.note, HEAD.format(model=called), seen.note)
        return Judged(called, note, SCORE, Predicted.of_score(score), None, seen)
    predicted, calibrated = Predicted.of_cosine([one.cosine for one in heard]), heard[0].score_sd is not None
    return Judged(called, _sentences(scorer.note, seen.note), COSINE, predicted, score if calibrated else None, seen)


def _heard(score: Score | AudioError) -> Score:
    if isinstance(score, AudioError):
        raise TrainingRefused(f"A clip of the snapshot cannot be used: {score}") from score
    return score


def _predictions(named: str, pairs: PairSet, snapshot: Snapshot, audio: Path | None) -> Judged:
    name, is_named, path = named.partition("=")
    if not is_named or Path(named).exists():
        name, path = Path(named).name, named
    found = read_predictions(Path(path), pairs, snapshot, audio)
    seen = contamination(name, None, pairs, snapshot)
    return Judged(name, _sentences(found.note, seen.note), found.judged, found.predicted, found.score, seen)


def _measured(pairs: PairSet, judged: list[Judged]) -> list[dict[str, Any]]:
    """What is said of each; the difference is to the first, of which it is None."""
    everywhere = [_everywhere(pairs, one.predicted) for one in judged]
    values, differences = compare_predictions(pairs, everywhere)
    return [
        {
            "model": one.name,
            "note": one.note,
            "judged": one.judged,
            "agreement": values_as_json(values[place]),
            "difference": values_as_json(differences[place]) if place else None,
            **_scored(pairs, one),
            "breakdown": breakdown(pairs, everywhere[place], pairs.where(splits.HELDOUT)),
            "contamination": one.contamination.as_dict(),
        }
        for place, one in enumerate(judged)
    ]


def _scored(pairs: PairSet, one: Judged) -> dict[str, Any]:
    """Agreement and calibration of the score that stands beside a cosine; None where there is none."""
    if one.score is None:
        return {"score": None, "score_calibration": None}
    heldout = pairs.where(splits.HELDOUT)
    scored = _everywhere(pairs, Predicted.of_score(one.score))
    captions = [splits.fold_caption(pairs.captions[number]) for number in heldout.tolist()]
    return {
        "score": values_as_json(compare_predictions(pairs, [scored])[0][0]),
        "score_calibration": calibration_curve(one.score, pairs.human_mean[heldout], captions).as_dict(),
    }


def _everywhere(pairs: PairSet, predicted: Predicted) -> Predicted:
    """With an entry for every pair of the set, NaN for those that are not held out."""
    whole = []
    for said in (predicted.values, predicted.scores):
        filled = np.full(len(pairs.pairs), np.nan)
        filled[pairs.where(splits.HELDOUT)] = np.nan if said is None else said
        whole.append(filled)
    return Predicted(whole[0], None if predicted.scores is None else whole[1])


def _lines(report: dict[str, Any]) -> list[str]:
    models = report["models"]
    lines = [one["note"] for one in models if one["note"]] + [f"Question: {report['question']}."]
    for one in models:
        columns = {"agreement": one["agreement"]}
        columns |= {f"less {models[0]['model']}": one["difference"]} if one["difference"] else {}
        lines += [f"{one['model']} on {report['n_heldout']} held-out pairs:", *table_lines(columns)]
        if one["score"]:
            lines += ["  Its score instead of the cosine:", *table_lines({"score": one["score"]})]
            lines += calibration_lines("its score", one["score_calibration"])
        lines += breakdown_lines(one["breakdown"]) if one["breakdown"] else []
    return lines + people_lines(report)


def _sentences(*told: str) -> str:
    return " ".join(one for one in told if one)
