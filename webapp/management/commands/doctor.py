"""`manage.py doctor`: what is wrong with this installation, and what to do about it."""

import json
import sys
from collections import Counter
from typing import Any

from django.core.management.base import CommandParser

from listening_tests.management.explained_command import ExplainedCommand
from webapp.doctor.checkup import checkup
from webapp.doctor.finding import Finding, Outcome


class Command(ExplainedCommand):
    help = (
        "Checks this installation from the machine that it runs on, and says what to mend. Ends with 1 where a check "
        "failed; what could not be checked is no failure."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print JSON alone.")

    def handle(self, **options: Any) -> None:
        findings: list[tuple[str, Finding]] = []
        for name, finding in checkup():
            findings.append((name, finding))
            if not options["json"]:
                self._tell(finding)
        counts = Counter(finding.outcome for _, finding in findings)
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(findings, counts)))
        else:
            told = ", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome)
            self.stdout.write(f"{len(findings)} checks: {told}.")
        if counts[Outcome.FAILED]:
            sys.exit(1)

    def _tell(self, finding: Finding) -> None:
        self.stdout.write(f"{finding.outcome:<17}{finding.told}")
        if finding.next_step:
            self.stdout.write(f"{'':<17}{finding.next_step}")
        # Some checks take a while.
        self.stdout.flush()


def _as_json(findings: list[tuple[str, Finding]], counts: Counter[Outcome]) -> dict[str, Any]:
    return {
        "passed": counts[Outcome.PASSED],
        "failed": counts[Outcome.FAILED],
        "unchecked": counts[Outcome.UNCHECKED],
        "checks": [
            {"check": name, "outcome": finding.outcome, "told": finding.told, "next": finding.next_step}
            for name, finding in findings
        ],
    }
