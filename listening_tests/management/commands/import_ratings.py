"""`manage.py import_ratings FILE --layout NAME --test SLUG`: takes ratings from elsewhere into a test."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from listening_tests.choices import AuditedAction
from listening_tests.management.explained_command import ExplainedCommand
from listening_tests.management.progress import shown_progress
from listening_tests.rating_layouts import LAYOUTS
from listening_tests.services.audit import audit_note
from listening_tests.services.rating_imports import ratings_import


class Command(ExplainedCommand):
    help = (
        "Takes the ratings of a file into a test: all of them, or none where a row cannot be used. Layouts: relate "
        "and xacle (CSV of single ratings), earmark (what export_ratings wrote, by the ending of the file's name)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--layout", required=True, choices=sorted(LAYOUTS))
        parser.add_argument("--test", required=True, metavar="SLUG", help="The test's address below /t/.")
        parser.add_argument("--create", action="store_true", help="Make the test, as a draft, where there is none.")
        parser.add_argument("--audio", type=Path, metavar="DIR", help="A folder, or a zip, of the sounds.")

    def handle(self, *args: Any, **options: Any) -> None:
        with shown_progress() as tell:
            summary = ratings_import(
                path=options["file"],
                layout=options["layout"],
                slug=options["test"],
                create=options["create"],
                audio=options["audio"],
                on_progress=tell,
            )
        self.stdout.write(str(summary))
        audit_note(user=None, test=summary.test, action=AuditedAction.IMPORTED, detail=str(summary))
