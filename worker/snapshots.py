"""Freezes a test's ratings into a snapshot directory: the one thing that training sees."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from listening_tests.choices import TestKind
from listening_tests.models import Clip, Comparison, Exclusion, ListeningTest, Pair, Question, Rating
from modeling.snapshot import ComparedPair, ComparisonRow, RatingRow, write_snapshot
from worker.heldout import frozen_version, heldout_for_snapshot
from worker.models import DatasetSnapshot
from worker.selectors import question_named

_ROWS_AT_ONCE = 5000


def snapshot_create(*, test: ListeningTest, question: Question | None = None) -> DatasetSnapshot:
    """Writes the answers to one question of the test, its first where none is named, of every role, without those that
    a rule leaves out.

    The split's salt is the test's uuid, so that a held-out caption stays held out as ratings grow; which of them it is
    judged by, the version of the test's held-out pairs says (`worker.heldout`). Raises
    `modeling.snapshot.SnapshotError`; then there is neither a directory nor a row.
    """
    question = question or question_named(test=test)
    # Before the first row is read: worker.withdrawn tells by it whose ratings are in here.
    snapshot = DatasetSnapshot(test=test, question=question.name, read_at=timezone.now())
    snapshot.directory = f"snapshots/{snapshot.uuid}"
    snapshot.heldout_set = heldout_for_snapshot(test=test, question=question)
    info = write_snapshot(
        Path(settings.MEDIA_ROOT) / snapshot.directory,
        test=test.slug,
        ratings=_rating_rows(test, question, Exclusion.objects.all()),
        comparisons=_comparison_rows(test, question, Exclusion.objects.all()),
        audio=originals(test),
        # Choices have no scale.
        scale_min=None if test.kind == TestKind.COMPARISON else question.scale_min,
        scale_max=None if test.kind == TestKind.COMPARISON else question.scale_max,
        salt=str(test.uuid),
        created=timezone.now(),
        is_simulated=test.is_simulated,
        heldout=frozen_version(heldout_set=snapshot.heldout_set),
    )
    snapshot.sha256 = info.sha256
    snapshot.n_ratings, snapshot.n_comparisons = info.n_ratings, info.n_comparisons
    snapshot.n_pairs, snapshot.n_raters, snapshot.n_waiting = info.n_pairs, info.n_raters, info.n_waiting
    snapshot.save()
    return snapshot


def unscreened_rows(*, test: ListeningTest, question: Question) -> tuple[Iterator[RatingRow], Iterator[ComparisonRow]]:
    """Ratings and comparisons, those that a screening leaves out among them: as if no rule were applied."""
    exclusions = Exclusion.objects.filter(screening__isnull=True)
    return _rating_rows(test, question, exclusions), _comparison_rows(test, question, exclusions)


def pseudonym(*, test: ListeningTest, rater_uuid: UUID) -> str:
    """What a rater is called in every snapshot of a test: the same each time, another in another test.

    A rater's uuid has 122 random bits, so that nobody finds it back from its hash.
    """
    return hashlib.sha256(f"{test.uuid}:{rater_uuid}".encode()).hexdigest()[:20]


def _rating_rows(test: ListeningTest, question: Question, exclusions: QuerySet[Exclusion]) -> Iterator[RatingRow]:
    """The ratings in the order in which they were stored; what is said of a pair or a rater is held once."""
    excluded = Exists(exclusions.filter(rating=OuterRef("pk")))
    ratings = Rating.objects.filter(~excluded, test=test, question=question).order_by("id")
    columns = ("uuid", "score", "scale_min", "scale_max", "pair_id", "rater__uuid")
    pairs, pseudonyms = _PairTexts(test), _Pseudonyms(test)
    for uuid, score, low, high, pair_id, rater_uuid in ratings.values_list(*columns).iterator(chunk_size=_ROWS_AT_ONCE):
        yield RatingRow(
            rating=str(uuid),
            rater=pseudonyms[rater_uuid],
            question=question.name,
            score=score,
            scale_min=low,
            scale_max=high,
            split=pairs.own_splits.get(pair_id),
            **pairs[pair_id],
        )


def _comparison_rows(
    test: ListeningTest, question: Question, exclusions: QuerySet[Exclusion]
) -> Iterator[ComparisonRow]:
    """The comparisons in the order in which they were stored; none where a test has ratings."""
    if test.kind != TestKind.COMPARISON:
        return
    excluded = Exists(exclusions.filter(comparison=OuterRef("pk")))
    comparisons = Comparison.objects.filter(~excluded, test=test, question=question).order_by("id")
    columns = ("uuid", "choice", "first_id", "second_id", "rater__uuid")
    pairs, pseudonyms = _PairTexts(test), _Pseudonyms(test)
    rows = comparisons.values_list(*columns).iterator(chunk_size=_ROWS_AT_ONCE)
    for uuid, choice, first_id, second_id, rater_uuid in rows:
        yield ComparisonRow(
            comparison=str(uuid),
            rater=pseudonyms[rater_uuid],
            question=question.name,
            choice=choice,
            first=ComparedPair(**pairs[first_id]),
            second=ComparedPair(**pairs[second_id]),
            split=pairs.own_splits.get(first_id),
        )


class _Pseudonyms(dict[UUID, str]):
    """What each rater is called, by their uuid."""

    def __init__(self, test: ListeningTest) -> None:
        super().__init__()
        self._test = test

    def __missing__(self, rater_uuid: UUID) -> str:
        self[rater_uuid] = pseudonym(test=self._test, rater_uuid=rater_uuid)
        return self[rater_uuid]


class _PairTexts(dict[int, dict[str, Any]]):
    """What a snapshot says of each pair, by its key; a pair that came in after the first look is looked up.

    `own_splits` are those of pairs whose data set came with a split of its own.
    """

    def __init__(self, test: ListeningTest) -> None:
        self.own_splits: dict[int, str] = {}
        self._pairs = Pair.objects.filter(test=test).select_related("clip", "caption").order_by()
        super().__init__((pair.pk, self._texts(pair)) for pair in self._pairs.iterator(chunk_size=_ROWS_AT_ONCE))

    def __missing__(self, pair_id: int) -> dict[str, Any]:
        self[pair_id] = self._texts(self._pairs.get(pk=pair_id))
        return self[pair_id]

    def _texts(self, pair: Pair) -> dict[str, Any]:
        if pair.own_split:
            self.own_splits[pair.pk] = pair.own_split
        return {
            "pair": str(pair.uuid),
            "clip_sha256": pair.clip.sha256,
            "caption": pair.caption.text,
            "source_id": pair.source_id or None,
            "system": pair.system or None,
            "role": pair.role,
        }


def originals(test: ListeningTest) -> dict[str, Path]:
    """The file that the model hears, by the clip's sha256."""
    clips = Clip.objects.filter(pairs__test=test, sha256__isnull=False).distinct()
    return {clip.sha256: Path(clip.original.path) for clip in clips.iterator(chunk_size=_ROWS_AT_ONCE) if clip.sha256}
