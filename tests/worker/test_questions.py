"""Training is on the question that the run names; the study report has each question's numbers."""

import json
import uuid
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from listening_tests.choices import Source
from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest, Question, Rating
from modeling.snapshot import read_snapshot
from tests.worker.studies import make_study
from worker.models import RunTrigger, TrainingPlan, TrainingRun
from worker.selectors import n_new_ratings
from worker.services import run_request
from worker.snapshots import snapshot_create

pytestmark = pytest.mark.django_db


@pytest.fixture
def test() -> ListeningTest:
    """Relevance from 0 to 10 on every pair, and quality from 1 to 5, opposite to it, on all but one."""
    test = make_study(title="Rain")
    quality = Question.objects.create(test=test, name="quality", scale_min=1, scale_max=5)
    relevance = list(test.ratings.order_by("id"))
    Rating.objects.bulk_create(
        Rating(
            client_uuid=uuid.uuid4(),
            test=test,
            pair_id=rating.pair_id,
            rater_id=rating.rater_id,
            question=quality,
            source=Source.IMPORTED,
            score=5 - round(4 * rating.score / 10),
            scale_min=1,
            scale_max=5,
            submitted_at=timezone.now(),
        )
        for rating in relevance
        if rating.pair_id != relevance[-1].pair_id
    )
    return test


def test_a_run_is_on_the_first_question(test: ListeningTest) -> None:
    run, _ = run_request(test=test, trigger=RunTrigger.PERSON)
    assert (run.question, run.config["question"], run.n_ratings_at_start) == ("relevance", "relevance", 54 * 3)


@pytest.mark.parametrize(
    ("argument", "file", "plan", "expected"),
    [
        ("quality", "relevance", "relevance", "quality"),
        ("", "quality", "relevance", "quality"),
        ("", "", "quality", "quality"),
    ],
)
def test_the_question_is_the_nearest(
    test: ListeningTest, tmp_path: Path, argument: str, file: str, plan: str, expected: str
) -> None:
    TrainingPlan.objects.create(test=test, question=plan)
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"question": file} if file else {}))
    run, _ = run_request(test=test, trigger=RunTrigger.PERSON, config_file=config, question=argument)
    assert (run.question, run.config["question"], run.n_ratings_at_start) == (expected, expected, 53 * 3)


def test_a_question_that_the_test_does_not_ask_is_refused(test: ListeningTest) -> None:
    with pytest.raises(Refused) as refusal:
        run_request(test=test, trigger=RunTrigger.PERSON, question="order")
    assert str(refusal.value) == ("“Rain” asks no question named 'order'. Its questions are: relevance, quality.")
    assert not TrainingRun.objects.exists()


def test_a_question_without_ratings_is_refused(test: ListeningTest) -> None:
    Question.objects.create(test=test, name="order")
    with pytest.raises(Refused) as refusal:
        run_request(test=test, trigger=RunTrigger.PERSON, question="order")
    assert str(refusal.value) == (
        "“Rain” has no ratings of study pairs yet on the question order. Training needs some: let raters in first."
    )
    assert not TrainingRun.objects.exists()


def test_the_press_of_retrain_names_the_question(admin_client: Client, test: ListeningTest) -> None:
    page = admin_client.get(reverse("dashboard:test_page", args=[test.slug]), {"question": "quality"})
    assert "Retrain on “quality”" in page.text
    admin_client.post(reverse("dashboard:retrain", args=[test.slug]), {"question": "quality"})
    run = TrainingRun.objects.get()
    assert run.question == "quality"
    assert "<dt>Question</dt><dd>quality</dd>" in admin_client.get(reverse("dashboard:run_page", args=[run.uuid])).text


def test_a_snapshot_holds_the_answers_to_one_question(test: ListeningTest, settings) -> None:
    snapshot = snapshot_create(test=test, question=test.questions.get(name="quality"))
    found = read_snapshot(Path(settings.MEDIA_ROOT) / snapshot.directory)
    assert {row.question for row in found.ratings} == {"quality"}
    assert (snapshot.question, snapshot.n_ratings, found.scale_min, found.scale_max) == ("quality", 53 * 3, 1, 5)


def test_new_ratings_are_those_of_the_planned_question(test: ListeningTest) -> None:
    run_request(test=test, trigger=RunTrigger.PERSON)
    assert n_new_ratings(test=test) == 0
    TrainingPlan.objects.create(test=test, question="quality")
    assert n_new_ratings(test=test) == 53 * 3


def test_a_plan_names_a_question_of_its_test(admin_client: Client, test: ListeningTest) -> None:
    address = reverse("admin:worker_trainingplan_add")
    form = {"test": test.pk, "question": "order", "preset": "", "retrain_after": 500}
    page = admin_client.post(address, form)
    assert "asks no question named &#x27;order&#x27;. Its questions are: relevance, quality." in page.text
    assert not TrainingPlan.objects.exists()
    assert admin_client.post(address, form | {"question": "quality"}).status_code == 302
    assert TrainingPlan.objects.get().question == "quality"


def study_report(slug: str, *arguments: str) -> dict[str, object]:
    out = StringIO()
    call_command("study_report", slug, "--json", *arguments, stdout=out)
    report: dict[str, object] = json.loads(out.getvalue())
    return report


def test_the_study_report_has_each_question(test: ListeningTest) -> None:
    report = study_report(test.slug)
    questions = report.pop("questions")
    assert list(questions) == ["relevance", "quality"]
    assert report == {"test": test.slug, "pairs": 54, **questions["relevance"]}
    assert (questions["relevance"]["rated_pairs"], questions["quality"]["rated_pairs"]) == (54, 53)
    assert questions["quality"]["ratings"] == 53 * 3
    named = study_report(test.slug, "--question", "quality")
    assert named == {"test": test.slug, "pairs": 54, **questions["quality"], "questions": questions}


def test_the_study_report_in_words(test: ListeningTest) -> None:
    out = StringIO()
    call_command("study_report", test.slug, stdout=out)
    assert "Question “relevance”" in out.getvalue()
    assert "Question “quality”" in out.getvalue()


def test_the_study_report_of_a_question_that_is_not_asked(test: ListeningTest) -> None:
    with pytest.raises(Refused, match="“Rain” asks no question named 'order'. Its questions are: relevance, quality."):
        call_command("study_report", test.slug, "--question", "order")
