"""Reports as JSON: the keys that pages' numbers name as their source, and that scripts rely on."""

from dataclasses import asdict
from typing import Any

from worker.models import LearningForecast, ModelVersion, Prediction, TrainingRun
from worker.run_reports import CurveRun, ReportOfRun, ReportOfTest, estimate_of, heldout_pairs
from worker.selectors import MetricEstimate, RunMetrics

SIDES = ("base", "champion", "tuned", "difference", "vs_champion")


def run_document(*, report: ReportOfRun) -> dict[str, Any]:
    """A run's report, all its held-out pairs included; null where a number is undefined or was not measured."""
    run = report.run
    return {
        **_identity(run),
        "metrics": metrics_document(report.metrics),
        "people": _people(report.metrics),
        "champion": model_document(report.champion),
        "parts": [
            {"part": line.part.value, "group": line.group}
            | {side: _estimates(getattr(line, side)) for side in ("base", "tuned", "difference")}
            for line in report.parts
        ],
        "calibration": _calibration(report),
        "wrong": {"n": report.n_wrong, "pairs": [_pair(row) for row in report.wrong]},
        "pairs": [_pair(row) for row in heldout_pairs(run=run).order_by("pair_id")],
    }


def test_document(*, report: ReportOfTest, runs: list[TrainingRun]) -> dict[str, Any]:
    """A question's report; `runs` are of `run_reports.finished_runs`."""
    metrics = report.newest_metrics
    return {
        "test": report.test.slug,
        "title": report.test.title,
        "question": report.question,
        "is_simulated": report.test.is_simulated,
        "champion": model_document(report.champion),
        "newest": {
            "run": str(report.newest.uuid),
            "metrics": metrics_document(metrics),
            "people": _people(metrics),
        }
        if report.newest and metrics
        else None,
        "runs": [_line(run) for run in runs],
        "learning_curve": _curve(report.forecast, report.curve_runs),
    }


def metrics_document(metrics: RunMetrics) -> dict[str, Any]:
    """By whose they are and by name; the champion's are empty where there was none."""
    return {side: _estimates(getattr(metrics, side)) for side in SIDES}


def model_document(version: ModelVersion | None) -> dict[str, str] | None:
    return {"weights_sha256": version.weights_sha256, "run": str(version.run.uuid)} if version else None


def _identity(run: TrainingRun) -> dict[str, Any]:
    snapshot = run.snapshot
    return {
        "run": str(run.uuid),
        "test": run.test.slug,
        "title": run.test.title,
        "question": run.question,
        "is_simulated": run.test.is_simulated,
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
        "preset": run.preset,
        "base_model": run.base_model,
        "code_version": run.code_version,
        "config": run.config,
        "note": run.message,
        "n_heldout": run.n_heldout,
        "n_train": run.n_train,
        "n_validation": run.n_validation,
        "n_dropped": run.n_dropped,
        "snapshot": {
            "sha256": snapshot.sha256,
            "n_ratings": snapshot.n_ratings,
            "n_comparisons": snapshot.n_comparisons,
            "n_pairs": snapshot.n_pairs,
            "n_raters": snapshot.n_raters,
            "n_waiting": snapshot.n_waiting,
        }
        if snapshot
        else None,
    }


def _people(metrics: RunMetrics) -> dict[str, Any]:
    sides = {"one_vs_rest_srcc": metrics.one_vs_rest_srcc, "ceiling_srcc": metrics.ceiling_srcc}
    return {name: asdict(value) if value else None for name, value in sides.items()}


def _estimates(values: dict[str, MetricEstimate]) -> dict[str, Any]:
    return {name: asdict(value) for name, value in values.items()}


def _calibration(report: ReportOfRun) -> dict[str, Any] | None:
    found = report.report
    if found is None or found.bias is None:
        return None
    lines = {
        name: {
            "value": getattr(found, name),
            "low": getattr(found, f"{name}_low"),
            "high": getattr(found, f"{name}_high"),
        }
        for name in ("slope", "intercept", "bias")
    }
    return lines | {
        "bins": [
            {"low": one.low_score, "high": one.high_score, "score": one.score}
            | {"human": {"value": one.human, "low": one.human_low, "high": one.human_high, "n": one.n}}
            for one in report.bins
        ]
    }


def _pair(row: Prediction) -> dict[str, Any]:
    return {
        "pair": str(row.pair.uuid),
        "clip_sha256": row.pair.clip.sha256,
        "caption": row.pair.caption.text,
        "system": row.pair.system,
        "human_mean": row.human_mean,
        "rating_sd": row.rating_sd,
        "n_ratings": row.n_ratings,
        "base_cosine": row.base_cosine,
        "tuned_cosine": row.tuned_cosine,
        "tuned_score": row.tuned_score,
        "certain_gap": row.certain_gap,
    }


def _line(run: TrainingRun) -> dict[str, Any]:
    report = getattr(run, "report", None)
    heldout_set = run.snapshot.heldout_set if run.snapshot else None
    return {
        "run": str(run.uuid),
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
        "preset": run.preset,
        "base_model": run.base_model,
        "n_ratings": run.snapshot.n_ratings + run.snapshot.n_comparisons if run.snapshot else None,
        "n_heldout": run.n_heldout,
        "heldout_version": heldout_set.version if heldout_set else None,
        "champion": model_document(report.champion if report else None),
        "srcc": {side: asdict(estimate_of(run, side)) for side in ("base", "tuned", "difference", "vs_champion")},
    }


def _curve(forecast: LearningForecast | None, runs: list[CurveRun]) -> dict[str, Any] | None:
    if forecast is None:
        return None
    told = {
        name: {
            "value": getattr(forecast, name),
            "low": getattr(forecast, f"{name}_low"),
            "high": getattr(forecast, f"{name}_high"),
        }
        for name in ("now", "then", "gain")
    }
    counts = {name: getattr(forecast, name) for name in ("n_runs", "n_sizes", "n_now", "n_more")}
    return (
        counts
        | told
        | {
            "runs": [{"run": str(one.uuid), "n_ratings": one.n_ratings, "srcc": asdict(one.srcc)} for one in runs],
            "line": [
                {"n_ratings": point.n_ratings, "srcc": {"value": point.srcc, "low": point.low, "high": point.high}}
                for point in forecast.points.all()
            ],
        }
    )
