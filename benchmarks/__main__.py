"""`python -m benchmarks [NAME ...]`: runs the named proofs, or all, each in a process and a home of its own."""

import os
import subprocess
import sys
import tempfile

from benchmarks.installation import FOREIGN

PROOFS = (
    "million_ratings",
    "raters_at_once",
    "full_speed",
    "thousand_raters",
    "network_cuts",
    "kills",
    "run_faults",
    "full_disk",
    "nightly_schedule",
    "backup_restore",
    "gap",
    "ingest",
    "whole_study",
    "demo_retrain",
    "api_schema",
    "score_api",
    "interval_coverage",
    "equal_models",
    "learning_curves",
    "laion_settings",
    "reproduce",
    "scoring_speed",
    "screening_rules",
    "bootstrap_speed",
    "recipe_table",
    "training_speed",
)


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in PROOFS]
    if unknown:
        sys.stderr.write(f"There is no proof called {unknown[0]!r}. Choose from: {', '.join(PROOFS)}.\n")
        return 1
    failed = [name for name in names or PROOFS if run(name)]
    if failed:
        sys.stderr.write(f"Failed: {', '.join(failed)}.\n")
    return 1 if failed else 0


def run(name: str) -> int:
    sys.stdout.write(f"\n== {name}\n")
    sys.stdout.flush()
    with tempfile.TemporaryDirectory(prefix="emp-") as home:
        ours = {name: value for name, value in os.environ.items() if name not in FOREIGN}
        environment = ours | {"EARMARK_HOME": f"{home}/h", "DJANGO_SETTINGS_MODULE": "webapp.settings"}
        command = [sys.executable, "-m", f"benchmarks.{name}"]
        return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603 -- our own words


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
