"""A scoring of pairs from its claim to its end. Loads torch.

Pairs go through the model in parts: of clips and captions seen, so many embeddings stay in memory and all on the disk,
where the cache keeps them within its limit. So each distinct one is embedded once, however long the list is, and a
scoring that was interrupted finds again what it had made.
"""

import csv
import logging
import os
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from listening_tests.answer_files.cells import neutral
from listening_tests.exceptions import Refused
from listening_tests.models import Clip
from modeling.cache_place import open_cache
from modeling.ensemble import EnsembleScorer, open_scorer
from modeling.loading import ModelError, quieten_transformers
from modeling.pair_table import COLUMNS_OUT
from modeling.provenance import caption_sha256, read_provenance
from modeling.results import TrainingRefused
from modeling.scoring import Score, Scorer
from worker.heartbeat import lost_connection_outlived
from worker.hosts import host_name
from worker.models import ModelScore, ScoringJob, ScoringKind, ScoringStatus
from worker.scoring.pair_lists import ListRefused, read_list
from worker.scoring.queueing import scored_pairs, scoring_enqueue
from worker.scoring.services import (
    ScoringStopped,
    list_path,
    scores_path,
    scoring_claim,
    scoring_end,
    scoring_finish,
    scoring_progress,
    scoring_release,
)
from worker.stopping import stop_requested

logger = logging.getLogger(__name__)

ROWS_AT_ONCE = 5_000
# A few hundred megabytes of those of a large model.
MOST_EMBEDDINGS = 50_000
PROGRESS_EVERY_S = 1.0


@dataclass(frozen=True)
class Row:
    """What is scored: the table's cell `file`, the caption, where the sound lies, its sha256; a pair's key or 0."""

    file: str
    caption: str
    path: Path
    sha256: str
    pair: int = 0


def scoring_execute(*, job_id: int) -> None:
    """What the queue asks for. A second delivery, or one cancelled while it waited, finds nothing to claim."""
    job = scoring_claim(job_id=job_id, host=host_name())
    if job is None:
        logger.info("Scoring %d is not queued; there is nothing to do.", job_id)
        return
    try:
        _carry_out(job)
    except ScoringStopped:
        _give_back(job)
    except (Refused, ModelError) as refusal:
        scoring_end(job=job, status=ScoringStatus.FAILED, message=str(refusal))
    except Exception as error:
        logger.exception("%s errored.", job)
        message = f"The scoring stopped on a fault of Earmark ({type(error).__name__}). Its traceback is kept with it."
        scoring_end(job=job, status=ScoringStatus.ERRORED, message=message, traceback=traceback.format_exc())
    except BaseException:
        _give_back(job)
        raise


def _give_back(job: ScoringJob) -> None:
    if scoring_release(job=job):
        scoring_enqueue(job=job)


def _carry_out(job: ScoringJob) -> None:
    reporter = _Reporter(job)
    rows = _rows_of_list(job) if job.kind == ScoringKind.LIST else _rows_of_pairs(job)
    scorer = _opened(job)
    scores: list[Score] = []
    for start in range(0, len(rows), ROWS_AT_ONCE):
        scorer.forget(beyond=MOST_EMBEDDINGS)
        scores += _scores(scorer, rows, start, reporter)
    reporter.tell("writing the table", len(rows), len(rows))
    _write(scores_path(job), rows, scores)
    stored = list(_model_scores(job, rows, scores)) if job.kind == ScoringKind.PAIRS else []
    scoring_finish(job=job, scores=stored, total=len(rows))


def _opened(job: ScoringJob) -> Scorer | EnsembleScorer:
    """Raises `ModelError`."""
    quieten_transformers()
    model = Path(settings.MEDIA_ROOT) / job.version.directory if job.version else job.base_model
    return open_scorer(model, open_cache(Path(settings.EARMARK_HOME) / "cache"))


def _rows_of_list(job: ScoringJob) -> list[Row]:
    """Raises `Refused` where a clip has gone since the list was sent."""
    with list_path(job).open("rb") as file:
        listed = read_list(file, test=job.test)
    clips = Clip.objects.in_bulk({row.clip for row in listed})
    found = (clips[row.clip] for row in listed)
    return [
        Row(row.file, row.caption, Path(clip.original.path), clip.sha256 or "")
        for row, clip in zip(listed, found, strict=True)
    ]


def _rows_of_pairs(job: ScoringJob) -> list[Row]:
    pairs = scored_pairs(test=job.test).select_related("clip", "caption").order_by("pk")
    return [
        Row(pair.clip.name, pair.caption.text, Path(pair.clip.original.path), pair.clip.sha256 or "", pair.pk)
        for pair in pairs.iterator(chunk_size=2_000)
    ]


def _scores(scorer: Scorer | EnsembleScorer, rows: Sequence[Row], start: int, reporter: "_Reporter") -> list[Score]:
    """Of a part of the rows. Raises `ListRefused` naming those whose sound cannot be heard."""
    part = rows[start : start + ROWS_AT_ONCE]

    def told(done: int, of: int) -> None:
        reporter("scoring", start + len(part) * done // of, len(rows))

    reporter("scoring", start, len(rows))
    found = scorer.score_all([row.path for row in part], [row.caption for row in part], told)
    problems = [
        f"row {start + place}, file: {str(score).replace(str(row.path), row.file)}"
        for place, (row, score) in enumerate(zip(part, found, strict=True), start=1)
        if not isinstance(score, Score)
    ]
    if problems:
        raise ListRefused("Some sounds cannot be scored, so none is.", problems)
    return [score for score in found if isinstance(score, Score)]


def _write(path: Path, rows: Sequence[Row], scores: Sequence[Score]) -> None:
    """The table, whole or not at all, for spreadsheets too: no cell of it is run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        with draft.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS_OUT)
            for row, score in zip(rows, scores, strict=True):
                sd = "" if score.score_sd is None else repr(score.score_sd)
                writer.writerow([neutral(row.file), neutral(row.caption), repr(score.cosine), repr(score.score), sd])
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _model_scores(job: ScoringJob, rows: Sequence[Row], scores: Sequence[Score]) -> Iterator[ModelScore]:
    clips, captions = _learned(job)
    for row, score in zip(rows, scores, strict=True):
        has_learned = None
        if clips is not None and captions is not None:
            has_learned = row.sha256 in clips or caption_sha256(row.caption) in captions
        yield ModelScore(
            version=job.version,
            pair_id=row.pair,
            cosine=score.cosine,
            score=score.score,
            score_sd=score.score_sd,
            has_learned=has_learned,
        )


def _learned(job: ScoringJob) -> tuple[frozenset[str], frozenset[str]] | tuple[None, None]:
    """What the model has learned from, or None where it does not say so in full."""
    assert job.version is not None  # noqa: S101 -- for the type checker: a constraint holds it
    try:
        provenance = read_provenance(Path(settings.MEDIA_ROOT) / job.version.directory)
    except TrainingRefused:
        provenance = None
    if provenance is None or not provenance.complete:
        return None, None
    return frozenset(provenance.clips), frozenset(provenance.captions)


class _Reporter:
    """Carries progress to the row, about once a second, and a wish to stop to the work."""

    def __init__(self, job: ScoringJob) -> None:
        self.job = job
        self.told_at = 0.0

    def __call__(self, phase: str, done: int, total: int) -> None:
        if time.monotonic() - self.told_at >= PROGRESS_EVERY_S:
            self.tell(phase, done, total)

    def tell(self, phase: str, done: int, total: int) -> None:
        if stop_requested():
            raise ScoringStopped
        is_ours = True
        with lost_connection_outlived():
            is_ours = scoring_progress(job=self.job, phase=phase, done=done, total=total)
        if not is_ours:
            raise ScoringStopped
        self.told_at = time.monotonic()
