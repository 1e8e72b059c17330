"""`manage.py import_clips MANIFEST.csv --test SLUG`: takes pairs of sounds and captions into a test."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from listening_tests.choices import AuditedAction, TestKind, TestStatus
from listening_tests.management.explained_command import ExplainedCommand
from listening_tests.management.progress import shown_progress
from listening_tests.services.audit import audit_note
from listening_tests.services.manifests import manifest_import
from listening_tests.standard_questions import STANDARD_QUESTIONS


class Command(ExplainedCommand):
    help = (
        "Takes the pairs of a manifest into a test: all of them, or none where a row cannot be used. "
        "Columns: file,caption and, if wanted, system,source_id,role,language,expected_min,expected_max. "
        "Files lie in the manifest's folder or below it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("manifest", type=Path, metavar="MANIFEST.csv")
        parser.add_argument("--test", required=True, metavar="SLUG", help="The test's address below /t/.")
        parser.add_argument("--create", action="store_true", help="Make the test, as a draft, where there is none.")
        parser.add_argument(
            "--kind",
            choices=TestKind.values,
            help="What raters of the new test do: score one sound at a time (rating, the default), compare two of a "
            "caption (comparison), or score all of a caption (side_by_side).",
        )
        parser.add_argument(
            "--question",
            nargs="+",
            action="extend",
            default=[],
            metavar="NAME",
            help=f"What the new test asks; relevance by default. One or more of: {', '.join(STANDARD_QUESTIONS)}.",
        )
        parser.add_argument("--dry-run", action="store_true", help="Check everything, store nothing.")
        parser.add_argument("--allow-silent", action="store_true", help="Take silent clips too.")

    def handle(self, *args: Any, **options: Any) -> None:
        with shown_progress() as tell:
            summary = manifest_import(
                manifest=options["manifest"],
                slug=options["test"],
                create=options["create"],
                kind=options["kind"],
                questions=options["question"],
                dry_run=options["dry_run"],
                allow_silent=options["allow_silent"],
                on_progress=tell,
            )
        self.stdout.write(str(summary))
        if not summary.dry_run:
            audit_note(user=None, test=summary.test, action=AuditedAction.INGESTED, detail=str(summary))
        if not summary.dry_run and summary.test.status == TestStatus.DRAFT:
            self.stdout.write(f"The test is a draft. Let raters in with: manage.py open_test {summary.test.slug}")
