"""Freezes a test's ratings into a snapshot directory: the one thing that training sees."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from listening_tests.models import Clip, ListeningTest, Pair, Rating
from modeling.snapshot import RatingRow, write_snapshot
from worker.models import DatasetSnapshot
from worker.selectors import first_question, is_excluded

_ROWS_AT_ONCE = 5000


def snapshot_create(*, test: ListeningTest) -> DatasetSnapshot:
    """Writes the ratings to the test's first question, of every role, without those that a rule leaves out.

    The split's salt is the test's uuid, so that a held-out caption stays held out as ratings grow. Raises
    `modeling.snapshot.SnapshotError`; then there is neither a directory nor a row.
    """
    # Before the first row is read: worker.withdrawn tells by it whose ratings are in here.
    snapshot = DatasetSnapshot(test=test, read_at=timezone.now())
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
    """The ratings in the order in which they were stored; what is said of a pair or a rater is held once."""
    question = first_question(test=test)
    ratings = Rating.objects.filter(~is_excluded(), test=test, question=question).order_by("id")
    columns = ("uuid", "score", "scale_min", "scale_max", "pair_id", "rater__uuid")
    pairs = _PairTexts(test)
    raters: dict[UUID, str] = {}
    for uuid, score, low, high, pair_id, rater_uuid in ratings.values_list(*columns).iterator(chunk_size=_ROWS_AT_ONCE):
        if rater_uuid not in raters:
            raters[rater_uuid] = pseudonym(test=test, rater_uuid=rater_uuid)
        yield RatingRow(
            rating=str(uuid),
            rater=raters[rater_uuid],
            question=question.name,
            score=score,
            scale_min=low,
            scale_max=high,
            **pairs[pair_id],
        )


class _PairTexts(dict[int, dict[str, Any]]):
    """What a snapshot says of each pair, by its key; a pair that came in after the first look is looked up."""

    def __init__(self, test: ListeningTest) -> None:
        self._pairs = Pair.objects.filter(test=test).select_related("clip", "caption").order_by()
        super().__init__((pair.pk, self._texts(pair)) for pair in self._pairs.iterator(chunk_size=_ROWS_AT_ONCE))

    def __missing__(self, pair_id: int) -> dict[str, Any]:
        self[pair_id] = self._texts(self._pairs.get(pk=pair_id))
        return self[pair_id]

    @staticmethod
    def _texts(pair: Pair) -> dict[str, Any]:
        return {
            "pair": str(pair.uuid),
            "clip_sha256": pair.clip.sha256,
            "caption": pair.caption.text,
            "source_id": pair.source_id or None,
            "system": pair.system or None,
            "role": pair.role,
        }


def _originals(test: ListeningTest) -> dict[str, Path]:
    """The file that the model hears, by the clip's sha256."""
    clips = Clip.objects.filter(pairs__test=test, sha256__isnull=False).distinct()
    return {clip.sha256: Path(clip.original.path) for clip in clips.iterator(chunk_size=_ROWS_AT_ONCE) if clip.sha256}
