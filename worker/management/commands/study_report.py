"""`manage.py study_report SLUG [--json]`: how much people agree, and so how well any model could do."""

import json
from dataclasses import asdict
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

    def handle(self, *, slug: str, **options: Any) -> None:
        test = test_by_slug(slug)
        report = asdict(study_report(test=test))
        if options["json"]:
            self.stdout.write(json.dumps(report))
            return
        if test.is_simulated:
            self.stdout.write("The raters of this test are simulated.")
        for key, value in report.items():
            self.stdout.write(f"{LABELS[key]:36} {_shown(value)}")


def _shown(value: object) -> str:
    if value is None:
        return "undefined"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
