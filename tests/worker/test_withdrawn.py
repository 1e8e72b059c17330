"""Which snapshots are marked, and with what words, after raters have withdrawn."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from listening_tests.choices import WithdrawnRatings
from listening_tests.models import ListeningTest, Rater, Withdrawal
from tests.factories import make_test
from tests.worker.studies import make_study
from worker.models import DatasetSnapshot, ModelVersion, TrainingRun
from worker.selectors import run_by_uuid, run_list
from worker.snapshots import snapshot_create
from worker.withdrawn import MARGIN, with_withdrawals, withdrawn_words

pytestmark = pytest.mark.django_db

READ_AT = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
CREATED_AT = READ_AT + timedelta(minutes=10)
A_DAY = timedelta(days=1)
ONE_ON_THE_NEXT_DAY = (
    "Ratings of 1 rater who withdrew on 2026-03-02 were used here. Retrain to have a model without them."
)


def make_snapshot(
    test: ListeningTest, *, read_at: datetime | None = READ_AT, age: timedelta = timedelta()
) -> DatasetSnapshot:
    snapshot = DatasetSnapshot.objects.create(
        test=test, directory="snapshots/1", sha256="5a" * 32, n_ratings=9, n_pairs=3, n_raters=3, read_at=read_at
    )
    DatasetSnapshot.objects.filter(pk=snapshot.pk).update(created_at=CREATED_AT + age)
    return snapshot


def withdraw(
    test: ListeningTest, at: datetime, *, rated_at: datetime | None = READ_AT - A_DAY, n_ratings: int = 7
) -> Withdrawal:
    withdrawal = Withdrawal.objects.create(
        test=test,
        rater=Rater.objects.create(),
        treatment=WithdrawnRatings.DELETE,
        n_ratings=n_ratings,
        first_rated_at=rated_at,
    )
    Withdrawal.objects.filter(pk=withdrawal.pk).update(created_at=at)
    return withdrawal


def make_done_run(snapshot: DatasetSnapshot) -> TrainingRun:
    return TrainingRun.objects.create(
        test=snapshot.test, snapshot=snapshot, status="done", preset="small", finished_at=timezone.now()
    )


def words_of(snapshot: DatasetSnapshot) -> str:
    return withdrawn_words(with_withdrawals(DatasetSnapshot.objects.all()).get(pk=snapshot.pk))


def test_it_works() -> None:
    """The mark stands on the snapshot, on the run that used it, and on the run's model."""
    snapshot = make_snapshot(make_test())
    run = make_done_run(snapshot)
    ModelVersion.objects.create(run=run, directory="models/1", weights_sha256="c3" * 32)
    assert words_of(snapshot) == ""
    withdraw(snapshot.test, READ_AT + A_DAY)

    assert words_of(snapshot) == ONE_ON_THE_NEXT_DAY
    assert withdrawn_words(run_list().get()) == ONE_ON_THE_NEXT_DAY
    assert withdrawn_words(run_by_uuid(uuid=run.uuid)) == ONE_ON_THE_NEXT_DAY
    models = with_withdrawals(ModelVersion.objects.all(), snapshot="run__snapshot__")
    assert withdrawn_words(models.get()) == ONE_ON_THE_NEXT_DAY


@pytest.mark.parametrize(
    ("at", "is_marked"),
    [
        (READ_AT - A_DAY, False),
        (READ_AT - MARGIN - timedelta(seconds=1), False),
        (READ_AT - MARGIN + timedelta(seconds=1), True),
        (READ_AT, True),
        # While it was being written, too.
        (READ_AT + timedelta(minutes=5), True),
        (CREATED_AT + A_DAY, True),
    ],
)
def test_who_withdrew_before_the_reading_is_not_in_it(at: datetime, is_marked: bool) -> None:
    snapshot = make_snapshot(make_test())
    withdraw(snapshot.test, at, rated_at=READ_AT - 2 * A_DAY)

    assert bool(words_of(snapshot)) == is_marked


def test_who_rated_after_the_snapshot_is_not_in_it() -> None:
    snapshot = make_snapshot(make_test())
    withdraw(snapshot.test, CREATED_AT + A_DAY, rated_at=CREATED_AT + timedelta(hours=1))
    withdraw(snapshot.test, CREATED_AT + A_DAY, rated_at=None, n_ratings=0)

    assert words_of(snapshot) == ""


def test_a_withdrawal_from_another_test_says_nothing() -> None:
    snapshot = make_snapshot(make_test())
    withdraw(make_test(), CREATED_AT + A_DAY)

    assert words_of(snapshot) == ""


def test_a_snapshot_from_before_the_column_counts_from_its_end() -> None:
    snapshot = make_snapshot(make_test(), read_at=None)
    withdraw(snapshot.test, CREATED_AT - timedelta(minutes=2))
    assert words_of(snapshot) == ""

    withdraw(snapshot.test, CREATED_AT + A_DAY)
    assert words_of(snapshot) == ONE_ON_THE_NEXT_DAY


def test_several_raters_are_told_with_their_days() -> None:
    snapshot = make_snapshot(make_test())
    withdraw(snapshot.test, CREATED_AT + A_DAY)
    withdraw(snapshot.test, CREATED_AT + A_DAY)
    assert words_of(snapshot).startswith("Ratings of 2 raters who withdrew on 2026-03-02 were used here.")

    withdraw(snapshot.test, CREATED_AT + 3 * A_DAY)
    assert words_of(snapshot).startswith(
        "Ratings of 3 raters who withdrew between 2026-03-02 and 2026-03-04 were used here."
    )


def test_a_later_model_without_them_is_told() -> None:
    test = make_test()
    first = make_done_run(make_snapshot(test))
    withdraw(test, CREATED_AT + A_DAY)
    failed = make_snapshot(test, read_at=CREATED_AT + 2 * A_DAY, age=2 * A_DAY)
    TrainingRun.objects.create(test=test, snapshot=failed, status="failed", preset="small", finished_at=timezone.now())
    assert withdrawn_words(run_by_uuid(uuid=first.uuid)) == ONE_ON_THE_NEXT_DAY

    later = make_done_run(failed)
    assert withdrawn_words(run_by_uuid(uuid=first.uuid)) == (
        "Ratings of 1 rater who withdrew on 2026-03-02 were used here. A later model is without them."
    )
    assert withdrawn_words(run_by_uuid(uuid=later.uuid)) == ""


def test_a_run_without_a_snapshot_has_no_mark() -> None:
    test = make_test()
    run = TrainingRun.objects.create(test=test, preset="small")
    withdraw(test, timezone.now())

    assert withdrawn_words(run_by_uuid(uuid=run.uuid)) == ""


def test_a_snapshot_knows_when_its_reading_began() -> None:
    test = make_study(n_heldout=3, n_train=3)
    before = timezone.now()
    snapshot = snapshot_create(test=test)
    assert snapshot.read_at is not None
    assert before <= snapshot.read_at <= snapshot.created_at

    withdraw(test, timezone.now(), rated_at=before)
    assert "Retrain to have a model without them." in words_of(snapshot)


def test_a_model_of_another_question_is_none_without_them() -> None:
    snapshot = make_snapshot(make_test())
    DatasetSnapshot.objects.update(question="relevance")
    make_done_run(snapshot)
    withdraw(snapshot.test, READ_AT + A_DAY)
    later = make_snapshot(snapshot.test, read_at=READ_AT + 2 * A_DAY, age=2 * A_DAY)
    DatasetSnapshot.objects.filter(pk=later.pk).update(question="quality")
    make_done_run(later)
    assert words_of(snapshot).endswith("Retrain to have a model without them.")
    DatasetSnapshot.objects.filter(pk=later.pk).update(question="relevance")
    assert words_of(snapshot).endswith("A later model is without them.")
