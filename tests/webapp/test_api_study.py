"""A whole study by script, from its draft to the pay list; and what a script does beside the pages of a test."""

import json
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import DjangoAssertNumQueries

from listening_tests.choices import AuditedAction, PairRole, TestKind, TestStatus
from listening_tests.models import (
    Assignment,
    AuditEntry,
    ClipImport,
    Exclusion,
    ListeningTest,
    Pilot,
    Question,
    Rating,
    Screening,
    Session,
)
from tests.factories import make_caption, make_pair, make_pairs, make_test
from tests.results import make_rated_study
from tests.screened import make_screened_test
from tests.sittings import answer_all, make_test_of, prefer
from tests.uploads import carry_out, manifest, sound, zipped
from tests.webapp.api import make_script
from tests.webapp.test_dashboard_pay import STUDIES, an_id, finish
from worker import services_pilots
from worker.result_jobs import results_compute, results_execute
from worker.screening.computing import asked_compute, screening_compute
from worker.screening.services import NOT_COMPUTED
from worker.services_pilots import pilot_execute

pytestmark = pytest.mark.django_db
N_CAPTIONS = 6


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Few resamples; and nothing goes to the queue."""
    monkeypatch.setattr("modeling.study_results.two_way.MOST_DRAWS", 499)
    monkeypatch.setattr("modeling.study_results.two_way.LEAST_DRAWS", 499)
    with mock.patch.object(services_pilots, "pilot_enqueue"):
        yield


def sounds() -> SimpleUploadedFile:
    """Six captions, each by two systems."""
    rows = [f"{n}.wav,Sound {n // 2}.,{('mine', 'other')[n % 2]},s{n // 2}" for n in range(2 * N_CAPTIONS)]
    members = {f"{n}.wav": sound(n) for n in range(2 * N_CAPTIONS)}
    members["manifest.csv"] = manifest(*rows, header="file,caption,system,source_id")
    return SimpleUploadedFile("sounds.zip", zipped(members))


def careful(question: Question, lease: Assignment) -> tuple[object, ...]:
    (pair,) = lease.pairs
    return (0.0,) if pair.role == PairRole.ANCHOR else (float(2 + pair.pk % 7),)


def careless(question: Question, lease: Assignment) -> tuple[object, ...]:
    return (9.0,)


def test_a_whole_study() -> None:
    script = make_script()
    script.post("tests/", {"slug": "rain", "title": "Rain", "ratings_per_pair": 4, "recruiter": "prolific"})
    changes = {"contact_email": "lab@example.org", "pairs_per_session": 15, "reward": "2.00", "currency": "EUR"}
    assert script("patch", "tests/rain/", changes).json()["reward"] == "2.00"
    sent = script.upload("tests/rain/clips/", {"archive": sounds()}).json()
    carry_out(ClipImport.objects.get())
    script.post(f"tests/rain/uploads/{sent['uuid']}/take-in/")
    carry_out(ClipImport.objects.get())
    assert script.get("tests/rain/balance/").json()["is_balanced"] is True
    assert script.post("tests/rain/anchors/", {"n": 3}).json() == {"n_made": 3}
    plan = script.get("tests/rain/plan/?fee=0.33").json()
    assert (plan["n_items"], plan["is_fitted"], plan["currency"]) == (15, False, "EUR")

    test = ListeningTest.objects.get()
    pilot = script.post("tests/rain/pilots/", {"n_raters": 1, "n_careless": 0}).json()
    pilot_execute(pilot_id=Pilot.objects.get().pk)
    address = f"tests/rain/pilots/{pilot['uuid']}/"
    assert script.get(address).json()["status"] == "done"
    assert script("delete", address).status_code == 204
    assert not Rating.objects.exists() and not Pilot.objects.exists()

    assert script.post("tests/rain/open/", {"force": True}).json()["status"] == "open"
    test.refresh_from_db()
    for choose in (careful, careful, careful, careless):
        answer_all(test, choose)
    live = script.get("tests/rain/live/").json()
    assert (live["coverage"]["is_complete"], live["cost"]["amount"]) == (True, "8.00")
    rater = script.get("tests/rain/raters/?sort=-mean").json()["results"][0]
    assert (rater["mean"], script.get("tests/rain/raters/").json()["count"]) == (9, 4)

    assert script.post("tests/rain/screening/compute/").status_code == 202
    asked_compute(test_id=test.pk)
    preview = script.get("tests/rain/screening/").json()
    assert (preview["n_raters"], preview["n_failing"], preview["asked_at"]) == (4, 1, None)
    applied = script.post("tests/rain/screening/apply/", {"digest": preview["digest"]})
    assert (applied.status_code, applied.json()["n_answers"]) == (201, 15)

    assert script.post("tests/rain/results/compute/").status_code == 202
    results_execute(results_id=test.computed_results.get().pk)
    done = script.get("tests/rain/results/computed/").json()
    assert (done["done"]["summary"]["raters"], done["is_stale"]) == (3, False)
    assert len(script.get("tests/rain/results/captions/").json()["results"]) == N_CAPTIONS

    verdicts = {row["verdict"]: row for row in script.get("tests/rain/pay/").json()["verdicts"]}
    assert verdicts["pay"]["n"] + verdicts["look"]["n"] == 4
    exported = script.get("tests/rain/export/?format=jsonl&excluded=without").getvalue().decode()
    assert len([json.loads(line) for line in exported.splitlines()]) == 45
    assert script.post("tests/rain/close/").json()["status"] == "closed"
    assert list(AuditEntry.objects.filter(test=test).order_by("pk").values_list("action", flat=True)) == [
        *(AuditedAction.CREATED, AuditedAction.CHANGED, AuditedAction.INGESTED, AuditedAction.CHANGED),
        *(AuditedAction.PILOTED, AuditedAction.PILOTED, AuditedAction.OPENED, AuditedAction.SCREENED),
        *(AuditedAction.PAID, AuditedAction.EXPORTED, AuditedAction.CLOSED),
    ]


# -- set up


def make_draft() -> ListeningTest:
    test = make_test(slug="rain", status=TestStatus.DRAFT)
    for number in range(12):
        caption = make_caption()
        for system in ("one", "two")[: 1 + (number > 0)]:
            make_pair(test, caption=caption, system=system, source_id=f"source {number}")
    return test


def test_tools_show_what_they_make_and_make_it_once() -> None:
    test = make_draft()
    script = make_script(test)
    shown = script.get("tests/rain/balance/").json()
    assert (shown["n_whole"], shown["n_lacking_pairs"], shown["lacking"][0]["systems"]) == (11, 1, ["two"])
    assert [script.post("tests/rain/balance/").json()["n_made"] for _ in range(2)] == [1, 0]
    plan = script.get("tests/rain/anchors/?n=2").json()["plan"]
    assert len(plan) == 2 and plan[0]["caption"] != plan[0]["own_caption"]
    assert [script.post("tests/rain/anchors/", {"n": 2}).json()["n_made"] for _ in range(2)] == [2, 0]
    practice = script.get("tests/rain/practice/?draw=3").json()
    assert {row["fit"] for row in practice["plan"]} == {"MATCHED", "MIXED", "MISMATCHED"}
    made = [script.post("tests/rain/practice/", {"draw": 3}).json()["n_made"] for _ in range(2)]
    assert made == [len(practice["plan"]), 0]
    details = AuditEntry.objects.order_by("pk").values_list("detail", flat=True)
    assert list(details) == [
        "1 pairs taken out for balance, through the API",
        "2 anchors, through the API",
        f"{made[0]} practice items, through the API",
    ]

    ListeningTest.objects.update(status=TestStatus.OPEN)
    for tool in ("anchors", "practice", "balance"):
        assert script.post(f"tests/rain/{tool}/").status_code == 422, tool
    assert script.get("tests/rain/anchors/?n=9999").status_code == 400
    assert script.get("tests/rain/plan/?fee=nan").status_code == 400


def test_a_copy_is_mine_and_its_address_is_free() -> None:
    test = make_draft()
    script = make_script(test)
    copy = script.post("tests/rain/clone/", {"title": "Again"}, **{"Idempotency-Key": "one"})
    assert (copy.status_code, copy.json()["slug"], copy.json()["title"]) == (201, "rain-copy", "Again")
    assert script.post("tests/rain/clone/", {"title": "Again"}, **{"Idempotency-Key": "one"}).json() == copy.json()
    assert ListeningTest.objects.count() == 2 and script.get("tests/rain-copy/").status_code == 200
    taken = script.post("tests/rain/clone/", {"slug": "rain"})
    assert taken.json()["detail"] == (
        "There is a test at the address rain already. Choose another address for the copy."
    )


def test_pilots_that_cannot_be_started_or_are_stopped() -> None:
    script = make_script(make_draft())
    refused = script.post("tests/rain/pilots/", {"n_raters": 2, "n_careless": 3})
    assert refused.json()["detail"] == "Of 2 simulated raters 3 cannot be careless. Choose 0 to 2."
    pilot = script.post("tests/rain/pilots/").json()
    assert (pilot["n_raters"], pilot["n_careless"], pilot["status"]) == (12, 3, "queued")
    address = f"tests/rain/pilots/{pilot['uuid']}/"
    assert [script.post(f"{address}cancel/").json()["status"] for _ in range(2)] == ["cancelled"] * 2
    assert [row["uuid"] for row in script.get("tests/rain/pilots/").json()["results"]] == [pilot["uuid"]]
    assert script("delete", address).status_code == 204
    assert script("delete", address).status_code == 404


# -- watch


def test_one_rater_and_one_pair_closely() -> None:
    test = make_rated_study(slug="rain", n_captions=2, n_raters=3)
    script = make_script(test)
    items = script.get("tests/rain/items/?sort=-mean&page_size=2").json()
    assert (items["count"], len(items["results"]), items["results"][0]["n"]) == (6, 2, 3)
    one = script.get(f"tests/rain/items/{items['results'][0]['uuid']}/").json()
    # Added up in the order in which the rows come: the last digit of the spread may differ.
    sd = pytest.approx(items["results"][0]["sd"])
    assert (one["line"], one["n_answers"]) == (items["results"][0] | {"sd": sd}, 3)
    assert sum(answer["score"] for answer in one["answers"]) / 3 == pytest.approx(one["line"]["mean"])
    rater = one["answers"][0]["rater"]
    look = script.get(f"tests/rain/raters/{rater}/").json()
    assert (look["line"]["rater"], look["n_answers"], sum(use["n"] for use in look["scale_use"])) == (rater, 6, 6)
    assert script.get("tests/rain/raters/?question=beauty").json()["detail"] == (
        "The test rain asks no question 'beauty'. Its questions are: relevance."
    )
    assert script.get("tests/rain/raters/?sort=beauty").status_code == 400
    assert script.get("tests/rain/items/?page=9").status_code == 404


def test_trials_of_a_comparison() -> None:
    test = make_test_of(TestKind.COMPARISON, slug="rain", n_captions=1, systems=("mine", "other"))
    answer_all(test, prefer("mine"))
    script = make_script(test)
    (trial,) = script.get("tests/rain/items/").json()["results"]
    assert sorted(trial["preferred"].values()) == [0, 0, 1]
    one = script.get(f"tests/rain/items/{trial['uuid']}/").json()
    mine = str(test.pairs.get(system="mine").uuid)
    assert [answer["choice"] for answer in one["answers"]] == [mine] and one["line"]["preferred"][mine] == 1


# -- screening


def test_rules_are_saved_together_and_the_outcomes_read() -> None:
    test = make_screened_test(slug="rain")
    screening_compute(test=test)
    script = make_script(test)
    rules = {rule["rule"]: rule for rule in script.get("tests/rain/screening/rules/").json()}
    changed = {"rules": [{"rule": "gold", "limit": 0.5}, {"rule": "too-fast", "for_pay": True}]}
    saved = {rule["rule"]: rule for rule in script("put", "tests/rain/screening/rules/", changed).json()}
    assert (saved["gold"]["limit"], saved["too-fast"]["for_pay"]) == (0.5, True)
    assert saved["anchors"] == rules["anchors"] and saved["gold"]["at_least"] == rules["gold"]["at_least"]
    for sent, code in (
        ([{"rule": "gold", "limit": 2}, {"rule": "trap", "limit": 0.1}], 422),
        ([{"rule": "gold", "limit": "nan"}], 400),
        ([{"rule": "gold"}, {"rule": "gold"}], 400),
        ([{"rule": "beauty"}], 400),
        ([], 400),
    ):
        assert script("put", "tests/rain/screening/rules/", {"rules": sent}).status_code == code, sent
    assert test.screening_rules.get(rule="gold").limit == 0.5
    assert test.screening_rules.get(rule="trap").limit == rules["trap"]["limit"]

    screening_compute(test=test)
    failing = script.get("tests/rain/screening/outcomes/?only=use&sort=anchors").json()
    assert failing["count"] == 2
    outcomes = {row["rule"]: row["outcome"] for row in failing["results"][0]["outcomes"]}
    assert outcomes["anchors"] == "failed"


def test_a_screening_is_applied_once_and_taken_back_once() -> None:
    test = make_screened_test(slug="rain")
    script = make_script(test)
    early = script.post("tests/rain/screening/apply/", {"digest": "x"})
    assert (early.status_code, early.json()["detail"]) == (422, NOT_COMPUTED.format(title=test.title))
    screening_compute(test=test)
    preview = script.get("tests/rain/screening/").json()
    assert {row["rule"] for row in preview["outcomes"]} > {"anchors", "agreement"} and preview["alarms"] == []
    icc = next(row for row in preview["figures"] if row["name"] == "icc1")
    assert icc["then"] > icc["now"]
    sent = {"digest": preview["digest"]}
    assert [script.post("tests/rain/screening/apply/", sent).status_code for _ in range(2)] == [201, 200]
    (listed,) = script.get("tests/rain/screenings/").json()["results"]
    assert (listed["n_raters"], listed["created_by"], listed["undone_at"]) == (2, "script", None)
    address = f"tests/rain/screenings/{listed['uuid']}/undo/"
    assert [script.post(address).json()["undone_by"] for _ in range(2)] == ["script"] * 2
    assert not Exclusion.objects.exists() and Screening.objects.get().undone_at
    actions = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
    assert actions == [AuditedAction.SCREENED, AuditedAction.UNSCREENED]


# -- results


def test_results_that_are_not_there_yet() -> None:
    test = make_test(slug="rain")
    script = make_script(test)
    state = script.get("tests/rain/results/computed/").json()
    assert (state["done"], state["active"], state["is_stale"]) == (None, None, False)
    assert script.get("tests/rain/results/pairs/").status_code == 404
    assert script.post("tests/rain/results/compute/").json()["detail"] == (
        "Nothing has been answered to “relevance” yet. Results need at least one study answer."
    )


def test_results_by_pair(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    test = make_rated_study(slug="rain", n_captions=2)
    results_compute(test=test, question=test.questions.get())
    script = make_script(test)
    script.get("")
    # The token, the test, its questions, the results, the model in use, and a page of them.
    with django_assert_num_queries(6):
        rows = script.get("tests/rain/results/pairs/?page_size=4").json()
    assert len(rows["results"]) == 4 and rows["next"]
    assert {"pair", "caption", "system", "mean", "low", "high"} < set(rows["results"][0])


# -- pay


def test_the_pay_list_and_its_files() -> None:
    test = make_test(slug="rain", recruiter="prolific", reward=Decimal("2.50"))
    finish(test, an_id(1))
    finish(test, an_id(2), STUDIES[1])
    Session.objects.filter(rater__identity__claimed_id=an_id(2)).update(planned_count=20)
    script = make_script(test)
    told = script.get("tests/rain/pay/").json()
    assert told["verdicts"][0] == {"verdict": "pay", "n": 2, "total": "5.00"}
    assert told["studies"] == sorted(STUDIES)
    lines = script.get("tests/rain/pay/lines/?verdict=pay").json()
    assert [line["claimed_id"] for line in lines["results"]] == [an_id(1), an_id(2)]
    assert script.get("tests/rain/pay/lines/?verdict=no").json()["count"] == 0
    names = [file["name"] for file in told["files"]]
    assert names == ["approve-participants", "approve-submissions", "bonuses"]
    one = script.get(f"tests/rain/pay/approve-participants.csv?study={STUDIES[1]}")
    assert one.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert an_id(2) in one.text and an_id(1) not in one.text
    assert script.get("tests/rain/pay/table.csv").text.count("\n") == 3
    assert script.get("tests/rain/pay/nothing.csv").status_code == 404
    details = AuditEntry.objects.order_by("pk").values_list("action", "detail")
    assert list(details) == [
        (AuditedAction.PAID, f"{what}, through the API")
        for what in (
            *("looked at the sums", "looked at", "looked at"),
            *("downloaded approve-participants", "downloaded the table"),
        )
    ]


@pytest.mark.parametrize(
    ("address", "queries"),
    [("raters/", 6), ("items/", 5), ("pay/lines/", 8), ("screening/outcomes/", 3), ("screenings/", 3), ("pilots/", 4)],
)
def test_lists_take_as_many_queries_whatever_they_hold(
    address: str, queries: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    test = make_test(slug="rain")
    make_pairs(test, 3)
    script = make_script(test)
    for _ in range(3):
        answer_all(test, careful, most=1)
    script.get("")
    with django_assert_num_queries(queries):
        assert script.get(f"tests/rain/{address}").status_code == 200
