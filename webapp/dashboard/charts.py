"""What the charts draw, as plain values for the page's JSON scripts; static/dashboard/charts.js draws it."""

from typing import Any

from worker.overviews import TestOverview
from worker.selectors import UNMEASURED, MetricEstimate, RunMetrics, ScatterPoint


def ratings_per_day(overview: TestOverview) -> dict[str, Any]:
    return {
        "x_name": "Day (UTC)",
        "y_name": "Ratings",
        "rows": [[f"{bar.day:%-d %b}", bar.n_ratings] for bar in overview.ratings_per_day],
    }


def pairs_by_ratings(overview: TestOverview) -> dict[str, Any]:
    return {
        "x_name": "Ratings of a pair",
        "y_name": "Pairs",
        "rows": [[str(bar.n_ratings), bar.n_pairs] for bar in overview.pairs_by_ratings],
    }


def score_histogram(overview: TestOverview) -> dict[str, Any]:
    return {
        "x_name": "Score",
        "y_name": "Ratings",
        "rows": [[f"{bar.score:g}", bar.n_ratings] for bar in overview.score_histogram],
    }


def agreement(metrics: RunMetrics) -> dict[str, Any]:
    """Both models' SRCC between what one person and a perfect model would reach."""
    return {
        "x_name": "SRCC with people (no unit)",
        "one_person": _estimate("one person", metrics.one_vs_rest_srcc),
        "ceiling": _estimate("ceiling", metrics.ceiling_srcc),
        "base": _estimate("Untuned", metrics.base.get("srcc")),
        "tuned": _estimate("Tuned", metrics.tuned.get("srcc")),
    }


def scatter(points: list[ScatterPoint]) -> dict[str, Any]:
    """Model against people. A point's id is its row in the held-out table, counted from 1."""
    return {
        "x_names": {"base": "Cosine of the untuned model (−1 to 1)", "tuned": "Cosine of the tuned model (−1 to 1)"},
        "y_name": "Mean score of people (0 to 10)",
        "points": [
            {"id": row, "base": point.base_cosine, "tuned": point.tuned_cosine, "human": point.human_mean}
            for row, point in enumerate(points, start=1)
        ],
    }


def _estimate(label: str, estimate: MetricEstimate | None) -> dict[str, Any]:
    shown = estimate or UNMEASURED
    return {"label": label, "value": shown.value, "low": shown.low, "high": shown.high}
