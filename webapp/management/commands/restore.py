"""`manage.py restore FROM`: a back-up into an installation that is empty."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from listening_tests.management.explained_command import ExplainedCommand
from webapp.backups.restoring import backup_restore


class Command(ExplainedCommand):
    help = (
        "Restores a back-up into an empty database and an empty EARMARK_HOME, before Earmark is started there. Every "
        "byte is compared with what was written (docs/OPERATING.md)."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", type=Path, metavar="FROM", help="A folder that backup made.")

    def handle(self, *, source: Path, **options: Any) -> None:
        manifest = backup_restore(source=source)
        for name in manifest.missing:
            self.stderr.write(f"media/{name} was missing when the back-up was made.")
        self.stdout.write(
            f"Restored what was backed up at {manifest.created}: {sum(manifest.tables.values()):,} rows and "
            f"{manifest.n_files:,} files. Start Earmark; it brings the database up to its own version."
        )
