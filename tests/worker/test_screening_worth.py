"""What each screening rule is worth: retrained with it on and off, judged by the same labels, cancelled and resumed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from listening_tests.choices import CheckOutcome
from listening_tests.exceptions import Refused
from listening_tests.models import Exclusion, ListeningTest, Rater, RuleOutcome, Screening
from modeling.config import TrainingConfig
from modeling.dataset import pair_set
from modeling.metrics import MetricValue
from modeling.results import PairPrediction, Progress, TrainingCancelled, TrainingRefused, TrainingResult
from modeling.snapshot import read_snapshot
from tests.worker.studies import make_study
from worker.hosts import host_name
from worker.models import HeldoutLook, LookKind, RuleWorth, ScreeningState, ScreeningWorth, WorthStatus
from worker.screening.worth import INTERRUPTED, LOST, MAX_ATTEMPTS, worth_cancel, worth_request, worths_set_right
from worker.screening.worth_jobs import worth_execute

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def published(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The jobs whose messages a broker, which is there, has taken."""
    taken: list[int] = []
    monkeypatch.setattr(
        "worker.screening.worth.measure_screening_worth.apply_async", lambda args, **_: taken.extend(args)
    )
    return taken


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What each training was given, in the place of the real one: its model says the mean of the pair's neighbours."""
    seen: list[dict[str, Any]] = []
    monkeypatch.setattr("worker.screening.worth_jobs.training.train", training(seen))
    return seen


def training(seen: list[dict[str, Any]]) -> Callable[..., TrainingResult]:
    def train(config: TrainingConfig, snapshot_dir: Path, out_dir: Path, **callbacks: Any) -> TrainingResult:
        callbacks["on_progress"](Progress("training", 3, 9))
        if callbacks["should_stop"]():
            raise TrainingCancelled
        snapshot = read_snapshot(snapshot_dir)
        pairs = pair_set(snapshot, config.target)
        learned = [row for row in snapshot.ratings if row.split in ("train", "validation")]
        seen.append({"raters": {row.rater for row in learned}, "n": len(learned), "seed": config.seed})
        predictions = tuple(
            PairPrediction(
                pair, str(pairs.split[at]), float(pairs.human_mean[at]), int(pairs.n_ratings[at]), 0.1,
                float(pairs.human_mean[at]) * 0.1 + (at * 37 % 11) * 0.01 * len(learned), 5.0,
            )
            for at, pair in enumerate(pairs.pairs)
        )  # fmt: skip
        none = MetricValue(None, None, None, 0)
        return TrainingResult(
            30, 20, 4, 0, {}, {}, {}, none, none, predictions, out_dir / "model", "a model", "", 1, 1.0
        )

    return train


def looked_at(test: ListeningTest, **failing: int) -> None:
    """Says that so many raters fail each rule, the first ones of the test's training pairs; anchors count for use."""
    ScreeningState.objects.create(test=test, computed_at="2026-01-01T00:00Z")
    raters = list(Rater.objects.filter(ratings__test=test).distinct().order_by("-pk"))
    for rule, number in failing.items():
        for at, rater in enumerate(raters):
            RuleOutcome.objects.create(
                test=test, rater=rater, rule=rule, version=1, limit=1, n=3, for_pay=False, for_use=rule != "repeats",
                outcome=CheckOutcome.FAILED if at < number else CheckOutcome.PASSED,
                computed_at="2026-01-01T00:00Z",
            )  # fmt: skip


def asked(test: ListeningTest) -> ScreeningWorth:
    made, is_new = worth_request(test=test, user=None)
    assert is_new
    return made


def execute(worth: ScreeningWorth) -> ScreeningWorth:
    worth_execute(worth_id=worth.pk)
    return ScreeningWorth.objects.get(pk=worth.pk)


def rows_of(worth: ScreeningWorth) -> dict[str, RuleWorth]:
    return {row.rule: row for row in worth.rules.all()}


def place_of(worth: ScreeningWorth) -> Path:
    return Path(settings.MEDIA_ROOT) / "screening-worth" / str(worth.uuid)


def test_it_works(trained: list[dict[str, Any]], published: list[int]) -> None:
    test = make_study()
    looked_at(test, anchors=1, repeats=2)
    worth = asked(test)
    assert published == [worth.pk]

    worth = execute(worth)

    assert (worth.status, worth.message, worth.n_models, worth.n_done) == (WorthStatus.DONE, "", 12, 12)
    assert (worth.n_heldout, worth.n_ratings, worth.heldout_set.version) == (30, 72, 1)
    rows = rows_of(worth)
    assert [row["n"] for row in trained] == [72, 48, 24, 48], "without any rule; anchors; repeats; all for use"
    assert len({row["seed"] for row in trained}) == 1
    assert [len(trained[0]["raters"]) - len(row["raters"]) for row in trained] == [0, 1, 2, 1]
    assert (rows["anchors"].n_raters, rows["anchors"].n_ratings, rows["repeats"].n_ratings) == (1, 24, 48)
    assert (rows["all"].n_raters, rows["all"].n_ratings) == (1, 24)
    assert rows["anchors"].difference == pytest.approx(rows["anchors"].srcc - worth.srcc)
    assert rows["anchors"].difference_low <= rows["anchors"].difference <= rows["anchors"].difference_high
    assert (rows["gold"].difference, rows["gold"].message) == (None, "Nobody fails it, so that it leaves nothing out.")
    assert HeldoutLook.objects.filter(heldout_set=worth.heldout_set, kind=LookKind.SCREENING).count() == 4
    assert not place_of(worth).exists()


def test_with_the_real_model() -> None:
    """Nothing put in its place: the same labels and splits come back from modeling for every rule."""
    test = make_study()
    looked_at(test, repeats=1)
    worth = asked(test)
    ScreeningWorth.objects.update(config=worth.config | {"epochs": 1})

    worth = execute(worth)

    row = rows_of(worth)["repeats"]
    assert (worth.status, worth.message, worth.n_heldout, row.n_ratings) == (WorthStatus.DONE, "", 30, 24)
    assert row.difference == pytest.approx(row.srcc - worth.srcc)
    assert rows_of(worth)["all"].message == "Nobody fails it, so that it leaves nothing out."


def test_an_applied_screening_is_off_where_no_rule_is_and_other_exclusions_are_not(
    trained: list[dict[str, Any]],
) -> None:
    test = make_study()
    looked_at(test, anchors=1)
    screening = Screening.objects.create(test=test, rules="", digest="", n_raters=1, n_answers=1)
    by_rule, by_hand = test.ratings.order_by("-pk")[:2]
    Exclusion.objects.create(rating=by_rule, rule="anchors", reason="So.", screening=screening)
    Exclusion.objects.create(rating=by_hand, rule="by-hand", reason="So.")

    worth = execute(asked(test))

    assert (worth.status, worth.n_ratings) == (WorthStatus.DONE, 71)


def test_who_fails_still_counts_in_the_labels(trained: list[dict[str, Any]]) -> None:
    """All raters of the held-out pairs fail, and nothing of what models are judged by goes."""
    test = make_study()
    looked_at(test, anchors=6)

    worth = execute(asked(test))

    assert (worth.status, worth.n_heldout) == (WorthStatus.DONE, 30)
    assert [row["n"] for row in trained] == [72, 0, 0]


def test_asked_twice_it_is_one_job(published: list[int]) -> None:
    test = make_study()
    looked_at(test, anchors=1)
    worth = asked(test)
    assert worth_request(test=test, user=None) == (worth, False)
    assert published == [worth.pk]


def test_what_cannot_be_measured_is_refused() -> None:
    test = make_study(n_heldout=3)
    sentence = f"The raters of “{test.title}” have not been looked at yet. Have that done, then ask again."
    with pytest.raises(Refused) as refusal:
        worth_request(test=test, user=None)
    assert str(refusal.value) == sentence
    looked_at(test)
    with pytest.raises(Refused, match="has 3 rated pairs that are held out for measuring; at least 30 are needed"):
        worth_request(test=test, user=None)
    assert not ScreeningWorth.objects.exists()


def test_a_rule_that_leaves_too_little_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    test, seen = make_study(), []
    looked_at(test, anchors=2)
    train = training(seen)

    def refuse(config: TrainingConfig, snapshot_dir: Path, out_dir: Path, **callbacks: Any) -> TrainingResult:
        if len(seen) == 1:
            seen.append({})
            raise TrainingRefused("Only 3 rated pairs are left to train on.")
        return train(config, snapshot_dir, out_dir, **callbacks)

    monkeypatch.setattr("worker.screening.worth_jobs.training.train", refuse)
    worth = execute(asked(test))

    row = rows_of(worth)["anchors"]
    assert worth.status == WorthStatus.DONE
    assert (row.srcc, row.difference, row.message) == (None, None, "Only 3 rated pairs are left to train on.")


def test_a_cancelled_job_stops_within_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    test, seen = make_study(), []
    looked_at(test, anchors=1)
    worth, train = asked(test), training(seen)

    def cancel(config: TrainingConfig, snapshot_dir: Path, out_dir: Path, **callbacks: Any) -> TrainingResult:
        if seen:
            worth_cancel(worth=worth)
        return train(config, snapshot_dir, out_dir, **callbacks)

    monkeypatch.setattr("worker.screening.worth_jobs.training.train", cancel)
    worth = execute(worth)

    assert worth.status == WorthStatus.CANCELLED
    assert (worth.n_done, len(seen), worth.srcc is None) == (1, 1, False)
    assert not place_of(worth).exists()
    assert execute(worth).status == WorthStatus.CANCELLED, "a second delivery does nothing"


def test_a_lost_job_goes_on_after_what_was_measured(monkeypatch: pytest.MonkeyPatch, published: list[int]) -> None:
    test, seen = make_study(), []
    looked_at(test, anchors=1, repeats=2)
    worth, train = asked(test), training(seen)

    def die(config: TrainingConfig, snapshot_dir: Path, out_dir: Path, **callbacks: Any) -> TrainingResult:
        if len(seen) == 2:
            raise KeyboardInterrupt
        return train(config, snapshot_dir, out_dir, **callbacks)

    monkeypatch.setattr("worker.screening.worth_jobs.training.train", die)
    with pytest.raises(KeyboardInterrupt):
        worth_execute(worth_id=worth.pk)
    worth.refresh_from_db()
    assert (worth.status, worth.message, set(rows_of(worth))) == (
        WorthStatus.QUEUED,
        INTERRUPTED,
        {"anchors", "gold", "trap"},
    )
    worths_set_right()
    assert published == [worth.pk] * 2

    monkeypatch.setattr("worker.screening.worth_jobs.training.train", train)
    worth = execute(worth)

    assert (worth.status, worth.n_done, worth.attempt) == (WorthStatus.DONE, 12, 2)
    assert [row["n"] for row in seen] == [72, 48, 24, 48], "none is trained twice"


def test_a_job_whose_process_is_gone_is_taken_back_a_bounded_number_of_times() -> None:
    test = make_study()
    looked_at(test, anchors=1)
    worth = asked(test)
    gone = {"status": WorthStatus.RUNNING, "host": host_name().split(":")[0] + ":999999999"}
    ScreeningWorth.objects.filter(pk=worth.pk).update(**gone, attempt=1, heartbeat_at="2026-01-01T00:00Z")
    worths_set_right()
    worth.refresh_from_db()
    assert (worth.status, worth.message) == (WorthStatus.QUEUED, INTERRUPTED)

    ScreeningWorth.objects.filter(pk=worth.pk).update(**gone, attempt=MAX_ATTEMPTS)
    worths_set_right()
    worth.refresh_from_db()
    assert (worth.status, worth.message) == (WorthStatus.FAILED, LOST)
