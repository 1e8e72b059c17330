"""`manage.py backup OUT`: the database and the files of this installation in a new folder, while raters rate."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from listening_tests.management.explained_command import ExplainedCommand
from listening_tests.services.archives import size_in_words
from webapp.backups.manifest import Manifest
from webapp.backups.writing import backup_write


class Command(ExplainedCommand):
    help = (
        "Writes a back-up of the database and of every file that cannot be made again to a new folder. It holds who "
        "the raters are and the secret key: keep it where nobody else reads it (docs/OPERATING.md)."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("out", type=Path, metavar="OUT", help="The folder to make; it must not be there yet.")
        parser.add_argument("--json", action="store_true", help="Print JSON alone: the manifest.")

    def handle(self, *, out: Path, **options: Any) -> None:
        manifest = backup_write(out=out)
        for name in [] if options["json"] else manifest.missing:
            self.stderr.write(f"media/{name} is named by a row, and was not there to be copied.")
        self.stdout.write(json.dumps(asdict(manifest)) if options["json"] else _in_words(manifest, out))


def _in_words(manifest: Manifest, out: Path) -> str:
    return (
        f"Backed up to {out}: {sum(manifest.tables.values()):,} rows of {len(manifest.tables)} tables and "
        f"{manifest.n_files:,} files ({size_in_words(manifest.n_bytes)}). Keep it on another machine."
    )
