"""The tab Scores, the same by the API, and the model's scores beside people's means."""

import csv
import io
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from listening_tests.choices import Role
from listening_tests.models import ListeningTest, Pair
from tests.factories import make_pair, make_test
from tests.results import make_rated_study
from tests.scorers import make_champion
from tests.webapp.api import make_script
from tests.webapp.factories import make_member
from tests.worker.studies import make_sound
from worker.models import ModelScore, ScoringJob, ScoringKind, ScoringStatus
from worker.result_jobs import results_compute
from worker.scoring.queueing import pairs_scoring_make
from worker.scoring.services import scores_path

pytestmark = pytest.mark.django_db

LIST = b'file,caption\r\nrain.wav,Rain\r\nrain.wav,"=Wind, then rain"\r\n'


@pytest.fixture(autouse=True)
def nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.scoring.queueing.publish_or_tell", lambda *_: True)


@pytest.fixture
def test(settings: Settings) -> ListeningTest:
    settings.EARMARK_PRESET = "small"
    found = make_test(slug="rain")
    clip = make_sound()
    clip.name = "rain.wav"
    clip.save()
    make_pair(found, clip=clip)
    return found


def address(name: str, test: ListeningTest, *args: Any) -> str:
    return reverse(f"dashboard:{name}", args=[test.slug, *args])


def send(client: Client, test: ListeningTest, content: bytes = LIST, uuid: object = None) -> Any:
    pairs = SimpleUploadedFile("pairs.csv", content)
    told = {"uuid": uuid or uuid4(), "question": test.questions.get().name, "pairs": pairs}
    return client.post(address("list_send", test), told, follow=True)


def finish(job: ScoringJob) -> None:
    scores_path(job).write_bytes(b"file,caption,cosine,score,score_sd\r\nrain.wav,Rain,0.5,5.0,\r\n")
    ScoringJob.objects.filter(pk=job.pk).update(status=ScoringStatus.DONE, finished_at=job.created_at, done=2)


def test_it_works(staff: Client, test: ListeningTest) -> None:
    """A list is sent, watched, cancelled; another is fetched when it is done."""
    uuid = uuid4()
    text = send(staff, test, uuid=uuid).text
    assert send(staff, test, uuid=uuid).status_code == 200
    job = ScoringJob.objects.get()
    assert (job.status, job.total, job.model_name) == (ScoringStatus.QUEUED, 2, "builtin, untuned")
    assert "pairs.csv" in text and "0 of 2" in text and 'hx-trigger="every 2s"' in text
    assert "No tuned model is in use yet." in text
    assert f'<a href="{address("scores_page", test)}" aria-current="page">Scores</a>' in text

    stopped = staff.post(address("scoring_stop", test, job.uuid), follow=True)
    assert "Cancelled before it began." in stopped.text
    live = staff.get(address("scores_live", test))
    assert live.headers["HX-Reswap"] == "outerHTML"
    assert "<html" not in live.text

    send(staff, test)
    other = ScoringJob.objects.get(status=ScoringStatus.QUEUED)
    assert staff.get(address("scoring_table", test, other.uuid)).status_code == 404
    finish(other)
    assert address("scoring_table", test, other.uuid) in staff.get(address("scores_page", test)).text
    table = staff.get(address("scoring_table", test, other.uuid))
    assert b"".join(table.streaming_content).startswith(b"file,caption,cosine,score,score_sd")
    assert table.headers["Content-Disposition"].startswith('attachment; filename="rain-scores-')


def test_a_list_at_fault_says_where(staff: Client, test: ListeningTest) -> None:
    text = send(staff, test, b"file,caption\r\n<b>.wav,Rain\r\n").text
    assert "A row cannot be scored. Mend the list and send it again." in text
    assert "line 2, file: no clip of the test has the uuid, the sha256 or the name &#x27;&lt;b&gt;.wav&#x27;" in text
    assert "Choose a list of pairs (CSV) that is not empty." in send(staff, test, b"").text
    assert not ScoringJob.objects.exists()


def test_the_model_in_use_goes_over_all_pairs(staff: Client, test: ListeningTest, settings: Settings) -> None:
    told = {"question": test.questions.get().name}
    text = staff.post(address("pairs_score", test), told, follow=True).text
    assert "No tuned model is in use for" in text
    version = make_champion(test, settings)
    for _ in range(2):
        text = staff.post(address("pairs_score", test), told, follow=True).text
    assert ScoringJob.objects.get().kind == ScoringKind.PAIRS
    assert "All pairs of the test" in text and str(version) in text
    assert "It has not gone over the pairs of this test yet." in text
    ModelScore.objects.create(version=version, pair=test.pairs.get(), cosine=0.5, score=7.25, has_learned=False)
    assert "It has scored 1 pair of this test" in staff.get(address("scores_page", test)).text


def test_only_who_may_train_asks(client: Client, test: ListeningTest) -> None:
    client.force_login(make_member(test, Role.ASSISTANT))
    page = client.get(address("scores_page", test))
    assert page.status_code == 200
    assert "Send and score" not in page.text
    job = ScoringJob.objects.create(test=test, kind=ScoringKind.LIST, base_model="builtin")
    for name, args in (("list_send", []), ("pairs_score", []), ("scoring_stop", [job.uuid])):
        assert client.post(address(name, test, *args)).status_code == 403
    client.force_login(make_member(make_test(), username="stranger"))
    for name in ("scores_page", "scores_live"):
        assert client.get(address(name, test)).status_code == 404
    assert client.get(address("scoring_table", test, job.uuid)).status_code == 404


def test_scorings_of_other_tests_are_not_there(staff: Client, test: ListeningTest) -> None:
    other = ScoringJob.objects.create(test=make_test(), kind=ScoringKind.LIST, base_model="builtin")
    assert staff.post(address("scoring_stop", test, other.uuid)).status_code == 404
    assert staff.get(address("scoring_table", test, other.uuid)).status_code == 404


def test_a_page_of_many_takes_as_many_queries_as_one_of_few(
    staff: Client, test: ListeningTest, settings: Settings, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    version = make_champion(test, settings)
    for _ in range(30):
        values = {"status": ScoringStatus.CANCELLED, "finished_at": version.created_at, "version": version}
        ScoringJob.objects.create(test=test, kind=ScoringKind.LIST, **values)
    with django_assert_max_num_queries(14):
        text = staff.get(address("scores_page", test)).text
    assert "Page 1 of 2" in text


def test_a_test_without_a_question(staff: Client) -> None:
    test = make_test()
    test.questions.all().delete()
    assert "asks raters no question yet" in staff.get(address("scores_page", test)).text
    assert "asks raters no question yet" in staff.post(address("pairs_score", test), follow=True).text


def scored_study(settings: Settings) -> ListeningTest:
    """With results, and a model's scores of all pairs but one; it has learned from the first."""
    test = make_rated_study()
    results_compute(test=test, question=test.questions.earliest("id"))
    version = make_champion(test, settings)
    pairs = list(test.pairs.order_by("pk"))
    ModelScore.objects.bulk_create(
        ModelScore(version=version, pair=pair, cosine=0.25, score=6.5, score_sd=1.25, has_learned=place == 0)
        for place, pair in enumerate(pairs[:-1])
    )
    return test


def test_scores_stand_beside_peoples_means(staff: Client, settings: Settings) -> None:
    test = scored_study(settings)
    text = staff.get(address("results_pairs", test)).text
    n_scored = ModelScore.objects.count()
    assert text.count('data-label="Model’s score"') == n_scored + 1
    assert text.count("6.50") == n_scored and text.count("± 1.25") == n_scored
    assert text.count('title="The model has learned from this clip or this caption"') == 1

    response = staff.get(address("results_csv", test, "pairs"))
    rows = list(csv.DictReader(io.StringIO(response.getvalue().decode())))
    found = [(row["model_score"], row["model_score_sd"], row["model_cosine"]) for row in rows]
    assert sorted(found) == sorted([("6.5", "1.25", "0.25")] * n_scored + [("", "", "")])
    assert [row["model_has_learned"] for row in rows].count("True") == 1


def test_results_without_a_model_have_no_column_of_it(staff: Client) -> None:
    test = make_rated_study()
    results_compute(test=test, question=test.questions.earliest("id"))
    assert "Model’s score" not in staff.get(address("results_pairs", test)).text


def test_the_same_by_the_api(settings: Settings) -> None:
    test = scored_study(settings)
    script = make_script(test, Role.ANALYST)
    rows = script.get(f"tests/{test.slug}/results/pairs/").json()["results"]
    told = {"cosine": 0.25, "score": 6.5, "score_sd": 1.25, "has_learned": False}
    assert told in [row["model_score"] for row in rows]
    assert [row["model_score"] for row in rows].count(None) == 1
    scores = script.get(f"tests/{test.slug}/scores/").json()["results"]
    assert len(scores) == ModelScore.objects.count()
    assert {name: scores[1][name] for name in told} == told


def test_lists_by_the_api(test: ListeningTest, settings: Settings) -> None:
    script = make_script(test, Role.ANALYST)
    sent = script.upload(
        "tests/rain/scorings/", {"pairs": SimpleUploadedFile("p.csv", LIST)}, **{"Idempotency-Key": "k"}
    )
    again = script.upload(
        "tests/rain/scorings/", {"pairs": SimpleUploadedFile("p.csv", LIST)}, **{"Idempotency-Key": "k"}
    )
    assert (sent.status_code, again.status_code, again.json()) == (202, 202, sent.json())
    found = sent.json()
    assert (found["kind"], found["status"], found["total"], found["model"]) == ("list", "queued", 2, None)
    uuid = found["uuid"]
    assert script.get(f"tests/rain/scorings/{uuid}/").json() == found
    assert script.get("tests/rain/scorings/").json()["results"] == [found]
    early = script.get(f"tests/rain/scorings/{uuid}/scores.csv")
    assert early.status_code == 422
    assert early.json()["detail"].startswith("There is no table of this scoring")
    finish(ScoringJob.objects.get())
    table = script.get(f"tests/rain/scorings/{uuid}/scores.csv")
    assert b"".join(table.streaming_content).startswith(b"file,caption,cosine,score,score_sd")

    queued = script.upload("tests/rain/scorings/", {"pairs": SimpleUploadedFile("p.csv", LIST)}).json()["uuid"]
    assert script.post(f"tests/rain/scorings/{queued}/cancel/").json()["status"] == "cancelled"


def test_what_the_api_refuses_of_lists(test: ListeningTest, settings: Settings) -> None:
    script = make_script(test, Role.ANALYST)
    bad = script.upload(
        "tests/rain/scorings/", {"pairs": SimpleUploadedFile("p.csv", b"file,caption\na,b\nrain.wav,\n")}
    )
    assert bad.status_code == 422
    assert bad.json() == {
        "detail": "2 rows cannot be scored, so none is. Mend the list and send it again.",
        "problems": [
            {"where": "line 2, file", "message": "no clip of the test has the uuid, the sha256 or the name 'a'"},
            {"where": "line 3, caption", "message": "it is empty"},
        ],
    }
    none = script.post("tests/rain/scorings/")
    assert (none.status_code, none.json()["detail"][:28]) == (422, "No tuned model is in use for")
    version = make_champion(test, settings)
    named = script.post("tests/rain/scorings/", {"model": str(version.uuid)})
    assert (named.status_code, named.json()["detail"][:35]) == (422, "All pairs of a test are scored by i")
    unknown = script.upload("tests/rain/scorings/", {"pairs": SimpleUploadedFile("p.csv", LIST), "model": uuid4()})
    assert unknown.status_code == 404
    assert not ScoringJob.objects.exists()
    asked = script.post("tests/rain/scorings/")
    assert (asked.status_code, asked.json()["kind"], asked.json()["model"]) == (202, "pairs", str(version.uuid))
    assistant = make_script(test, Role.ASSISTANT, name="assistant")
    assert assistant.post("tests/rain/scorings/").status_code == 403


def test_all_pairs_of_a_test_go_with_it(test: ListeningTest, settings: Settings) -> None:
    version = make_champion(test, settings)
    ModelScore.objects.create(version=version, pair=Pair.objects.get(), cosine=0.5, score=7.25)
    job, _ = pairs_scoring_make(version=version)
    assert Path(scores_path(job)).parent.name == str(job.uuid)
    version.run.delete()
    assert not ModelScore.objects.exists() and not ScoringJob.objects.exists()
