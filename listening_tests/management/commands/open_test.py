"""`manage.py open_test SLUG`: lets raters into a test, past a short checklist."""

from typing import Any

from django.core.management.base import CommandParser

from listening_tests.choices import AuditedAction
from listening_tests.exceptions import Refused
from listening_tests.management.explained_command import ExplainedCommand
from listening_tests.models import ListeningTest
from listening_tests.services.audit import audit_note
from listening_tests.services.test_status import NotReady, test_open, test_shortcomings


class Command(ExplainedCommand):
    help = "Opens a test to raters once it has what they need, or says what is missing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="The test's address below /t/.")
        parser.add_argument("--force", action="store_true", help="Open it although something advised is missing.")

    def handle(self, *args: Any, **options: Any) -> None:
        slug = options["slug"]
        test = ListeningTest.objects.filter(slug=slug).first()
        if test is None:
            raise Refused(f"There is no test {slug}. Make it with import_clips --create, or in the admin.")
        was = test.status
        try:
            test = test_open(test=test, force=options["force"])
        except NotReady as not_ready:
            raise Refused(f"{not_ready}\n{_next_step(not_ready, slug)}") from not_ready
        if test.status != was:
            audit_note(user=None, test=test, action=AuditedAction.OPENED)
        for found in test_shortcomings(test=test):
            self.stderr.write(f"Open all the same: {found.sentence}")
        self.stdout.write(f"The test {slug} is open. Raters go to /t/{slug}/.")


def _next_step(not_ready: NotReady, slug: str) -> str:
    if not_ready.can_be_forced:
        return f"Mend this, or open the test as it is with: manage.py open_test {slug} --force"
    return f"Mend what is missing, then run again: manage.py open_test {slug}"
