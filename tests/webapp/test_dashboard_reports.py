"""Reports of runs and of tests: the page, the HTML file, JSON, pictures, CSV, lists of pairs and follow-up tests."""

import csv
import io
import re
from html.parser import HTMLParser
from typing import Any
from uuid import uuid4
from xml.etree import ElementTree

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from listening_tests.choices import PairRole, Role, TestStatus
from listening_tests.models import AuditEntry, ListeningTest
from tests.factories import make_pair, make_test
from tests.webapp.factories import make_done_run, make_member, make_run
from tests.webapp.reports import make_reported_run
from worker.models import LearningForecast, RunStatus, TrainingRun

pytestmark = pytest.mark.django_db
PICTURES = ("agreement", "parts", "calibration", "scatter")


def address(name: str, run: TrainingRun, *args: str) -> str:
    return reverse(f"dashboard:{name}", args=[run.uuid, *args])


def test_address(name: str, test: ListeningTest, *args: str) -> str:
    return reverse(f"dashboard:{name}", args=[test.slug, *args])


test_address.__test__ = False  # type: ignore[attr-defined] # No test case, whatever its name.


def rows_of(response: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(response.getvalue().decode())))


@pytest.fixture
def run(db: None) -> TrainingRun:
    test = make_test(is_simulated=True, title="Rain & wind")
    return make_reported_run(test, champion=make_reported_run(test))


def test_it_works(staff: Client, run: TrainingRun) -> None:
    text = words_of(staff.get(address("run_page", run)).text)

    srcc = run.metrics.get(model="difference", name="srcc")
    between = f"95 % interval {srcc.low:.2f} to {srcc.high:.2f}, {srcc.n} held-out pairs."
    assert f"Tuned model: SRCC better by {srcc.value:.2f}, {between}" in text
    gain = run.metrics.get(model="vs_champion", name="srcc")
    assert f"Against the champion of the day, model c3c3c3c3c3c3: SRCC better by {gain.value:.2f}," in text
    assert "131 held-out pairs that both were measured on." in text
    for heading in ("Natural recordings", "Synthesised", "<b>alpha</b>", "Within captions", "Calibration"):
        assert heading in text
    assert "At 8 held-out pairs the model’s score lies outside of the 95 % margin" in text
    for name in PICTURES[:3]:
        for file_format in ("svg", "png"):
            assert address("run_report_picture", run, name, file_format) in staff.get(address("run_page", run)).text


def test_what_was_not_measured_is_said(staff: Client) -> None:
    old = make_done_run(make_test())

    text = staff.get(address("run_page", old)).text

    assert "Not measured: the run is from before that was." in text
    assert "In parts of the held-out pairs" not in text and "Calibration" not in text
    assert staff.get(address("run_report_json", old)).json()["calibration"] is None


def test_a_run_without_a_report_has_no_files(staff: Client) -> None:
    run = make_run(make_test(), RunStatus.FAILED, message="No.")
    for name in ("run_report_json", "run_report_html"):
        assert staff.get(address(name, run)).status_code == 404
    assert staff.get(address("run_report_picture", run, "agreement", "svg")).status_code == 404


def test_strangers_see_nothing(client: Client, run: TrainingRun) -> None:
    client.force_login(make_member(make_test()))
    for name in ("run_page", "run_pairs", "run_report_json", "run_report_html"):
        assert client.get(address(name, run)).status_code == 404
    assert client.post(address("run_follow_up", run), {"uuid": uuid4(), "n": 3}).status_code == 404
    for name in ("report_page", "test_report_json", "test_report_html"):
        assert client.get(test_address(name, run.test)).status_code == 404


# Numbers found again


class _Numbers(HTMLParser):
    """`data` elements of a report, and the words around them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str, str]] = []
        self.words: list[str] = []
        self._data: tuple[str, str] | None = None
        self._unread = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        # Scripts are the scatter's JSON, times and fingerprints no figures; the notes are looked at by themselves.
        is_unread = tag in {"script", "style", "time", "svg", "pre", "head"} or set(
            (told.get("class") or "").split()
        ) & {
            "digits",
            "heldout-notes",
        }
        if self._unread or is_unread:
            self._unread += tag not in {"br", "input", "source", "img", "meta", "link", "path", "use"}
        elif tag == "data":
            self._data = (told["value"] or "", told["data-at"] or "")
            self.words.append("¤")

    def handle_endtag(self, tag: str) -> None:
        if self._unread:
            self._unread -= tag not in {"path", "use"}
        elif tag == "data":
            self._data = None

    def handle_data(self, data: str) -> None:
        if self._unread:
            return
        if self._data is not None:
            self.found.append((*self._data, data))
        else:
            self.words.append(data)


def read(html: str) -> _Numbers:
    parser = _Numbers()
    parser.feed(html)
    return parser


def words_of(html: str) -> str:
    from html import unescape

    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", "", html)))


def at(document: Any, path: str) -> Any:
    for step in path.split("."):
        document = document[int(step)] if isinstance(document, list) else document[step]
    return document


def printed(words: str) -> float:
    return float(words.replace("−", "-").replace(",", "").replace("+", ""))


# What a report says in digits that are no figures of the run.
CONSTANT = (
    r"95 %", r"0 to 10", r"at least 3 different", r"Kendall tau-b", r"MSE \(0 to 10\)", r"by resampling",
    r"1 rating\b", r"9 or more ratings", r"[Rr]un [0-9a-f]{8}", r"model [0-9a-f]{12}", r"Page \d+ of \d+",
    r"Held out <i>\d+</i>, sound \d+", r"asked for [-\d: ]+ UTC", r"ended [-\d: ]+ UTC", r"these \d+ pairs",
    r"between 0 and 1",
)  # fmt: skip


def check_numbers(html: str, document: dict[str, Any], least: int) -> None:
    """Each number that is printed is the one of the JSON that it names, and there is no other digit in the words."""
    page = read(html)
    assert len(page.found) >= least
    for value, path, words in page.found:
        stored = at(document, path)
        assert float(value) == stored, path
        places = len(words.partition(".")[2])
        assert printed(words) == pytest.approx(stored, abs=0.5000001 * 10**-places), path
    words = " ".join(page.words)
    for constant in CONSTANT:
        words = re.sub(constant, "", words)
    assert re.findall(r".{30}\d.{10}", re.sub(r"\s+", " ", words)) == []


def body_of(html: str) -> str:
    """A run's page but for its live course and its scatter, whose numbers are those of the pairs."""
    return re.sub(r'<section class="panel" aria-labelledby="pairs-heading">.*?</section>', "", html, flags=re.DOTALL)


def stored_numbers(run: TrainingRun) -> dict[str, Any]:
    """The numbers of the run's rows, by the paths of the JSON, taken from the tables and not from any selector."""
    found: dict[str, Any] = {}
    for row in run.metrics.all():
        people = {"one_vs_rest": "people.one_vs_rest_srcc", "ceiling": "people.ceiling_srcc"}
        path = people.get(row.model, f"metrics.{row.model}.{row.name}")
        found |= {f"{path}.{column}": getattr(row, column) for column in ("value", "low", "high", "n")}
    for name in ("slope", "intercept", "bias"):
        for column, ending in (("value", ""), ("low", "_low"), ("high", "_high")):
            found[f"calibration.{name}.{column}"] = getattr(run.report, f"{name}{ending}")
    for place, one in enumerate(run.calibration_bins.order_by("number")):
        path = f"calibration.bins.{place}"
        found |= {f"{path}.low": one.low_score, f"{path}.high": one.high_score, f"{path}.score": one.score}
        human = {"value": one.human, "low": one.human_low, "high": one.human_high, "n": one.n}
        found |= {f"{path}.human.{name}": value for name, value in human.items()}
    wrong = run.predictions.filter(certain_gap__gt=0).order_by("-certain_gap")
    columns = ("human_mean", "rating_sd", "n_ratings", "base_cosine", "tuned_cosine", "tuned_score", "certain_gap")
    for name, rows in (("wrong.pairs", wrong), ("pairs", run.predictions.order_by("pair_id"))):
        for place, pair in enumerate(rows):
            found |= {f"{name}.{place}.{column}": getattr(pair, column) for column in columns}
    found["wrong.n"] = wrong.count()
    found |= {name: getattr(run, name) for name in ("n_heldout", "n_train", "n_validation", "n_dropped")}
    columns = ("n_ratings", "n_comparisons", "n_pairs", "n_raters", "n_waiting")
    return found | {f"snapshot.{column}": getattr(run.snapshot, column) for column in columns}


def leaves(document: Any, path: str = "") -> dict[str, float]:
    if isinstance(document, dict):
        parts = [leaves(value, f"{path}{name}.") for name, value in document.items()]
    elif isinstance(document, list):
        parts = [leaves(value, f"{path}{place}.") for place, value in enumerate(document)]
    else:
        is_number = isinstance(document, int | float) and not isinstance(document, bool)
        return {path.removesuffix("."): document} if is_number else {}
    return {name: value for part in parts for name, value in part.items()}


def test_every_number_of_the_json_is_a_row_s(staff: Client, run: TrainingRun) -> None:
    document = staff.get(address("run_report_json", run)).json()

    assert document.pop("config") == run.config
    found, stored = leaves(document), stored_numbers(run)
    parts = {path: found.pop(path) for path in list(found) if path.startswith("parts.")}
    assert found == {path: value for path, value in stored.items() if value is not None}
    for path, value in parts.items():
        _, place, model, name, column = path.split(".")
        line = document["parts"][int(place)]
        row = run.part_metrics.get(part=line["part"], group=line["group"], model=model, name=name)
        assert getattr(row, column) == value
    assert len(parts) == 4 * run.part_metrics.count()
    assert (document["run"], document["test"]) == (str(run.uuid), run.test.slug)
    assert document["is_simulated"] is True
    assert document["champion"]["run"] == str(run.report.champion.run.uuid)


def test_every_number_of_the_page_and_of_the_file_is_one_of_the_json(staff: Client, run: TrainingRun) -> None:
    document = staff.get(address("run_report_json", run)).json()

    page, file = staff.get(address("run_page", run)), staff.get(address("run_report_html", run))

    check_numbers(body_of(page.text), document, least=150)
    check_numbers(file.text, document, least=150)


def test_the_numbers_of_a_test_s_report_are_rows(staff: Client, run: TrainingRun) -> None:
    document = staff.get(test_address("test_report_json", run.test)).json()

    for text in (
        staff.get(test_address("report_page", run.test)).text,
        staff.get(test_address("test_report_html", run.test)).text,
    ):
        check_numbers(text, document, least=60)
    assert [line["run"] for line in document["runs"]] == [
        str(uuid) for uuid in run.test.runs.order_by("-pk").values_list("uuid", flat=True)
    ]
    for line in document["runs"]:
        own = run.test.runs.get(uuid=line["run"])
        assert line["n_ratings"] == own.snapshot.n_ratings
        for side in ("base", "tuned", "difference"):
            row = own.metrics.get(model=side, name="srcc")
            assert line["srcc"][side] == {"value": row.value, "low": row.low, "high": row.high, "n": row.n}
    curve, forecast = document["learning_curve"], run.forecast
    assert curve["gain"] == {"value": forecast.gain, "low": forecast.gain_low, "high": forecast.gain_high}
    assert curve["then"] == {"value": forecast.then, "low": forecast.then_low, "high": forecast.then_high}
    assert [(one["n_ratings"], one["srcc"]["low"]) for one in curve["line"]] == list(
        forecast.points.values_list("n_ratings", "low")
    )
    assert (curve["n_more"], curve["n_runs"]) == (1000, 3)


def test_the_api_gives_the_same(staff: Client, run: TrainingRun) -> None:
    slug = run.test.slug
    of_run, of_test = f"/api/tests/{slug}/runs/{run.uuid}/report/", f"/api/tests/{slug}/report/"
    assert staff.get(of_run).json() == staff.get(address("run_report_json", run)).json()
    assert staff.get(of_test).json() == staff.get(test_address("test_report_json", run.test)).json()
    failed = make_run(run.test, RunStatus.FAILED, message="No.")
    assert staff.get(f"/api/tests/{slug}/runs/{failed.uuid}/report/").status_code == 404
    assert staff.get(of_test, {"question": "loudness"}).status_code == 422


# The files


def test_the_html_file_needs_no_other(staff: Client, run: TrainingRun) -> None:
    for response in (
        staff.get(address("run_report_html", run)),
        staff.get(test_address("test_report_html", run.test)),
    ):
        assert response.headers["Content-Disposition"].startswith('attachment; filename="simulated-')
        text = response.text
        assert re.findall(r'(?:src|href|srcset|action|data|poster)="(?!#)[^"]*"', text) == []
        assert not re.findall(r"url\((?!#)|@import|<script|<link|<img|<iframe|https?:", text)
        assert "<svg" in text and 'role="img"' in text
        names = re.findall(r'\sid="([^"]+)"', text)
        assert len(names) == len(set(names))
        for name in re.findall(r'(?:url\(#|href="#)([^")]+)', text):
            assert name in names
        assert "simulated" in text
        # Colours of the pictures follow the scheme of the page.
        assert "var(--accent)" in text and "#0b6450" not in text.split("</style>")[1]


def test_pictures_come_as_svg_and_png(staff: Client, run: TrainingRun) -> None:
    for name in PICTURES:
        svg = staff.get(address("run_report_picture", run, name, "svg"), {"theme": "dark", "narrow": "1"})
        assert svg.headers["Content-Type"] == "image/svg+xml"
        assert ElementTree.fromstring(svg.content).tag.endswith("svg")  # noqa: S314 -- our own
    parts = staff.get(address("run_report_picture", run, "parts", "svg"), {"download": "1"})
    assert "&lt;b&gt;alpha&lt;/b&gt;" in parts.text and "Rain &amp; wind" in parts.text and "simulated" in parts.text
    name = f"simulated-{run.test.slug}-run-{run.uuid.hex[:8]}-parts.svg"
    assert parts.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    curve = staff.get(test_address("test_report_picture", run.test, "curve", "png"))
    assert curve.content.startswith(b"\x89PNG")
    assert staff.get(address("run_report_picture", run, "nothing", "svg")).status_code == 404
    assert staff.get(address("run_report_picture", run, "parts", "gif")).status_code == 404


def test_the_numbers_of_pictures_come_as_csv(staff: Client, run: TrainingRun) -> None:
    parts = rows_of(staff.get(address("run_report_csv", run, "parts")))
    row = next(row for row in parts if (row["group"], row["metric"]) == ("<b>alpha</b>", "ktau"))
    stored = run.part_metrics.get(group="<b>alpha</b>", model="difference", name="ktau")
    assert (float(row["difference"]), float(row["difference_high"])) == (stored.value, stored.high)
    assert len(rows_of(staff.get(address("run_report_csv", run, "scatter")))) == 24
    assert len(rows_of(staff.get(address("run_report_csv", run, "calibration")))) == 4
    assert [row["whose"] for row in rows_of(staff.get(address("run_report_csv", run, "agreement")))] == [
        "One person against the rest", "Untuned model", "Champion", "Tuned model", "Ceiling",
    ]  # fmt: skip
    curve = rows_of(staff.get(test_address("test_report_csv", run.test, "curve")))
    assert [row["what"] for row in curve] == ["run", "run", "curve", "curve", "curve"]


# A test over all of its runs


def test_a_test_without_a_finished_run_says_so(staff: Client) -> None:
    test = make_test()
    make_run(test, RunStatus.FAILED, message="No.")
    assert "No run of “relevance” has finished yet." in staff.get(test_address("report_page", test)).text
    assert staff.get(test_address("test_report_json", test)).json()["learning_curve"] is None
    unasked = ListeningTest.objects.create(slug="rain", title="Rain")
    assert "The test asks raters no question yet." in staff.get(test_address("report_page", unasked)).text
    assert staff.get(test_address("test_report_json", unasked)).status_code == 404


def test_too_few_runs_are_called_so(staff: Client, run: TrainingRun) -> None:
    LearningForecast.objects.filter(run=run).update(gain=None, n_sizes=2)
    told = (
        "Too few runs to say what 1,000 more ratings would buy: it takes runs on at least 3 different numbers of "
        "ratings, with the same preset and base model, and there are 2."
    )
    assert told in words_of(staff.get(test_address("report_page", run.test)).text)


def test_runs_come_a_page_at_a_time(staff: Client, monkeypatch: pytest.MonkeyPatch, run: TrainingRun) -> None:
    monkeypatch.setattr("webapp.dashboard.pages_of_reports.RUNS_A_PAGE", 1)
    second = staff.get(test_address("report_page", run.test), {"page": 2})
    document = staff.get(test_address("test_report_json", run.test)).json()
    assert [line.run.uuid.hex for line in second.context["runs"]] == [document["runs"][1]["run"].replace("-", "")]
    check_numbers(second.text, document, least=40)


def test_more_runs_and_pairs_take_no_more_queries(
    staff: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    test = make_test()
    counts = []
    for n in (6, 12):
        run = make_reported_run(test, n_pairs=n)
        asked = []
        for url in (
            address("run_page", run),
            address("run_pairs", run),
            test_address("report_page", test),
            test_address("test_report_json", test),
        ):
            with django_assert_num_queries(40, exact=False) as queries:
                assert staff.get(url).status_code == 200
            asked.append(len(queries))
        counts.append(asked)
    assert counts[0] == counts[1]


# Pairs, and what follows


def test_the_scatter_and_its_table_are_the_stored_predictions(staff: Client, run: TrainingRun) -> None:
    response = staff.get(address("run_page", run))

    stored = sorted(run.predictions.all(), key=lambda row: -abs(row.tuned_score - row.human_mean))
    points = response.context["scatter"]["points"]
    assert [(point["base"], point["tuned"], point["human"], point["ratings"]) for point in points] == [
        (row.base_cosine, row.tuned_cosine, row.human_mean, row.n_ratings) for row in stored
    ]
    rows = re.findall(r"<tr data-pair=.*?</tr>", response.text, re.DOTALL)
    assert len(rows) == len(stored)
    for html, row in zip(rows, stored, strict=True):
        cells = [printed(cell) for cell in re.findall(r'<td class="number">([^<]*)</td>', html)]
        off = abs(row.tuned_score - row.human_mean)
        assert cells[:4] == pytest.approx([off, row.human_mean, row.tuned_score, row.n_ratings], abs=0.0501)
        assert cells[4:] == pytest.approx([row.tuned_cosine, row.base_cosine], abs=0.00501)


def test_of_many_pairs_some_are_drawn(staff: Client, run: TrainingRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.selectors.MOST_POINTS", 10)
    monkeypatch.setattr("webapp.dashboard.pages_of_runs.PAIRS_SHOWN", 4)
    response = staff.get(address("run_page", run))
    assert len(response.context["scatter"]["points"]) == 10
    assert len(response.context["points"]) == 4


def test_pairs_come_worst_first_and_as_asked(staff: Client, run: TrainingRun) -> None:
    rows = list(staff.get(address("run_pairs", run)).context["listing"].page)
    assert [row.certain_gap for row in rows] == sorted((row.certain_gap for row in rows), reverse=True)
    rows = list(staff.get(address("run_pairs", run), {"sort": "human_mean"}).context["listing"].page)
    assert [row.human_mean for row in rows] == sorted(row.human_mean for row in rows)
    assert staff.get(address("run_pairs", run), {"sort": "password"}).status_code == 404


def test_a_follow_up_is_a_draft_of_the_worst_pairs(staff: Client, run: TrainingRun) -> None:
    anchor = make_pair(run.test, role=PairRole.ANCHOR)
    uuid = uuid4()

    for _ in range(2):
        response = staff.post(address("run_follow_up", run), {"uuid": uuid, "n": 3})

        made = ListeningTest.objects.get(uuid=uuid)
        assert (response.status_code, response.url) == (303, reverse("dashboard:set_up", args=[made.slug]))
    assert (made.status, made.slug) == (TestStatus.DRAFT, f"{run.test.slug}-follow-up")
    worst = [row.pair for row in run.predictions.order_by("-certain_gap")[:3]]
    copied = {(pair.clip_id, pair.caption_id, pair.role) for pair in made.pairs.all()}
    assert copied == {(pair.clip_id, pair.caption_id, pair.role) for pair in [*worst, anchor]}
    assert list(made.excluded_tests.all()) == [run.test]
    [entry] = AuditEntry.objects.filter(test=made)
    assert entry.detail == f"As a follow-up of {run.test.slug}: 3 pairs at which the model of run {run.uuid} is wrong."


def test_a_follow_up_of_nothing_is_refused(staff: Client, run: TrainingRun) -> None:
    run.predictions.update(certain_gap=-1)
    response = staff.post(address("run_follow_up", run), {"uuid": uuid4(), "n": 3}, follow=True)
    assert "so there is nothing to follow up." in response.text
    response = staff.post(address("run_follow_up", run), {"uuid": uuid4(), "n": 0}, follow=True)
    assert "A follow-up test takes 1 to 500 pairs. Say how many." in response.text
    assert ListeningTest.objects.count() == 1


def test_who_may_only_look_makes_no_follow_up(client: Client, run: TrainingRun) -> None:
    client.force_login(make_member(run.test, Role.ANALYST))
    assert "Make a follow-up test" not in client.get(address("run_page", run)).text
    assert client.post(address("run_follow_up", run), {"uuid": uuid4(), "n": 3}).status_code == 403
    assert client.get(address("run_follow_up", run)).status_code == 405
    assert ListeningTest.objects.count() == 1
