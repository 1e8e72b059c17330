"""What a snapshot takes of a test's ratings."""

import json
from pathlib import Path

import pytest
from django.conf import settings
from pytest_django import DjangoAssertNumQueries

from listening_tests.choices import PairRole
from listening_tests.models import Exclusion, ListeningTest, Rater, Rating
from modeling.snapshot import Snapshot, SnapshotError, read_snapshot
from tests.factories import make_pair
from tests.worker.studies import make_sound, make_study, rate
from worker.models import DatasetSnapshot
from worker.snapshots import pseudonym, snapshot_create

pytestmark = pytest.mark.django_db


def read(snapshot: DatasetSnapshot) -> Snapshot:
    return read_snapshot(Path(settings.MEDIA_ROOT) / snapshot.directory)


def study_with_every_role() -> ListeningTest:
    test = make_study(n_heldout=3, n_train=3, ratings_per_pair=2)
    for role in (PairRole.ANCHOR, PairRole.GOLD, PairRole.PRACTICE):
        rate([make_pair(test, role=role, clip=make_sound(), system="", source_id="source 1")], 2)
    return test


def test_it_works() -> None:
    test = study_with_every_role()
    snapshot = snapshot_create(test=test)
    found = read(snapshot)

    assert (snapshot.sha256, snapshot.n_ratings, snapshot.n_pairs) == (found.info.sha256, 18, 9)
    assert (found.test, found.salt, found.scale_min, found.scale_max) == (test.slug, str(test.uuid), 0, 10)
    stored = {
        str(rating.uuid): rating for rating in test.ratings.select_related("pair__clip", "pair__caption", "rater")
    }
    assert {row.rating for row in found.ratings} == stored.keys()
    for row in found.ratings:
        rating = stored[row.rating]
        assert (row.pair, row.score, row.role) == (str(rating.pair.uuid), rating.score, rating.pair.role)
        assert (row.caption, row.clip_sha256) == (rating.pair.caption.text, rating.pair.clip.sha256)
        assert (row.system, row.source_id) == (rating.pair.system or None, rating.pair.source_id or None)
        assert row.rater == pseudonym(test=test, rater_uuid=rating.rater.uuid)
        assert row.question == "relevance"


def test_only_study_pairs_have_a_part_in_training() -> None:
    found = read(snapshot_create(test=study_with_every_role()))

    assert {row.role for row in found.ratings} == {"study", "anchor", "gold", "practice"}
    assert {row.role for row in found.ratings if row.split} == {"study"}


def test_excluded_ratings_are_left_out() -> None:
    test = make_study(n_heldout=3, n_train=3)
    rating = test.ratings.first()
    assert rating is not None
    Exclusion.objects.create(rating=rating, rule="a-rule", reason="Because.")
    Exclusion.objects.create(rating=rating, rule="a-rule", version=2, reason="Because.")
    rows = read(snapshot_create(test=test)).ratings

    assert len(rows) == 17
    assert str(rating.uuid) not in {row.rating for row in rows}


def test_it_names_nobody() -> None:
    test = make_study(n_heldout=3, n_train=3)
    snapshot = snapshot_create(test=test)
    text = (Path(settings.MEDIA_ROOT) / snapshot.directory / "ratings.jsonl").read_text()

    for rater in Rater.objects.all():
        assert str(rater.uuid) not in text
        assert json.dumps(rater.pk) not in {json.dumps(json.loads(line)["rater"]) for line in text.splitlines()}


def test_raters_keep_their_pseudonym_within_a_test_alone() -> None:
    test, other = make_study(n_heldout=1, n_train=1), make_study(n_heldout=1, n_train=1)
    rater = Rating.objects.filter(test=test)[0].rater

    first, second = (pseudonym(test=test, rater_uuid=rater.uuid) for _ in range(2))
    assert first == second != pseudonym(test=other, rater_uuid=rater.uuid)


def test_a_held_out_pair_stays_held_out_as_ratings_grow() -> None:
    test = make_study(n_heldout=5, n_train=5)
    before = {row.pair: row.split for row in read(snapshot_create(test=test)).ratings}
    rate([make_pair(test, clip=make_sound()) for _ in range(5)], 2)
    after = {row.pair: row.split for row in read(snapshot_create(test=test)).ratings}

    held_out = {pair for pair, split in before.items() if split == "heldout"}
    assert len(held_out) == 5
    assert all(after[pair] == "heldout" for pair in held_out)


def test_a_missing_sound_leaves_nothing_behind() -> None:
    test = make_study(n_heldout=3, n_train=3)
    Path(test.pairs.first().clip.original.path).unlink()
    with pytest.raises(SnapshotError, match="does not exist"):
        snapshot_create(test=test)

    assert not DatasetSnapshot.objects.exists()
    assert not any((Path(settings.MEDIA_ROOT) / "snapshots").iterdir())


def test_the_number_of_queries_does_not_grow(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    test = make_study(n_heldout=12, n_train=12)
    # Five for what is written; the others freeze the held-out pairs.
    with django_assert_num_queries(13):
        snapshot_create(test=test)
