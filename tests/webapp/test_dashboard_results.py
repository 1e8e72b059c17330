"""The tab Results: its states, its pictures and tables, and the lists of pairs and captions."""

import csv
import io
from xml.etree import ElementTree

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from listening_tests.choices import Role, TestKind
from listening_tests.models import ListeningTest, Question
from tests.factories import make_pair, make_test
from tests.results import caption_of, make_rated_study, rate_study
from tests.sittings import answer_all, make_test_of, prefer
from tests.webapp.factories import make_member, make_rating
from worker import services_of_results as services
from worker.models import ComputedResults
from worker.result_jobs import results_compute

pytestmark = pytest.mark.django_db
TABLES = ("systems", "differences", "reliability", "scores")
LISTS = ("pairs", "captions")


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modeling.study_results.two_way.MOST_DRAWS", 199)
    monkeypatch.setattr("modeling.study_results.two_way.LEAST_DRAWS", 199)
    # Nobody listens to the queue.
    monkeypatch.setattr(services, "results_enqueue", lambda **_: True)


def address(name: str, test: ListeningTest, *args: str) -> str:
    return reverse(f"dashboard:{name}", args=[test.slug, *args])


def computed(test: ListeningTest) -> ComputedResults:
    return results_compute(test=test, question=test.questions.earliest("id"))


def rows_of(response: object) -> list[list[str]]:
    return list(csv.reader(io.StringIO(response.getvalue().decode())))


def test_it_works(staff: Client) -> None:
    test = make_rated_study()
    computed(test)

    text = staff.get(address("results_page", test)).text

    assert "Computed" in text and "Nothing has changed since." in text
    assert "=best$x^2$" in text and "&lt;i&gt;good&lt;/i&gt;" in text
    assert "ICC(1,1)" in text and "Krippendorff’s alpha" in text
    assert "first is better" in text
    assert f'<a href="{address("results_page", test)}" aria-current="page">Results</a>' in text
    for name in TABLES:
        assert address("results_picture", test, name, "svg") in text
        assert address("results_picture", test, name, "png") in text
        assert address("results_csv", test, name) in text
    assert "Compute anew" in text


def test_before_anything_is_computed(staff: Client) -> None:
    empty, rated = make_test(), make_test()
    make_rating(make_pair(rated), 5)

    text = staff.get(address("results_page", empty)).text
    assert "No study answer yet: results are there once something has been rated." in text
    assert '<button class="button">Compute' not in text
    text = staff.get(address("results_page", rated)).text
    assert "No results yet. 1 study answer can be counted" in text
    assert "Compute results</button>" in text
    assert not ComputedResults.objects.exists()


def test_a_test_without_a_question_says_so(staff: Client) -> None:
    test = ListeningTest.objects.create(slug="rain", title="Rain")
    assert "The test asks raters no question yet." in staff.get(address("results_page", test)).text
    response = staff.post(address("results_compute", test), follow=True)
    assert "“Rain” asks raters no question yet. Add one on its page in the admin." in response.text


def test_pressing_compute_makes_one_and_the_page_waits_for_it(staff: Client) -> None:
    test = make_rated_study(n_captions=2, n_raters=2)
    for _ in range(2):
        response = staff.post(address("results_compute", test), {"question": "relevance"})
        assert (response.status_code, response.url) == (303, f"{address('results_page', test)}?question=relevance")
    assert ComputedResults.objects.count() == 1
    page = staff.get(response.url).text
    assert "The results wait for a worker." in page
    assert f'hx-get="{address("results_live", test)}?question=relevance"' in page
    assert "Compute results</button>" not in page
    assert "HX-Refresh" not in staff.get(address("results_live", test)).headers

    computed(test)

    assert staff.get(address("results_live", test)).headers["HX-Refresh"] == "true"


def test_with_nothing_answered_it_is_refused(staff: Client) -> None:
    response = staff.post(address("results_compute", make_test()), follow=True)
    assert "Nothing has been answered to “relevance” yet. Results need at least one study answer." in response.text


def test_what_came_since_is_said(staff: Client) -> None:
    test = make_rated_study(n_captions=2, n_raters=2)
    computed(test)
    rate_study(test, list(test.pairs.all()[:3]), 1)
    assert "<strong>3 newer answers</strong> since." in staff.get(address("results_page", test)).text


def test_pictures_come_as_svg_and_png(staff: Client) -> None:
    test = make_rated_study(title="Rain & wind")
    computed(test)
    for name in TABLES:
        svg = staff.get(address("results_picture", test, name, "svg"), {"theme": "dark", "narrow": "1"})
        assert svg.headers["Content-Type"] == "image/svg+xml"
        assert ElementTree.fromstring(svg.content).tag.endswith("svg")  # noqa: S314 -- our own
    # What a name holds is text, neither a formula nor markup.
    systems = staff.get(address("results_picture", test, "systems", "svg"), {"download": "1"})
    assert "=best$x^2$" in systems.text and "&lt;i&gt;good&lt;/i&gt;" in systems.text
    assert "Rain &amp; wind: relevance" in systems.text
    assert "simulated" not in systems.text
    assert systems.headers["Content-Disposition"] == f'attachment; filename="{test.slug}-relevance-systems.svg"'
    png = staff.get(address("results_picture", test, "scores", "png"))
    assert png.content.startswith(b"\x89PNG")


def test_the_same_numbers_give_the_same_picture(staff: Client) -> None:
    test = make_rated_study()
    url = address("results_picture", test, "differences", "svg")
    query = {"results": str(computed(test).uuid), "theme": "light"}
    first, second = staff.get(url, query), staff.get(url, query)
    assert first.content == second.content
    assert "max-age=86400" in first.headers["Cache-Control"] and "private" in first.headers["Cache-Control"]


def test_what_is_simulated_says_so_on_page_and_in_pictures(staff: Client) -> None:
    test = make_rated_study(is_simulated=True)
    computed(test)
    assert staff.get(address("results_page", test)).text.count('<span class="badge simulated">simulated</span>') >= 7
    for theme in ("light", "print"):
        picture = staff.get(address("results_picture", test, "systems", "svg"), {"theme": theme})
        assert "simulated raters" in picture.text
    file = staff.get(address("results_csv", test, "systems"))
    assert f'filename="simulated-{test.slug}-relevance-systems.csv"' in file.headers["Content-Disposition"]


def test_numbers_come_as_csv_that_no_spreadsheet_runs(staff: Client) -> None:
    test = make_rated_study()
    results = computed(test)

    header, best, *_ = rows_of(staff.get(address("results_csv", test, "systems")))
    told = results.summary["systems"]["systems"][0]
    assert header == ["system", "mean", "low", "high", "pairs", "captions", "raters", "answers"]
    assert best[0] == "'=best$x^2$"
    assert float(best[1]) == told["mean"]["value"]
    assert len(rows_of(staff.get(address("results_csv", test, "differences")))) == 4
    assert len(rows_of(staff.get(address("results_csv", test, "reliability")))) == 17
    assert sum(int(row[2]) for row in rows_of(staff.get(address("results_csv", test, "scores")))[1:]) == 108
    pairs = rows_of(staff.get(address("results_csv", test, "pairs")))
    assert (len(pairs), pairs[1][1], pairs[1][4]) == (19, caption_of(test).text, "'=best$x^2$")
    assert len(rows_of(staff.get(address("results_csv", test, "captions")))) == 7


@pytest.mark.parametrize("name", LISTS)
def test_lists_are_sorted_and_paged(staff: Client, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webapp.dashboard.pages_of_results.ROWS_A_PAGE", 4)
    test = make_rated_study()
    computed(test)
    url = address(f"results_{name}", test)

    highest, lowest = (staff.get(url, {"sort": sort}).context["lines"] for sort in ("highest", "lowest"))
    assert highest[0][0].mean >= highest[1][0].mean >= lowest[1][0].mean >= lowest[0][0].mean
    assert len(highest) == 4
    text = staff.get(url, {"sort": "widest", "page": "2"}).text
    assert f"Page 2 of {5 if name == 'pairs' else 2}" in text
    assert "sort=widest&amp;page=1" in text
    # An address that somebody made up shows something all the same.
    assert staff.get(url, {"sort": "price", "page": "x"}).status_code == 200


@pytest.mark.parametrize("name", ["results_page", "results_pairs", "results_captions"])
def test_the_number_of_rows_does_not_change_the_number_of_queries(
    staff: Client, name: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    counts = []
    for n_captions in (2, 5):
        test = make_rated_study(n_captions=n_captions, n_raters=2)
        computed(test)
        with django_assert_max_num_queries(14) as captured:
            staff.get(address(name, test))
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_one_question_at_a_time(staff: Client) -> None:
    test = make_rated_study(n_captions=2, n_raters=2)
    Question.objects.create(test=test, name="quality", prompt="How <i>good</i>?")
    computed(test)

    first, second = (staff.get(address("results_page", test), {"question": name}) for name in ("relevance", "quality"))

    assert "first is better" in first.text or "not told apart" in first.text
    assert "No study answer yet" in second.text and "How &lt;i&gt;good&lt;/i&gt;?" in second.text
    assert '<a href="?question=quality" aria-current="page">quality</a>' in second.text
    assert staff.get(address("results_page", test), {"question": "order"}).status_code == 404


def test_a_comparison_shows_strengths(staff: Client) -> None:
    test = make_test_of(TestKind.COMPARISON)
    for _ in range(3):
        answer_all(test, prefer("mine"))
    computed(test)

    text = staff.get(address("results_page", test)).text
    assert "by Bradley-Terry" in text and "Strength (logits)" in text
    assert "ICC(1,1)" not in text
    assert staff.get(address("results_picture", test, "systems", "svg")).status_code == 200
    assert staff.get(address("results_picture", test, "reliability", "svg")).status_code == 404
    assert staff.get(address("results_pairs", test)).status_code == 200


def test_results_are_for_who_works_on_the_test(client: Client) -> None:
    test = make_rated_study(n_captions=2, n_raters=2)
    computed(test)
    urls = [address(name, test) for name in ("results_page", "results_live", "results_pairs", "results_captions")]
    urls += [address("results_csv", test, "pairs"), address("results_picture", test, "systems", "svg")]
    assert {client.get(url).status_code for url in urls} == {302}
    client.force_login(make_member(test, Role.ASSISTANT))
    assert {client.get(url).status_code for url in urls} == {200}
    client.force_login(make_member(make_test(), username="stranger"))
    assert {client.get(url).status_code for url in urls} == {404}
    assert client.post(address("results_compute", test)).status_code == 404


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("results_picture", ("systems", "svg")),
        ("results_csv", ("systems",)),
        ("results_csv", ("prices",)),
        ("results_pairs", ()),
    ],
)
def test_what_does_not_exist_is_not_found(staff: Client, name: str, args: tuple[str, ...]) -> None:
    """Before anything is computed, and of what nothing is computed."""
    test = make_rated_study(n_captions=2, n_raters=2)
    if args == ("prices",):
        computed(test)
    assert staff.get(address(name, test, *args)).status_code == 404


def test_a_picture_of_another_kind_is_not_found(staff: Client) -> None:
    test = make_rated_study(n_captions=2, n_raters=2)
    computed(test)
    assert staff.get(address("results_picture", test, "systems", "pdf")).status_code == 404
    assert staff.get(address("results_picture", test, "systems", "svg"), {"theme": "pink"}).status_code == 404


def test_systems_are_named_as_they_were(staff: Client) -> None:
    test = make_rated_study(n_captions=2, n_raters=3, systems=("", "a" * 100))
    computed(test)
    assert "no system named" in staff.get(address("results_page", test)).text
    assert "no system named" in staff.get(address("results_picture", test, "systems", "svg")).text
