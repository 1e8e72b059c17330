"""`manage.py train SLUG`: queues a training run, or with --wait carries it out in this very process."""

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandParser
from django.db import transaction

from listening_tests.choices import AuditedAction
from listening_tests.exceptions import Refused
from listening_tests.management.explained_command import ExplainedCommand
from listening_tests.management.progress import Tell, shown_progress
from listening_tests.models import ListeningTest
from listening_tests.services.audit import audit_note
from worker import services, stopping
from worker.hosts import host_name
from worker.management.slugs import test_by_slug
from worker.models import RunStatus, RunTrigger, TrainingRun
from worker.reports import run_report

if TYPE_CHECKING:
    from modeling.results import Progress


class Command(ExplainedCommand):
    help = "Tunes the model on a test's ratings. Exit status: 0 done, 1 failed or refused, 2 errored."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="The test's address, as in /t/<slug>/.")
        parser.add_argument("--preset", default="", help="Settings by name; by default the test's own.")
        parser.add_argument("--config", type=Path, help="A TOML or JSON file with settings that replace the preset's.")
        parser.add_argument(
            "--question", default="", help="The name of the question to train on; by default the plan's, or the first."
        )
        parser.add_argument("--wait", action="store_true", help="Train here and now; needs neither broker nor worker.")
        parser.add_argument("--json", action="store_true", help="Print JSON alone on the standard output.")

    def handle(self, *, slug: str, **options: Any) -> None:
        test = test_by_slug(slug)
        run = self._train_here(test, options) if options["wait"] else self._queue(test, options)
        self._tell(run, options["json"])

    def _queue(self, test: ListeningTest, options: dict[str, Any]) -> TrainingRun:
        run, created = services.run_request(**_request(test, options))
        _note(run, created)
        if not created:
            self.stderr.write(f"Run {run.uuid} of this test is {run.status} already; it keeps its own settings.")
        return run

    def _train_here(self, test: ListeningTest, options: dict[str, Any]) -> TrainingRun:
        # The one place outside the tasks that needs torch, and only where it trains.
        from worker.jobs import run_carry_out

        # Made and claimed in one transaction: no worker sees it in between.
        with transaction.atomic():
            run, created = services.run_request(**_request(test, options), enqueue=False)
            has_own_settings = bool(options["preset"] or options["config"] or options["question"])
            claimed = None if has_own_settings and not created else services.run_claim(run_id=run.pk, host=host_name())
        _note(run, created)
        if claimed is None:
            raise Refused(
                f"Run {run.uuid} of this test is {run.status} already. Wait for it to end or cancel it, then train."
            )
        with _ended_by_signals(), shown_progress() as tell:
            run_carry_out(run=claimed, on_progress=_training_display(tell), requeue_when_stopped=False)
        return TrainingRun.objects.get(pk=run.pk)

    def _tell(self, run: TrainingRun, as_json: bool) -> None:
        report = run_report(run=run)
        self.stdout.write(json.dumps(report) if as_json else _in_words(run, report))
        if run.status == RunStatus.ERRORED:
            self.stderr.write(f"{run.traceback}\n{run.message}")
            raise SystemExit(2)
        if run.status in {RunStatus.FAILED, RunStatus.CANCELLED}:
            raise Refused(run.message)
        if run.message:
            self.stderr.write(run.message)


def _note(run: TrainingRun, created: bool) -> None:
    if created:
        told = f"Run {run.uuid}, {run.question}"
        audit_note(user=None, test=run.test, action=AuditedAction.TRAINED, detail=told)


def _request(test: ListeningTest, options: dict[str, Any]) -> dict[str, Any]:
    return {
        "test": test,
        "trigger": RunTrigger.COMMAND,
        "preset": options["preset"],
        "config_file": options["config"],
        "question": options["question"],
    }


def _in_words(run: TrainingRun, report: dict[str, Any]) -> str:
    lines = [f"Run {run.uuid} of “{run.test}” is {run.status}."]
    if run.status == RunStatus.DONE:
        if run.test.is_simulated:
            lines.append("Its raters are simulated.")
        lines.append(f"{run.n_heldout} pairs held out, {run.n_train} trained on, {run.n_dropped} dropped.")
        lines += [_line(name, report[name]) for name in ("base", "tuned", "difference")]
    return "\n".join(lines)


def _line(name: str, values: dict[str, dict[str, float | None]]) -> str:
    return f"{name:12}" + "  ".join(f"{metric} {_interval(value)}" for metric, value in values.items())


def _interval(value: dict[str, float | None]) -> str:
    if value["value"] is None:
        return "undefined"
    if value["low"] is None or value["high"] is None:
        return f"{value['value']:.3f}"
    return f"{value['value']:.3f} ({value['low']:.3f} to {value['high']:.3f})"


def _training_display(tell: Tell) -> Callable[["Progress"], None]:
    """Shows a training's progress as one stage, for its steps are counted over the whole run; with the last loss."""

    def show(progress: "Progress") -> None:
        loss = "" if progress.loss is None else f", loss {progress.loss:.3f}"
        tell("Training", progress.step, progress.total_steps, f" ({progress.phase}{loss})")

    return show


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Ctrl-C and SIGTERM end the run after its current step, so that its row says what became of it."""
    stopping.stop_prepare()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, lambda *_: stopping.stop_request())
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        stopping.stop_prepare()
