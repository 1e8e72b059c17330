"""`manage.py demo`: a test over generated sounds with simulated raters, ready to be rated and trained on."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from listening_tests.management.explained_command import ExplainedCommand
from listening_tests.management.progress import shown_progress
from worker.demo.making import N_CAPTIONS, demo_make


class Command(ExplainedCommand):
    help = "Makes the test “demo” over generated sounds, with simulated raters. A second call changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--captions", type=int, default=N_CAPTIONS, help=f"How many; four sounds each. {N_CAPTIONS} by default."
        )

    def handle(self, *, captions: int, **options: Any) -> None:
        if captions < 1:
            raise CommandError("--captions must be at least 1.")
        with shown_progress() as tell:
            demo = demo_make(n_captions=captions, on_progress=tell)
        if not demo.created:
            self.stdout.write(f"The demo is there already, at /t/{demo.test.slug}/; nothing was changed.")
            return
        self.stdout.write(
            f"Made “{demo.test.title}”: {demo.n_pairs} pairs with {demo.n_ratings} simulated ratings. "
            f"Rate it at /t/{demo.test.slug}/."
        )
