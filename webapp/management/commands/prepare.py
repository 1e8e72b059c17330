"""`manage.py prepare`: everything that must be there before Earmark is started."""

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from listening_tests.exceptions import Refused
from webapp.first_account import first_account_create
from webapp.static_files import static_files_collect


class Command(BaseCommand):
    help = "Prepares the database, the static files, the first account and, on the first run, the demo."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--no-demo", action="store_true", help="Leave the demo out.")

    def handle(self, *args: Any, **options: Any) -> None:
        settings.EARMARK_HOME.mkdir(parents=True, exist_ok=True)
        (settings.EARMARK_HOME / "logs").mkdir(exist_ok=True)
        self.stdout.write("Preparing the database.")
        call_command("migrate", interactive=False, verbosity=0)
        static_files_collect(settings.STATIC_ROOT)
        first_account_create(settings.EARMARK_HOME / "first_password")
        if not options["no_demo"]:
            self._make_demo_once()

    def _make_demo_once(self) -> None:
        # A mark of its own: a demo that was deleted does not come back, one that was interrupted does.
        mark = settings.EARMARK_HOME / "demo_was_made"
        if mark.exists():
            return
        self.stdout.write("Making the demo: generated sounds and simulated raters, about a minute.")
        try:
            call_command("demo", stdout=self.stdout, stderr=self.stderr)
        except (Refused, CommandError) as refusal:
            # A test of somebody's own has the demo's address: no reason not to start.
            self.stdout.write(f"There is no demo: {refusal}")
        mark.touch()
