"""`manage.py export_ratings SLUG --format csv|jsonl|parquet --out FILE`: every answer of a test, one row each."""

from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import CommandParser

from listening_tests.choices import AuditedAction, PairRole
from listening_tests.exceptions import Refused
from listening_tests.management.explained_command import ExplainedCommand
from listening_tests.management.moments import moment
from listening_tests.management.progress import shown_progress
from listening_tests.models import ListeningTest
from listening_tests.services.audit import audit_note
from listening_tests.services.exports import FORMATS, answers_export
from listening_tests.wanted_answers import WantedAnswers


class Command(ExplainedCommand):
    help = "Writes every answer of a test to a file, one row each, with all that is known of it (docs/EXPORT.md)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="The test's address below /t/.")
        parser.add_argument("--format", required=True, choices=FORMATS)
        parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="Written over where it is there.")
        parser.add_argument("--question", default="", metavar="NAME", help="Answers to this question alone.")
        parser.add_argument("--role", default="", choices=PairRole.values, help="Of pairs of this role alone.")
        parser.add_argument("--rater", type=UUID, metavar="UUID", help="Of this rater alone, by the pseudonym.")
        parser.add_argument("--since", type=moment, metavar="TIME", help="That arrived at this time (UTC) or later.")
        parser.add_argument("--until", type=moment, metavar="TIME", help="That arrived before this time (UTC).")
        parser.add_argument("--without-excluded", action="store_true", help="That no rule leaves out.")

    def handle(self, *args: Any, **options: Any) -> None:
        test = ListeningTest.objects.filter(slug=options["slug"]).first()
        if test is None:
            raise Refused(f"There is no test {options['slug']}. The dashboard lists the tests that there are.")
        wanted = WantedAnswers(
            **{name: options[name] for name in ("question", "role", "rater", "since", "until")},
            with_excluded=not options["without_excluded"],
        )
        with shown_progress() as tell:
            summary = answers_export(
                test=test, file_format=options["format"], path=options["out"], wanted=wanted, on_progress=tell
            )
        self.stdout.write(str(summary))
        detail = f"{summary.answers:,} answers as {options['format']}: {wanted}"
        audit_note(user=None, test=test, action=AuditedAction.EXPORTED, detail=detail)
