"""`manage.py write_snapshot SLUG OUT`: a test's answers as a directory that `python -m modeling` takes."""

import json
import shutil
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from listening_tests.exceptions import Refused
from listening_tests.management.explained_command import ExplainedCommand
from modeling.snapshot import SnapshotError
from worker.management.slugs import test_by_slug
from worker.models import DatasetSnapshot
from worker.selectors import question_named
from worker.snapshots import snapshot_create


class Command(ExplainedCommand):
    help = (
        "Freezes the answers to one question of a test, with the sounds, into a new directory, for python -m modeling "
        "and for Hugging Face datasets (docs/MODELING.md). What a rule leaves out is not in it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="The test's address, as in /t/<slug>/.")
        parser.add_argument("out", type=Path, metavar="OUT", help="The directory to make; it must not be there yet.")
        parser.add_argument("--question", default="", help="The name of a question; by default the test's first.")
        parser.add_argument("--json", action="store_true", help="Print JSON alone.")

    def handle(self, *, slug: str, out: Path, **options: Any) -> None:
        if out.exists():
            raise Refused(f"{out} is there already. A snapshot is written once; name another directory.")
        test = test_by_slug(slug)
        question = question_named(test=test, name=options["question"])
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            snapshot = snapshot_create(test=test, question=question)
            _copy(Path(settings.MEDIA_ROOT) / snapshot.directory, out)
        except SnapshotError as error:
            raise Refused(str(error)) from error
        except OSError as error:
            raise Refused(f"{out} cannot be written: {error.strerror or error}. Name a directory that can.") from error
        self.stdout.write(json.dumps(_counts(snapshot, out)) if options["json"] else _in_words(snapshot, out))


def _copy(source: Path, out: Path) -> None:
    """Beside its place and then into it, so that what is there is whole.

    Sounds are copied, not linked as in the platform's own snapshots: a tool that changes a file in place is at large
    out there.
    """
    draft = out.with_name(f".{out.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        shutil.copytree(source, draft)
        draft.rename(out)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _counts(snapshot: DatasetSnapshot, out: Path) -> dict[str, Any]:
    names = ("question", "n_ratings", "n_comparisons", "n_pairs", "n_raters", "sha256")
    return {"out": str(out)} | {name: getattr(snapshot, name) for name in names}


def _in_words(snapshot: DatasetSnapshot, out: Path) -> str:
    answers = f"{snapshot.n_ratings:,} ratings"
    if snapshot.n_comparisons:
        answers = f"{snapshot.n_comparisons:,} comparisons"
    return (
        f"{answers} of {snapshot.n_pairs:,} pairs by {snapshot.n_raters:,} raters, to the question "
        f"{snapshot.question}, are in {out}."
    )
