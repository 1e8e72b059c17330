"""`manage.py study_report SLUG [--json]`: how much people agree, and so how well any model could do."""

import json
from typing import Any

from django.core.management.base import CommandParser

from listening_tests.management.explained_command import ExplainedCommand
from worker.management.slugs import test_by_slug
from worker.reports import study_report

LABELS = {
    "test": "Test",
    "pairs": "Study pairs",
    "rated_pairs": "  of them rated",
    "raters": "Raters",
    "ratings": "Ratings",
    "anchor_ratings": "Ratings of anchors",
    "excluded_raters": "Excluded raters",
    "excluded_ratings": "Excluded ratings",
    "icc1": "ICC(1,1)",
    "reliability": "Reliability of the means",
    "ceiling_srcc": "Ceiling (SRCC)",
    "one_vs_rest_srcc": "One person against the rest (SRCC)",
}


class Command(ExplainedCommand):
    help = "Tells what a test's ratings are worth: counts, agreement among people, and the ceiling for a model."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="The test's address, as in /t/<slug>/.")
        parser.add_argument("--json", action="store_true", help="Print JSON alone.")
        parser.add_argument("--question", default="", help="The name of a question; by default the test's first.")

    def handle(self, *, slug: str, **options: Any) -> None:
        test = test_by_slug(slug)
        report = study_report(test=test, question=options["question"]).as_dict()
        if options["json"]:
            self.stdout.write(json.dumps(report))
            return
        if test.is_simulated:
            self.stdout.write("The raters of this test are simulated.")
        for name, values in _parts(report).items():
            if name:
                self.stdout.write(f"\nQuestion “{name}”")
            for key, value in values.items():
                if key == "systems":
                    self._tell_systems(value)
                else:
                    self.stdout.write(f"{LABELS[key]:36} {_shown(value)}")

    def _tell_systems(self, systems: list[dict[str, Any]]) -> None:
        for found in systems:
            score = found["score"]
            interval = f" ({score['low']:.2f} to {score['high']:.2f})" if score["low"] is not None else ""
            self.stdout.write(
                f"  {found['system'] or 'no system named'}: preferred to an average system {_shown(score['value'])} "
                f"times in ten{interval}, by Bradley-Terry over {score['n']} comparisons"
            )


def _parts(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The numbers under the question's name; under none what stands before the questions, or all where there is one."""
    questions: dict[str, dict[str, Any]] = report.pop("questions", {})
    if not questions:
        return {"": report}
    first = next(iter(questions.values()))
    return {"": {key: value for key, value in report.items() if key not in first}, **questions}


def _shown(value: object) -> str:
    if value is None:
        return "undefined"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
