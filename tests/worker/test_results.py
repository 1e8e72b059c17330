"""Results asked for, computed, stored, and told to be out of date."""

from datetime import timedelta

import pandas as pd
import pytest
from django.utils import timezone
from kombu.exceptions import OperationalError
from pytest_django import DjangoCaptureOnCommitCallbacks

from listening_tests.choices import PairRole, TestKind
from listening_tests.exceptions import Refused
from listening_tests.models import Comparison, Exclusion, ListeningTest, Question, Rating
from tests.factories import make_pair, make_test
from tests.results import SYSTEMS, make_rated_study, rate_study
from tests.sittings import answer_all, anything_in, make_test_of, prefer
from tests.webapp.factories import make_rating
from worker import services_of_results as services
from worker.models import CaptionResult, ComputedResults, PairResult, ResultsStatus
from worker.reports import study_report
from worker.result_jobs import results_compute, results_execute
from worker.results import results_state
from worker.tasks import compute_results

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modeling.study_results.two_way.MOST_DRAWS", 499)
    monkeypatch.setattr("modeling.study_results.two_way.LEAST_DRAWS", 499)


def question_of(test: ListeningTest) -> Question:
    return test.questions.earliest("id")


def computed(test: ListeningTest) -> ComputedResults:
    return results_compute(test=test, question=question_of(test))


def test_it_works() -> None:
    test = make_rated_study()
    # Neither is a study answer that counts.
    rate_study(test, [make_pair(test, role=PairRole.ANCHOR, system="plain")], 3)
    left_out = Rating.objects.filter(pair__role=PairRole.STUDY).latest("id")
    Exclusion.objects.create(rating=left_out, rule="a-rule", reason="Because.")

    results = computed(test)

    rows = test.ratings.filter(pair__role=PairRole.STUDY, exclusions=None)
    table = pd.DataFrame(rows.values("pair_id", "pair__system", "pair__caption_id", "score"))
    by_pair = table.groupby(["pair__caption_id", "pair__system", "pair_id"]).score.mean()
    summary = results.summary
    told = {found["system"]: found["mean"]["value"] for found in summary["systems"]["systems"]}
    assert list(told) == list(SYSTEMS)
    assert told == pytest.approx(by_pair.groupby("pair__system").mean().to_dict())
    assert all(found["p_holm"] < 0.05 for found in summary["systems"]["differences"])
    assert (summary["answers"], summary["pairs"], summary["raters"], summary["captions"]) == (107, 18, 6, 6)
    report = study_report(test=test).of_first
    assert summary["agreement"]["icc1"]["value"] == pytest.approx(report.icc1)
    assert summary["agreement"]["one_vs_rest_srcc"]["value"] == report.one_vs_rest_srcc
    assert summary["agreement"]["ceiling_srcc"]["value"] == report.ceiling_srcc
    pairs = {row.pair_id: row.mean for row in PairResult.objects.filter(results=results)}
    assert pairs == pytest.approx(by_pair.droplevel([0, 1]).to_dict())
    captions = {row.caption_id: row.mean for row in CaptionResult.objects.filter(results=results)}
    assert captions == pytest.approx(by_pair.groupby("pair__caption_id").mean().to_dict())
    assert (results.status, results.n_answers, results.n_exclusions) == (ResultsStatus.DONE, 108, 1)


def test_scores_are_told_on_the_questions_own_scale() -> None:
    test = make_test()
    test.questions.update(scale_min=1, scale_max=5)
    for score in (1, 5, 5):
        make_rating(make_pair(test, system="mine"), score)

    summary = computed(test).summary

    assert summary["systems"]["systems"][0]["mean"]["value"] == pytest.approx(11 / 3)
    assert [bin["n"] for bin in summary["scores"]] == [1, 0, 0, 0, 2]
    assert summary["scale"] == [1, 5, 1]


def test_side_by_side_has_them_too() -> None:
    test = make_test_of(TestKind.SIDE_BY_SIDE)
    for _ in range(2):
        answer_all(test, anything_in(test.kind))

    summary = computed(test).summary

    assert {found["system"]: found["mean"]["value"] for found in summary["systems"]["systems"]} == {
        "mine": 10,
        "other": 10,
        "third": 10,
    }
    # All raters say the same: there is nothing to tell apart by.
    assert summary["systems"]["differences"][0]["p_holm"] is None


def test_of_a_comparison_there_are_strengths() -> None:
    test = make_test_of(TestKind.COMPARISON)
    for _ in range(3):
        answer_all(test, prefer("mine"))
    Exclusion.objects.create(comparison=Comparison.objects.latest("id"), rule="a-rule", reason="Because.")

    results = computed(test)

    best, *others = results.summary["systems"]["systems"]
    assert best["system"] == "mine"
    assert best["strength"]["value"] > 0 > others[0]["strength"]["value"]
    assert results.summary["answers"] == Comparison.objects.count() - 1
    clips = PairResult.objects.filter(results=results)
    assert clips.filter(pair__system="mine", mean__gt=5, low=None).count() == 3
    assert results.n_exclusions == 1


def test_an_answered_question_is_needed() -> None:
    test = make_test()
    with pytest.raises(Refused) as refusal:
        computed(test)
    assert str(refusal.value) == (
        "Nothing has been answered to “relevance” yet. Results need at least one study answer."
    )
    assert not ComputedResults.objects.exists()


def test_what_is_all_left_out_gives_results_without_numbers() -> None:
    test = make_test()
    rating = make_rating(make_pair(test), 5)
    Exclusion.objects.create(rating=rating, rule="a-rule", reason="Because.")
    results = computed(test)
    assert (results.summary["answers"], results.summary["systems"]["systems"]) == (0, [])


def test_asking_twice_makes_one_and_a_second_delivery_does_nothing() -> None:
    test = make_rated_study(n_captions=2, n_raters=2)
    first, created = services.results_request(test=test, question=question_of(test))
    again, created_again = services.results_request(test=test, question=question_of(test))
    assert (first, created, created_again) == (again, True, False)

    compute_results(first.pk)
    first.refresh_from_db()
    before = first.computed_at
    compute_results(first.pk)
    first.refresh_from_db()

    assert (first.status, first.computed_at) == (ResultsStatus.DONE, before)


def test_newer_results_take_the_place_of_older_ones() -> None:
    test = make_rated_study(n_captions=2, n_raters=2)
    older = computed(test)
    newer = computed(test)
    assert list(ComputedResults.objects.all()) == [newer]
    assert older != newer
    assert set(PairResult.objects.values_list("results", flat=True)) == {newer.pk}


def test_what_has_changed_since_is_told() -> None:
    test = make_rated_study(n_captions=2, n_raters=2)

    def told() -> tuple[int, int, bool]:
        state = results_state(test=test, question=question_of(test))
        return state.n_newer, state.n_gone, state.is_rescreened

    computed(test)
    assert told() == (0, 0, False)
    rate_study(test, list(test.pairs.all()[:3]), 1)
    assert told() == (3, 0, False)
    exclusion = Exclusion.objects.create(rating=test.ratings.earliest("id"), rule="a-rule", reason="Because.")
    assert told() == (3, 0, True)
    exclusion.delete()
    assert told() == (3, 0, False)
    test.ratings.filter(pk=test.ratings.earliest("id").pk).delete()
    assert told() == (3, 1, False)
    computed(test)
    assert told() == (0, 0, False)


def test_a_fault_is_told_and_can_be_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    test = make_rated_study(n_captions=2, n_raters=2)
    good = computed(test)
    with monkeypatch.context() as patched:
        patched.setattr("worker.result_jobs.study.results_of_scores", lambda *_, **__: 1 / 0)
        with pytest.raises(Refused, match="Computing stopped on a fault of Earmark .ZeroDivisionError"):
            computed(test)
    state = results_state(test=test, question=question_of(test))
    assert (state.done, state.failed is not None) == (good, True)

    computed(test)
    assert results_state(test=test, question=question_of(test)).failed is None


def test_who_lost_their_worker_is_asked_for_anew() -> None:
    test = make_rated_study(n_captions=2, n_raters=2)
    lost, _ = services.results_request(test=test, question=question_of(test), enqueue=False)
    services.results_claim(results_id=lost.pk)
    ComputedResults.objects.update(started_at=timezone.now() - services.LOST_AFTER - timedelta(seconds=1))

    again, created = services.results_request(test=test, question=question_of(test), enqueue=False)

    lost.refresh_from_db()
    assert (created, again != lost, lost.status, lost.message) == (True, True, ResultsStatus.FAILED, services.LOST)
    # Should it come back after all, it stores nothing.
    assert not services.results_store(
        results=lost,
        read=results_state(test=test, question=question_of(test)).now,
        summary={},
        pairs=[],
        captions=[],
    )


def test_where_the_queue_is_out_of_reach_it_says_so(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    test = make_rated_study(n_captions=2, n_raters=2)

    def nobody(*_: object, **__: object) -> None:
        raise OperationalError("nobody there")

    monkeypatch.setattr(services.compute_results, "apply_async", nobody)
    with django_capture_on_commit_callbacks(execute=True):
        results, _ = services.results_request(test=test, question=question_of(test))

    results.refresh_from_db()
    assert (results.status, results.message) == (ResultsStatus.QUEUED, services.NO_BROKER)
    results_execute(results_id=results.pk)
    results.refresh_from_db()
    assert (results.status, results.message) == (ResultsStatus.DONE, "")
