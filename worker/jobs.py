"""A training run from its claim to its end: the one place where rows, files and the model meet. Loads torch."""

import errno
import hashlib
import logging
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

from listening_tests.exceptions import Refused
from modeling import training
from modeling.cache_place import open_cache
from modeling.config import ConfigError
from modeling.loading import quieten_transformers
from modeling.metrics import MetricValue
from modeling.results import Progress, TrainingCancelled, TrainingRefused, TrainingResult
from modeling.snapshot import MANIFEST, SnapshotError
from worker import services
from worker.configuration import config_of_run
from worker.heartbeat import heartbeat
from worker.heldout import heldout_look
from worker.hosts import host_name
from worker.models import (
    DatasetSnapshot,
    LookKind,
    MeasuredModel,
    Metric,
    MetricName,
    ModelVersion,
    RunStatus,
    TrainingRun,
)
from worker.newcomers import newcomer_compare
from worker.report_measures import MeasuredReport, report_measured, report_store
from worker.run_checkpoints import checkpoints_bound
from worker.run_files import checkpoint_take_over, earlier_attempts_clear, run_directory
from worker.run_reporting import RunReporter
from worker.selectors import question_named
from worker.snapshots import snapshot_create

logger = logging.getLogger(__name__)

# A database that was killed is back sooner; what took hours to find waits for it.
STORING_PATIENCE_S = 300.0
STORING_PAUSE_S = 1.0
NO_DATABASE = (OperationalError, InterfaceError)
NO_SPACE = (
    "The disk of {machine} is full: what the run had found could not be written. Free some space there, then start the "
    "run again."
)
# What the researcher is told in the words of whoever refused.
EXPLAINED = (TrainingRefused, SnapshotError, ConfigError, Refused)


def run_execute(*, run_id: int) -> None:
    """What the queue asks for. A second delivery, or a run cancelled while it waited, finds nothing to claim."""
    run = services.run_claim(run_id=run_id, host=host_name())
    if run is None:
        logger.info("Run %d is not queued; there is nothing to do.", run_id)
        return
    run_carry_out(run=run)


def run_carry_out(
    *, run: TrainingRun, on_progress: Callable[[Progress], None] | None = None, requeue_when_stopped: bool = True
) -> None:
    """Trains a claimed run and leaves its row in a terminal status, or queued again where this worker is being stopped.

    *failed* is explained to the researcher in a sentence; *errored* is a fault of ours, its traceback kept.
    """
    with heartbeat(run=run):
        try:
            _store_patiently(run, _train(run, RunReporter(run, on_progress)))
        except TrainingCancelled:
            _end_stopped(run, requeue_when_stopped)
        except EXPLAINED as refusal:
            services.run_finish(run=run, status=RunStatus.FAILED, message=str(refusal))
        except NO_DATABASE:
            # No fault of the run's. Where the database does not answer now either, it is taken back when it does.
            logger.exception("%s has lost its database.", run)
            connection.close()
            services.run_give_up(run=run)
        except Exception as error:
            logger.exception("%s errored.", run)
            services.run_finish(
                run=run, status=RunStatus.ERRORED, message=_fault_in_words(error), traceback=traceback.format_exc()
            )
        except BaseException:
            _end_stopped(run, requeue_when_stopped)
            raise


def _train(run: TrainingRun, reporter: RunReporter) -> TrainingResult:
    config = config_of_run(run.config)
    if run.snapshot is None:
        question = question_named(test=run.test, name=run.question)
        run.snapshot = snapshot_create(test=run.test, question=question)
        if not services.run_snapshot_set(run=run):
            raise TrainingCancelled
    _require_unchanged(run.snapshot)
    directory = run_directory(run=run)
    directory.parent.mkdir(parents=True, exist_ok=True)
    checkpoint_take_over(run=run)
    checkpoints_bound(beginning=run)
    quieten_transformers()
    with reporter.watching():
        return training.train(
            config,
            Path(settings.MEDIA_ROOT) / run.snapshot.directory,
            directory,
            on_progress=reporter.on_progress,
            on_point=reporter.on_point,
            should_stop=reporter.should_stop,
            cache=open_cache(Path(settings.EARMARK_HOME) / "cache"),
        )


def _require_unchanged(snapshot: DatasetSnapshot) -> None:
    """Whether the manifest, which vouches for every other file, is the one that was written. Raises `SnapshotError`."""
    manifest = Path(settings.MEDIA_ROOT) / snapshot.directory / MANIFEST
    if not manifest.is_file() or _file_sha256(manifest) != snapshot.sha256:
        raise SnapshotError(
            f"{manifest} was changed since the snapshot was made, or is gone. Start a new run, which makes a new one."
        )


def _store_patiently(run: TrainingRun, result: TrainingResult) -> None:
    """Stores what the run found and compares its model, waiting for a database that is away.

    Raises `TrainingCancelled` where somebody ended the run, or took it back, meanwhile.
    """
    over = time.monotonic() + STORING_PATIENCE_S
    while True:
        try:
            version = _store(run, result, report_measured(run=run, result=result))
            break
        except NO_DATABASE as error:
            if time.monotonic() > over:
                raise
            logger.warning("The database did not answer; what %s found is stored when it does: %s", run, error)
            connection.close()
            time.sleep(STORING_PAUSE_S)
    earlier_attempts_clear(run=run)
    newcomer_compare(version=version)


@transaction.atomic
def _store(run: TrainingRun, result: TrainingResult, measured: MeasuredReport) -> ModelVersion:
    """All that the run found, or nothing; what was stored already, where only the answer was lost.

    Raises `TrainingCancelled` where somebody ended the run, or took it back, meanwhile.
    """
    row = TrainingRun.objects.select_for_update().get(pk=run.pk)
    if row.status == RunStatus.DONE and row.attempt == run.attempt:
        return row.model_version
    if row.status != RunStatus.RUNNING or row.attempt != run.attempt:
        raise TrainingCancelled
    Metric.objects.bulk_create(_metrics(row, result))
    report_store(measured=measured)
    version = ModelVersion.objects.create(
        run=row,
        directory=str(result.model_dir.relative_to(settings.MEDIA_ROOT)),
        weights_sha256=_file_sha256(result.model_dir / "model.safetensors"),
        size_bytes=sum(path.stat().st_size for path in result.model_dir.rglob("*") if path.is_file()),
    )
    row.status = RunStatus.DONE
    row.finished_at = timezone.now()
    row.message = result.note
    row.base_model = result.model_name[:200]
    row.base_says, row.base_seen = result.seen_known, result.seen_note
    row.n_heldout, row.n_train = result.n_heldout, result.n_train
    row.n_validation, row.n_dropped = result.n_validation, result.n_dropped
    row.step, row.seconds_left = row.total_steps, None
    row.save()
    heldout_look(heldout_set=row.snapshot.heldout_set if row.snapshot else None, kind=LookKind.RUN)
    return version


def _metrics(run: TrainingRun, result: TrainingResult) -> list[Metric]:
    found: dict[str, Mapping[str, MetricValue]] = {
        MeasuredModel.BASE: result.base,
        MeasuredModel.TUNED: result.tuned,
        MeasuredModel.DIFFERENCE: result.difference,
        MeasuredModel.ONE_VS_REST: {MetricName.SRCC: result.one_vs_rest_srcc},
        MeasuredModel.CEILING: {MetricName.SRCC: result.ceiling_srcc},
    }
    return [
        Metric(run=run, model=model, name=name, value=value.value, low=value.low, high=value.high, n=value.n)
        for model, values in found.items()
        for name, value in values.items()
    ]


def _end_stopped(run: TrainingRun, requeue: bool) -> None:
    """The run's end where it was cancelled; its return to the queue, to be resumed, where only its worker goes."""
    if requeue and services.run_release(run=run):
        services.run_enqueue(run=run)
        return
    services.run_end_cancelled(run=run)


def _fault_in_words(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return NO_SPACE.format(machine=host_name().rpartition(":")[0])
    return f"The run stopped on a fault of Earmark ({type(error).__name__}). Its traceback is kept with it."


def _file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
