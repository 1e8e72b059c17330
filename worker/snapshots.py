"""Freezes a test's ratings into a snapshot directory: the one thing that training sees."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from listening_tests.models import Clip, ListeningTest, Rating
from modeling.snapshot import RatingRow, write_snapshot
from worker.models import DatasetSnapshot
from worker.selectors import first_question, is_excluded

_ROWS_AT_ONCE = 5000


def snapshot_create(*, test: ListeningTest) -> DatasetSnapshot:
    """Writes the ratings to the test's first question, of every role, without those that a rule leaves out.

    The split's salt is the test's uuid, so that a held-out caption stays held out as ratings grow. Raises
    `modeling.snapshot.SnapshotError`; then there is neither a directory nor a row.
    """
    snapshot = DatasetSnapshot(test=test)
    snapshot.directory = f"snapshots/{snapshot.uuid}"
    question = first_question(test=test)
    info = write_snapshot(
        Path(settings.MEDIA_ROOT) / snapshot.directory,
        test=test.slug,
        ratings=_rating_rows(test),
        audio=_originals(test),
        scale_min=question.scale_min,
        scale_max=question.scale_max,
        salt=str(test.uuid),
        created=timezone.now(),
    )
    snapshot.sha256 = info.sha256
    snapshot.n_ratings, snapshot.n_pairs, snapshot.n_raters = info.n_ratings, info.n_pairs, info.n_raters
    snapshot.save()
    return snapshot


def pseudonym(*, test: ListeningTest, rater_uuid: UUID) -> str:
    """What a rater is called in every snapshot of a test: the same each time, another in another test.

    A rater's uuid has 122 random bits, so that nobody finds it back from its hash.
    """
    return hashlib.sha256(f"{test.uuid}:{rater_uuid}".encode()).hexdigest()[:20]


def _rating_rows(test: ListeningTest) -> Iterator[RatingRow]:
    """The ratings in the order in which they were stored. What rows share is held once: captions are long."""
    question = first_question(test=test)
    rows = (
        Rating.objects.filter(~is_excluded(), test=test, question=question)
        .select_related("pair__clip", "pair__caption", "rater")
        .order_by("id")
    )
    shared: dict[str, str] = {}
    for rating in rows.iterator(chunk_size=_ROWS_AT_ONCE):
        pair = rating.pair
        row = RatingRow(
            rating=str(rating.uuid),
            rater=pseudonym(test=test, rater_uuid=rating.rater.uuid),
            pair=str(pair.uuid),
            clip_sha256=pair.clip.sha256,
            caption=pair.caption.text,
            source_id=pair.source_id or None,
            system=pair.system or None,
            role=pair.role,
            question=question.name,
            score=rating.score,
            scale_min=rating.scale_min,
            scale_max=rating.scale_max,
        )
        yield _with_shared_texts(row, shared)


def _with_shared_texts(row: RatingRow, shared: dict[str, str]) -> RatingRow:
    for name in ("rater", "pair", "clip_sha256", "caption", "source_id", "system", "role"):
        value = getattr(row, name)
        if value is not None:
            # The row is ours alone until it is yielded.
            object.__setattr__(row, name, shared.setdefault(value, value))
    return row


def _originals(test: ListeningTest) -> dict[str, Path]:
    """The file that the model hears, by the clip's sha256."""
    clips = Clip.objects.filter(pairs__test=test, sha256__isnull=False).distinct()
    return {clip.sha256: Path(clip.original.path) for clip in clips.iterator(chunk_size=_ROWS_AT_ONCE) if clip.sha256}
