"""What the charts draw, as plain values for the page's JSON scripts; static/dashboard/charts.js draws it."""

from collections.abc import Sequence
from typing import Any

from django.urls import reverse

from listening_tests.choices import TestKind
from listening_tests.models import ListeningTest
from webapp.dashboard.phrases import KindWords
from worker.closer_looks import RaterLook
from worker.models import TrainingPoint
from worker.overviews import TestOverview
from worker.selectors import ScatterPoint


def answers_per_day(overview: TestOverview, words: KindWords) -> dict[str, Any]:
    return {
        "x_name": "Day (UTC)",
        "y_name": words.answers.capitalize(),
        "rows": [[f"{bar.day:%-d %b}", bar.n_answers] for bar in overview.answers_per_day],
    }


def items_by_answers(overview: TestOverview, words: KindWords) -> dict[str, Any]:
    return {
        "x_name": f"{words.answers_of_item.capitalize()} of a {words.item}",
        "y_name": f"{words.item}s".capitalize(),
        "rows": [[str(bar.n_answers), bar.n_items] for bar in overview.items_by_answers],
    }


def score_histogram(overview: TestOverview) -> dict[str, Any]:
    """Of a continuous scale the bins that its scores were counted in."""
    return {
        "x_name": "Score",
        "y_name": "Ratings",
        "rows": [
            [f"{bar.score:g}" if bar.upto is None else f"{bar.score:g} to {bar.upto:g}", bar.n_answers]
            for bar in overview.score_histogram
        ],
    }


def scale_use(look: RaterLook, kind: str) -> dict[str, Any]:
    """How one rater uses the scale, or how often they chose each place."""
    is_compared = kind == TestKind.COMPARISON
    return {
        "x_name": "Choice" if is_compared else "Score",
        "y_name": "Answers" if is_compared else "Ratings",
        "rows": [[bar.label, bar.n] for bar in look.scale_use] if look.answers else [],
    }


def choices(overview: TestOverview) -> dict[str, Any]:
    """How often the first sound, neither, and the second was chosen, whatever systems they came from."""
    return {
        "x_name": "Choice",
        "y_name": "Answers",
        "rows": [[bar.choice.label, bar.n_answers] for bar in overview.choices],
    }


def scatter(points: list[ScatterPoint]) -> dict[str, Any]:
    """Model against people, and what the player says of a point. Ids count the points from 1, as the table does."""
    return {
        "x_names": {"base": "Cosine of the untuned model (−1 to 1)", "tuned": "Cosine of the tuned model (−1 to 1)"},
        "y_name": "Mean score of people (0 to 10)",
        "points": [
            {
                "id": row,
                "base": point.base_cosine,
                "tuned": point.tuned_cosine,
                "human": point.human_mean,
                "ratings": point.n_ratings,
                "caption": point.caption,
                "audio": reverse("dashboard:clip_audio", args=[point.clip_uuid]) if point.has_audio else "",
            }
            for row, point in enumerate(points, start=1)
        ],
    }


def course(points: Sequence[TrainingPoint], test: ListeningTest) -> dict[str, Any]:
    """Loss and validation of a run over its steps; empty where nothing is measured, as of a head on frozen weights."""
    if not points:
        return {}
    is_compared = test.kind == TestKind.COMPARISON
    return {
        "x_name": "Steps of training",
        "loss_name": "Loss of the batch",
        "validation_name": "Agreement with validation choices" if is_compared else "SRCC on validation pairs",
        "loss": [[point.step, point.loss] for point in points if point.loss is not None],
        "validation": [[point.step, point.validation] for point in points if point.validation is not None],
    }
