"""Paired comparisons in the loop: the snapshot, what training needs, the study report, what a run stores of them."""

import json
import uuid
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from listening_tests.choices import Choice, PairRole, Source, TestKind
from listening_tests.exceptions import Refused
from listening_tests.models import Comparison, Exclusion, ListeningTest, Pair, Rater, Trial
from listening_tests.services.trials import trials_make
from modeling.metrics import MetricValue
from modeling.snapshot import read_snapshot
from modeling.splits import HELDOUT, TRAIN
from tests.factories import make_test
from tests.worker.studies import captions_of, make_sound, result_of
from worker.models import RunTrigger, TrainingRun
from worker.selectors import n_heldout_pairs, n_new_ratings
from worker.services import run_request
from worker.snapshots import snapshot_create

pytestmark = pytest.mark.django_db
# Always preferred to the one after it.
SYSTEMS = ("best", "middle", "worst")


def make_compared(*, n_heldout: int = 10, n_train: int = 12, n_raters: int = 2, **fields: object) -> ListeningTest:
    """An open test in which every two systems' sounds of a caption were compared, and the better system won."""
    test = make_test(kind=TestKind.COMPARISON, **fields)
    salt = str(test.uuid)
    for split, number in ((HELDOUT, n_heldout), (TRAIN, n_train)):
        sounds = [make_sound() for _ in SYSTEMS]
        captions = captions_of(split, salt=salt)
        for _ in range(number):
            caption = next(captions)
            for system, sound in zip(SYSTEMS, sounds, strict=True):
                Pair.objects.create(test=test, clip=sound, caption=caption, system=system)
    trials_make(test=test)
    compare(test, n_raters)
    return test


def compare(test: ListeningTest, n_raters: int) -> None:
    question = test.questions.get()
    raters = Rater.objects.bulk_create([Rater(source=Source.IMPORTED) for _ in range(n_raters)])
    rows = []
    for trial in Trial.objects.filter(test=test).prefetch_related("pairs"):
        better, worse = sorted(trial.pairs.all(), key=lambda pair: SYSTEMS.index(pair.system))
        for number, rater in enumerate(raters):
            is_first = number % 2 == 0
            rows.append(
                Comparison(
                    client_uuid=uuid.uuid4(),
                    test=test,
                    trial=trial,
                    rater=rater,
                    question=question,
                    source=Source.IMPORTED,
                    first=better if is_first else worse,
                    second=worse if is_first else better,
                    choice=Choice.FIRST if is_first else Choice.SECOND,
                    submitted_at=timezone.now(),
                )
            )
    Comparison.objects.bulk_create(rows)


def read(snapshot: Any, settings: Any) -> Any:
    return read_snapshot(Path(settings.MEDIA_ROOT) / snapshot.directory)


def study_report(test: ListeningTest) -> dict[str, Any]:
    out = StringIO()
    call_command("study_report", test.slug, "--json", stdout=out)
    report: dict[str, Any] = json.loads(out.getvalue())
    return report


def test_a_snapshot_holds_the_comparisons(settings: Any) -> None:
    test = make_compared()
    excluded = Comparison.objects.earliest("id")
    Exclusion.objects.create(comparison=excluded, rule="by-hand", reason="A door slammed.")
    snapshot = snapshot_create(test=test)
    found = read(snapshot, settings)
    assert (snapshot.n_ratings, snapshot.n_comparisons, snapshot.n_pairs) == (0, 22 * 3 * 2 - 1, 66)
    assert (len(found.ratings), len(found.comparisons)) == (0, 131)
    assert (found.scale_min, found.scale_max) == (None, None)
    assert str(excluded.uuid) not in {row.comparison for row in found.comparisons}
    for row in found.comparisons:
        stored = Comparison.objects.get(uuid=row.comparison)
        assert (row.choice, row.first.pair, row.second.pair) == (
            *(stored.choice, str(stored.first.uuid), str(stored.second.uuid)),
        )
        assert str(stored.rater.uuid) != row.rater


def test_training_counts_comparisons() -> None:
    test = make_compared()
    assert n_heldout_pairs(test=test, question=test.questions.get()) == 30
    assert n_new_ratings(test=test) == 132
    run, _ = run_request(test=test, trigger=RunTrigger.PERSON)
    assert (run.question, run.n_ratings_at_start) == ("relevance", 132)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda: make_test(kind=TestKind.COMPARISON, title="Rain"),
            "“Rain” has no comparisons of study pairs yet. Training needs some: let raters in first.",
        ),
        (
            lambda: make_compared(n_heldout=9, title="Rain"),
            "“Rain” has 27 rated pairs that are held out for measuring; training needs at least 30. About one caption "
            "in five is held out: collect ratings on more captions.",
        ),
    ],
)
def test_too_few_comparisons_are_refused(make: Any, sentence: str) -> None:
    test = make()
    with pytest.raises(Refused) as refusal:
        run_request(test=test, trigger=RunTrigger.PERSON)
    assert str(refusal.value) == sentence
    assert not TrainingRun.objects.exists()


def test_the_study_report_ranks_the_systems() -> None:
    test = make_compared()
    report = study_report(test)
    assert (report["pairs"], report["rated_pairs"], report["raters"], report["ratings"]) == (66, 66, 2, 132)
    assert (report["excluded_ratings"], report["icc1"], report["ceiling_srcc"]) == (0, None, None)
    systems = report["questions"]["relevance"]["systems"]
    assert [found["system"] for found in systems] == list(SYSTEMS)
    best, middle, worst = (found["score"] for found in systems)
    assert worst["high"] < 4 < middle["low"] <= middle["high"] < 6 < best["low"]
    assert middle["value"] == pytest.approx(5)
    assert best["n"] == 88


def test_an_anchor_is_no_system() -> None:
    test = make_compared(n_heldout=1, n_train=1)
    caption = test.pairs.first().caption
    Pair.objects.create(test=test, clip=make_sound(), caption=caption, system="foreign", role=PairRole.ANCHOR)
    trials_make(test=test)
    trial = Trial.objects.filter(test=test, role=PairRole.ANCHOR).first()
    anchor = trial.pairs.get(role=PairRole.ANCHOR)
    Comparison.objects.create(
        client_uuid=uuid.uuid4(),
        test=test,
        trial=trial,
        rater=Rater.objects.first(),
        question=test.questions.get(),
        source=Source.IMPORTED,
        first=anchor,
        second=trial.pairs.exclude(pk=anchor.pk).get(),
        choice=Choice.SECOND,
        submitted_at=timezone.now(),
    )
    report = study_report(test)
    assert (report["anchor_ratings"], report["ratings"]) == (1, 12)
    assert "foreign" not in {found["system"] for found in report["questions"]["relevance"]["systems"]}


@pytest.mark.django_db(transaction=True)
def test_a_run_tells_what_it_compared(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    test = make_compared()
    note = "Trained on 132 paired comparisons."

    def train(config: Any, snapshot: Path, out: Path, **_: Any) -> Any:
        assert config.question == "relevance"
        result = result_of(test, out)
        values = {**result.base, "agreement": MetricValue(0.7, 0.6, 0.8, 60)}
        for name in ("base", "tuned", "difference"):
            object.__setattr__(result, name, values)
        object.__setattr__(result, "note", note)
        return result

    monkeypatch.setattr("worker.jobs.training.train", train)
    out = StringIO()
    call_command("train", test.slug, "--wait", "--json", "--preset", "small", stdout=out)
    report = json.loads(out.getvalue())
    assert report["tuned"]["agreement"] == {"value": 0.7, "low": 0.6, "high": 0.8, "n": 60}
    run = TrainingRun.objects.get()
    assert run.message == note
    page = strip_tags(admin_client.get(reverse("dashboard:run_page", args=[run.uuid])).text)
    assert note in page
    assert "Agreement with choices" in page
    assert "132 paired comparisons of 66 pairs" in page
