"""What a script does with the API: a study from its draft to its results, and what it is refused."""

import io
import json
import shutil
import zipfile

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import DjangoAssertNumQueries

from listening_tests.choices import AuditedAction, Role, TestKind, TestStatus
from listening_tests.models import AuditEntry, ClipImport, Exclusion, ListeningTest, Member, Rating
from listening_tests.services.clip_imports import manifest_path
from listening_tests.services.locks import ADDRESS_IS_KNOWN, WAS_OPENED
from modeling.results import MeasuredPoint
from tests.collection.answered import make_answered
from tests.collection.sounds import encoded, noise
from tests.factories import make_pair, make_pairs, make_test
from tests.uploads import carry_out
from tests.webapp.api import Script, make_script
from tests.webapp.factories import make_done_run, make_rating, make_run, make_trainable_test
from webapp.api.models import KeptAnswer
from worker.models import RunStatus, TrainingRun
from worker.run_files import run_directories
from worker.run_log import run_log_add
from worker.run_points import points_store

pytestmark = pytest.mark.django_db


def audited(test: ListeningTest) -> list[str]:
    return list(AuditEntry.objects.filter(test=test).order_by("id").values_list("action", flat=True))


def upload_of(name: str, content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def zip_of(rows: str) -> SimpleUploadedFile:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.wav", encoded(noise(0.3, rate=16_000), rate=16_000))
        archive.writestr("manifest.csv", f"file,caption,role\n{rows}")
    return upload_of("sounds.zip", stream.getvalue())


def looked_at(script: Script, archive: SimpleUploadedFile) -> str:
    """The address of an upload at which a worker has looked."""
    sent = script.upload("tests/rain/clips/", {"archive": archive})
    assert (sent.status_code, sent.json()["status"]) == (202, "queued"), sent.content
    carry_out(ClipImport.objects.get(uuid=sent.json()["uuid"]))
    return f"tests/rain/uploads/{sent.json()['uuid']}/"


def take_in(script: Script, archive: SimpleUploadedFile) -> None:
    address = looked_at(script, archive)
    assert script.get(address).json()["status"] == "checked"
    assert script.post(f"{address}take-in/").status_code == 202
    carry_out(ClipImport.objects.latest("pk"))
    assert script.post(f"{address}take-in/").json()["status"] == "done"


def test_it_works() -> None:
    """A study by script: made, filled, opened, closed; whoever made it owns it."""
    script = make_script()
    made = script.post("tests/", {"slug": "rain", "title": "Rain", "standard_questions": ["relevance", "order"]})
    assert (made.status_code, made.json()["status"]) == (201, "draft")
    assert made.json()["raters_address"] == "http://testserver/t/rain/"
    test = ListeningTest.objects.get()
    assert Member.objects.get(test=test).role == Role.OWNER

    changed = script("patch", "tests/rain/", {"contact_email": "lab@example.org"})
    assert changed.json()["contact_email"] == "lab@example.org"
    take_in(script, zip_of("a.wav,Rain falls.,study\n"))
    (pair,) = script.get("tests/rain/pairs/").json()["results"]
    assert (pair["caption"]["text"], pair["role"], pair["load"]) == ("Rain falls.", "study", 0)
    sound = script.client.get(pair["clip"]["audio"], headers=script.headers)
    assert sound.headers["Content-Type"] == "audio/flac"
    assert sound.getvalue()[:4] == b"fLaC"

    missing = script.get("tests/rain/checklist/").json()
    assert len(missing["shortcomings"]) == 2 and "launch" in missing["allowed"]
    refused = script.post("tests/rain/open/")
    assert refused.status_code == 422
    assert [found["message"] for found in refused.json()["problems"]] == [
        found["sentence"] for found in missing["shortcomings"]
    ]
    assert script.post("tests/rain/open/", {"force": True}).json()["status"] == "open"
    assert script.post("tests/rain/pause/").json()["status"] == "paused"
    assert script.post("tests/rain/close/").json()["status"] == "closed"
    assert script.post("tests/rain/close/").status_code == 200
    assert audited(test) == [
        *(AuditedAction.CREATED, AuditedAction.CHANGED, AuditedAction.INGESTED),
        *(AuditedAction.OPENED, AuditedAction.PAUSED, AuditedAction.CLOSED),
    ]
    told = script.get("tests/rain/audit/").json()["results"]
    assert [(entry["action"], entry["username"]) for entry in told[:2]] == [("closed", "script"), ("paused", "script")]


@pytest.mark.parametrize(
    ("sent", "code", "sentence"),
    [
        ({"title": "Rain"}, 400, "This field is required."),
        ({"slug": "rain", "title": "x", "standard_questions": ["beauty"]}, 400, '"beauty" is not a valid choice.'),
        (
            {"slug": "rain", "title": "x", "standard_questions": ["order", "order"]},
            400,
            "A question is asked once. Name each one once.",
        ),
        (
            {"slug": "rain", "title": "x", "headphones_required": True},
            422,
            "Headphones can be required only where they are checked. Choose a check, or do not require them.",
        ),
    ],
)
def test_a_test_that_cannot_be_made(sent: dict[str, object], code: int, sentence: str) -> None:
    response = make_script().post("tests/", sent)
    assert response.status_code == code
    told = response.json()
    assert sentence in [told["detail"], *(problem["message"] for problem in told["problems"])]
    assert not ListeningTest.objects.exists()


def test_what_is_not_json_is_refused_in_sentences() -> None:
    script = make_script()
    broken = script.client.post("/api/tests/", "{", content_type="application/json", headers=script.headers)
    assert (broken.status_code, broken.json()["detail"][:16]) == (400, "JSON parse error")
    assert script.upload("tests/", {"title": "x"}).status_code == 415


def test_what_was_opened_changes_as_far_as_nothing_locks_it() -> None:
    test = make_test(slug="rain", status=TestStatus.PAUSED)
    script = make_script(test)
    refused = script(
        "patch", "tests/rain/", {"title": "Snow", "slug": "snow", "completion_code": "A", "no_consent_code": "A"}
    )
    assert (refused.status_code, refused.json()["detail"]) == (422, "The test rain was not changed:")
    assert {problem["where"]: problem["message"] for problem in refused.json()["problems"]} == {
        "slug": ADDRESS_IS_KNOWN,
        "no_consent_code": "This is the code for “Complete” too, so nobody could tell the two apart. "
        "Give each outcome a code of its own.",
    }
    assert (ListeningTest.objects.get().title, ListeningTest.objects.get().slug) == (test.title, "rain")
    assert script("patch", "tests/rain/", {"title": "Snow", "max_raters": 3}).json()["title"] == "Snow"
    locked = {lock["field"]: lock["reason"] for lock in script.get("tests/rain/checklist/").json()["locked"]}
    assert locked == {"slug": ADDRESS_IS_KNOWN, "opens_at": WAS_OPENED, "opens_forced": WAS_OPENED}


def test_where_raters_come_from_is_set_up_too() -> None:
    script = make_script(make_test(slug="before"))
    others = make_test(slug="others")
    sent = {
        **{"slug": "rain", "title": "Rain", "recruiter": "prolific", "reward": "2.50", "currency": "EUR"},
        **{"max_raters": 30, "completion_code": "DONE", "excluded_tests": ["before"], "repeats_per_session": 1},
        **{"opens_at": "2040-01-01T00:00:00Z", "closes_at": "2040-02-01T00:00:00Z"},
    }
    made = script.post("tests/", sent)
    assert made.json() | sent == made.json()
    assert list(ListeningTest.objects.get(slug="rain").excluded_tests.values_list("slug", flat=True)) == ["before"]
    # Somebody else's that was chosen stays, and can be chosen by nobody who does not work on it.
    for name in ("others", "be\0fore"):
        unknown = script("patch", "tests/rain/", {"excluded_tests": [name]})
        assert (unknown.status_code, unknown.json()["problems"][0]["where"]) == (400, "excluded_tests")
    ListeningTest.objects.get(slug="rain").excluded_tests.add(others)
    assert script("patch", "tests/rain/", {"excluded_tests": ["others"]}).json()["excluded_tests"] == ["others"]
    late = script("patch", "tests/rain/", {"closes_at": "2039-01-01T00:00:00Z"})
    assert late.json()["problems"] == [
        {
            "where": "closes_at",
            "message": "The test would close before it opens. Choose a later date, or leave it empty.",
        }
    ]


def test_the_kind_stays_once_there_are_clips() -> None:
    test = make_test(slug="rain", status=TestStatus.DRAFT)
    script = make_script(test)
    assert script("patch", "tests/rain/", {"kind": "comparison"}).status_code == 200
    make_pair(test)
    assert script("patch", "tests/rain/", {"kind": "rating"}).status_code == 422
    assert ListeningTest.objects.get().kind == TestKind.COMPARISON


def test_a_manifest_with_a_bad_row_takes_in_nothing_until_it_is_mended() -> None:
    test = make_test(slug="rain", status=TestStatus.DRAFT)
    script = make_script(test)
    address = looked_at(script, zip_of("a.wav,,study\nb.wav,Rain.,study\n"))
    assert script.get(address).json()["status"] == "refused"
    found = script.get(f"{address}findings/").json()["results"]
    assert [(row["kind"], row["line"]) for row in found] == [("problem", 2), ("problem", 3)]
    refused = script.post(f"{address}take-in/")
    assert (refused.status_code, refused.json()["detail"]) == (
        422,
        "The upload sounds.zip has rows to mend, and comes in as a whole or not at all. Upload a corrected manifest.",
    )
    mended = upload_of("manifest.csv", b"file,caption,role\na.wav,Rain.,study\n")
    assert script.upload(f"{address}manifest/", {"manifest": mended}).json()["status"] == "queued"
    carry_out(ClipImport.objects.get())
    assert script.get(f"{address}findings/").json()["results"] == [] and not test.pairs.exists()
    assert script.post(f"{address}cancel/").json()["status"] == "cancelled"
    assert [row["status"] for row in script.get("tests/rain/uploads/").json()["results"]] == ["cancelled"]
    assert not test.pairs.exists() and audited(test) == []


def test_an_upload_whose_sounds_are_gone_is_not_mended() -> None:
    script = make_script(make_test(slug="rain", status=TestStatus.DRAFT))
    address = looked_at(script, zip_of("a.wav,,study\n"))
    shutil.rmtree(manifest_path(ClipImport.objects.get()).parent)
    told = script.upload(f"{address}manifest/", {"manifest": upload_of("manifest.csv", b"file,caption\n")})
    assert (told.status_code, told.json()["detail"]) == (
        422,
        "The sounds of the upload sounds.zip are gone from the server. Upload them anew.",
    )
    assert ClipImport.objects.get().status == "refused"


def test_an_upload_that_is_too_large_is_refused_unread() -> None:
    script = make_script(make_test(slug="rain", status=TestStatus.DRAFT))
    told = script.client.post(
        "/api/tests/rain/clips/", headers=script.headers | {"Content-Length": "0"}, content_type="multipart/form-data"
    )
    assert (told.status_code, told.json()["detail"]) == (
        422,
        "The upload does not say how large it is. Send it with a Content-Length.",
    )


# -- idempotency


def test_a_repeat_with_the_same_key_gets_the_same_answer() -> None:
    script, sent = make_script(), {"slug": "rain", "title": "Rain"}
    key = {"Idempotency-Key": "one"}
    first, again = script.post("tests/", sent, **key), script.post("tests/", sent, **key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true" and "Idempotency-Replayed" not in first.headers
    assert ListeningTest.objects.count() == 1 and len(audited(ListeningTest.objects.get())) == 1

    other = script.post("tests/", sent | {"title": "Snow"}, **key)
    assert other.status_code == 422
    assert other.json()["detail"] == (
        "This Idempotency-Key was used for another request. Make a new key for each thing that you want done."
    )
    assert script.post("tests/rain/open/", {}, **key).status_code == 422
    # Another account's key is another key.
    assert make_script(name="other").post("tests/", {"slug": "snow", "title": "x"}, **key).status_code == 201


def test_what_was_refused_is_judged_anew() -> None:
    script, key = make_script(), {"Idempotency-Key": "one"}
    assert script.post("tests/", {"slug": "rain"}, **key).status_code == 400
    assert not KeptAnswer.objects.exists()
    assert script.post("tests/", {"slug": "rain", "title": "Rain"}, **key).status_code == 201


def test_an_upload_is_known_by_what_is_in_it() -> None:
    script, key = make_script(make_test(slug="rain", status=TestStatus.DRAFT)), {"Idempotency-Key": "one"}
    sent = zip_of("a.wav,Rain.,study\n").read()
    answers = [script.upload("tests/rain/clips/", {"archive": upload_of("a.zip", sent)}, **key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert ClipImport.objects.count() == 1
    assert script.upload("tests/rain/clips/", {"archive": zip_of("a.wav,Snow.,study\n")}, **key).status_code == 422


@pytest.mark.parametrize("key", ["", "x" * 201, "a\tb"])
def test_a_key_that_is_none(key: str) -> None:
    response = make_script().post("tests/", {"slug": "rain", "title": "x"}, **{"Idempotency-Key": key})
    assert response.json()["problems"] == [
        {"where": "Idempotency-Key", "message": "A key has 1 to 200 letters that can be printed."}
    ]
    assert not ListeningTest.objects.exists()


# -- answers


def test_ratings_by_page_and_filter(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    test = make_answered(TestKind.RATING)
    script = make_script(test)
    address = f"tests/{test.slug}/ratings/"
    script.get(address)
    # The token, the test, the page, and the exclusions of its rows.
    with django_assert_num_queries(4):
        page = script.get(f"{address}?page_size=7").json()
    rows = page["results"]
    while page["next"]:
        page = script.client.get(page["next"], headers=script.headers).json()
        rows += page["results"]
    assert [row["uuid"] for row in rows] == [
        str(uuid) for uuid in Rating.objects.order_by("submitted_at", "pk").values_list("uuid", flat=True)
    ]
    assert [len(row["exclusions"]) for row in rows[:3]] == [2, 1, 0]
    rater, moment = rows[0]["rater"], rows[9]["submitted_at"].replace("+", "%2B")

    def n(query: str) -> int:
        return len(script.get(f"{address}?page_size=1000&{query}").json()["results"])

    assert (n("question=quality"), n("role=gold"), n(f"rater={rater}"), n("excluded=without")) == (6, 6, 9, 16)
    assert n(f"since={moment}") + n(f"until={moment}") == 18 and n(f"until={moment}") == 9
    assert script.get(f"tests/{test.slug}/comparisons/").json()["results"] == []


def test_comparisons_are_choices_between_two() -> None:
    test = make_answered(TestKind.COMPARISON)
    rows = make_script(test).get(f"tests/{test.slug}/comparisons/?excluded=without").json()["results"]
    assert rows and {row["choice"] for row in rows} == {"first", "none"}
    assert {"first_system", "second_system", "caption", "role"} < set(rows[0])


@pytest.mark.parametrize(
    ("query", "code", "sentence"),
    [
        ("question=beauty", 422, "The test rain asks no question 'beauty'. Its questions are: relevance."),
        ("role=king", 400, '"king" is not a valid choice.'),
        ("rater=me", 400, "Must be a valid UUID."),
        ("cursor=cD1hYmM%3D", 404, "This cursor leads nowhere. Take the address of a page from `next` or `previous`."),
    ],
)
def test_a_filter_that_says_nothing(query: str, code: int, sentence: str) -> None:
    response = make_script(make_test(slug="rain")).get(f"tests/rain/ratings/?{query}")
    told = response.json()
    assert response.status_code == code
    assert sentence in [told["detail"], *(problem["message"] for problem in told["problems"])]


def test_an_export_is_the_file_of_the_command_and_comes_back(tmp_path: object) -> None:
    test = make_answered(TestKind.RATING)
    script = make_script(test)
    whole = script.get(f"tests/{test.slug}/export/?format=jsonl")
    assert whole.headers["Content-Disposition"] == f'attachment; filename="{test.slug}.jsonl"'
    content = whole.getvalue()
    rows = [json.loads(line) for line in content.decode().split("\n") if line]
    assert len(rows) == 18
    less = script.get(f"tests/{test.slug}/export/?question=quality&excluded=without").getvalue().decode()
    assert less.count(test.slug) == Rating.objects.filter(question__name="quality", exclusions=None).count()
    assert audited(test) == [AuditedAction.EXPORTED] * 2
    assert AuditEntry.objects.first().detail == "As csv through the API: question quality, without excluded ones"  # type: ignore[union-attr]

    known = script.upload(f"tests/{test.slug}/imports/", {"file": upload_of("x.jsonl", content), "layout": "earmark"})
    assert known.json() | {"summary": ""} == {"summary": "", "new": 0, "known": 18, "left_out": 0}
    assert Rating.objects.count() == 18


def test_ratings_that_cannot_be_imported() -> None:
    test = make_test(slug="rain")
    rows = b"wav_file_name,text,rater,score\na.wav,Rain.,x,7\nb.wav,Rain.,x,eleven\n"
    response = make_script(test).upload("tests/rain/imports/", {"file": upload_of("x.csv", rows), "layout": "xacle"})
    assert response.status_code == 422
    assert [problem["where"] for problem in response.json()["problems"]] == ["line 3, score"]
    assert not Rating.objects.exists() and audited(test) == []


# -- results and runs


def test_results_are_those_of_the_study_report() -> None:
    test = make_test(slug="rain")
    pair = make_pair(test)
    Exclusion.objects.create(rating=make_rating(pair, 3), rule="by-hand", reason="A door slammed.")
    make_rating(pair, 7)
    told = make_script(test).get("tests/rain/results/").json()
    (question,) = told["questions"]
    assert (told["pairs"], question["question"], question["ratings"], question["excluded_ratings"]) == (
        *(1, "relevance", 1),
        1,
    )
    assert question["icc1"] is None


def test_a_run_is_asked_for_once_watched_and_cancelled() -> None:
    test = make_trainable_test(slug="rain")
    script = make_script(test)
    first, again = script.post("tests/rain/runs/", {"preset": "small"}), script.post("tests/rain/runs/")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["uuid"] == again.json()["uuid"] and first.json()["requested_by"] == "script"
    address = f"tests/rain/runs/{first.json()['uuid']}/"
    assert script.get(address).json()["metrics"] is None
    assert script.post(f"{address}cancel/").json()["status"] == "cancelled"
    assert script.post(f"{address}cancel/").status_code == 200
    assert audited(test) == [AuditedAction.TRAINED]
    done = make_done_run(test)
    assert script.get(f"tests/rain/runs/{done.uuid}/").json()["metrics"]["tuned"]["srcc"]["value"] == 0.62
    assert [run["uuid"] for run in script.get("tests/rain/runs/").json()["results"]][-1] == str(done.uuid)


def test_a_run_takes_settings() -> None:
    test = make_trainable_test(slug="rain")
    settings = {"epochs": 3, "seed": 5, "losses": {"mse": 0.5}, "policy": "last-stages"}
    response = make_script(test).post("tests/rain/runs/", {"preset": "small", "settings": settings})
    assert (response.status_code, response.json()["seed"]) == (201, 5)
    assert {name: TrainingRun.objects.get().config[name] for name in settings} == settings


def test_settings_that_cannot_be_used_are_told_all_at_once() -> None:
    test = make_trainable_test(slug="rain")
    settings = {"epochs": 0, "losses": {"mea": 1}, "model": "/etc", "epoch": 3}
    response = make_script(test).post("tests/rain/runs/", {"preset": "small", "settings": settings})
    assert response.status_code == 422
    assert response.json()["detail"] == (
        "The run was not started: its settings cannot be used. Each problem is listed."
    )
    told = {problem["where"]: problem["message"].split(".")[0] for problem in response.json()["problems"]}
    assert told == {
        "model": "model cannot be set here",
        "epoch": "epoch cannot be set here",
        "losses": "losses: 'mea' is not a loss; choose from mse, mae, wsce, clipped_mse, pairwise, listnet",
        "epochs": "epochs must be a whole number from 1 to 1000, not 0",
    }
    unknown = make_script(test, name="other").post("tests/rain/runs/", {"preset": "big"})
    (problem,) = unknown.json()["problems"]
    assert problem["where"] == "preset" and problem["message"].startswith("There is no preset 'big'; choose from ")
    assert not TrainingRun.objects.exists()


def test_the_course_of_a_run_is_read_while_it_trains() -> None:
    test = make_test(slug="rain")
    run = make_run(test, RunStatus.RUNNING)
    points = [MeasuredPoint(0, 9, 0, 3, validation=0.25), MeasuredPoint(1, 9, 0, 3, loss=1.5)]
    points_store(run_id=run.pk, points=points)
    run_log_add(run_id=run.pk, text="Trains.")
    told = make_script(test).get(f"tests/rain/runs/{run.uuid}/course/").json()
    assert told["points"] == [
        {"step": 0, "epoch": 0, "loss": None, "validation": 0.25},
        {"step": 1, "epoch": 0, "loss": 1.5, "validation": None},
    ]
    assert [(line["text"], line["is_warning"]) for line in told["log"]] == [("Trains.", False)]


def test_a_cancelled_run_goes_on_where_there_is_a_checkpoint() -> None:
    test = make_test(slug="rain")
    run = make_run(test, RunStatus.CANCELLED)
    script, address = make_script(test), f"tests/rain/runs/{run.uuid}/go-on/"
    refused = script.post(address)
    assert (refused.status_code, refused.json()["detail"]) == (
        *(422, f"{run} has no checkpoint to go on from. Start a new run."),
    )
    (run_directories(run=run) / "checkpoint/epoch-00001-step-000000").mkdir(parents=True)
    TrainingRun.objects.update(checkpoint="runs/x")
    assert [script.post(address).json()["status"] for _ in range(2)] == ["queued", "queued"]
    assert audited(test) == [AuditedAction.TRAINED]


def test_a_run_that_has_too_little_to_learn_from() -> None:
    test = make_test(slug="rain", title="Rain")
    response = make_script(test).post("tests/rain/runs/")
    assert response.json()["detail"] == (
        "“Rain” has no ratings of study pairs yet. Training needs some: let raters in first."
    )
    assert not TrainingRun.objects.exists()


# -- members


def test_owners_say_who_works_on_a_test() -> None:
    test = make_test(slug="rain")
    script = make_script(test)
    User.objects.create(username="ann", is_staff=True)
    User.objects.create(username="guest")
    assert script("put", "tests/rain/members/ann/", {"role": "analyst"}).status_code == 201
    assert script("put", "tests/rain/members/ann/", {"role": "assistant"}).status_code == 200
    listed = script.get("tests/rain/members/").json()["results"]
    assert [(row["username"], row["role"]) for row in listed] == [("script", "owner"), ("ann", "assistant")]
    assert script("delete", "tests/rain/members/ann/").status_code == 204
    assert script("delete", "tests/rain/members/ann/").status_code == 404
    assert audited(test) == [AuditedAction.MEMBERS] * 3
    for method, name, sentence in (
        ("put", "guest", "The account guest is no active staff, so it can work on no test."),
        ("put", "nobody", "There is no account nobody. Whoever looks after the accounts can make it."),
        ("put", "script", "A test needs an owner, who alone can say who works on it."),
        ("delete", "script", "A test needs an owner, who alone can say who works on it."),
    ):
        refused = script(method, f"tests/rain/members/{name}/", {"role": "analyst"})
        assert refused.status_code == 422
        assert refused.json()["detail"].startswith(sentence)
    assert list(Member.objects.values_list("user__username", "role")) == [("script", "owner")]


@pytest.mark.parametrize(
    ("address", "queries"),
    [("tests/", 4), ("tests/rain/pairs/", 3), ("tests/rain/clips/", 3), ("tests/rain/members/", 4)],
)
def test_lists_take_as_many_queries_whatever_they_hold(
    address: str, queries: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    test = make_test(slug="rain")
    script = make_script(test)
    make_pairs(test, 3)
    user = User.objects.get(username="script")
    for _ in range(3):
        Member.objects.create(test=make_test(), user=user, role=Role.OWNER)
    script.get("")
    with django_assert_num_queries(queries):
        assert script.get(address).status_code == 200


def test_the_columns_are_told_where_they_are_exported() -> None:
    script: Script = make_script()
    told = script.get("columns/").json()
    assert (told[0]["name"], told[0]["type"]) == ("answer_uuid", "uuid")
    assert script.get("").json()["columns"] == "http://testserver/api/columns/"
