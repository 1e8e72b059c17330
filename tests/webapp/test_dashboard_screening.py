"""The pages of screening: what they show, who may do what, and that each press can come twice."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from listening_tests.choices import AuditedAction, Role
from listening_tests.models import AuditEntry, Exclusion, ListeningTest, RuleOutcome, Screening, ScreeningRule
from tests.factories import make_test
from tests.screened import add_raters, make_screened_test
from tests.webapp.factories import make_member
from worker.models import ScreeningAlarm, ScreeningState
from worker.screening.computing import asked_compute, screening_compute
from worker.screening.rules import rules_of


def url(name: str, test: ListeningTest, *more: object) -> str:
    return reverse(f"dashboard:{name}", args=[test.slug, *more])


def typed(test: ListeningTest, **changed: object) -> dict[str, object]:
    """What the form of rules sends when nothing but `changed` was touched; keys are RULE__FIELD."""
    data: dict[str, object] = {}
    for rule in rules_of(test=test):
        for name in ("is_enabled", "for_pay", "for_use"):
            if getattr(rule, name):
                data[f"{rule.rule}-{name}"] = "on"
        for name in ("limit", "at_least", "tolerance", "how"):
            data[f"{rule.rule}-{name}"] = getattr(rule, name)
    return data | {key.replace("__", "-"): value for key, value in changed.items()}


@pytest.fixture
def test(db: None) -> ListeningTest:
    test = make_screened_test(title="Sounds of rain", is_simulated=True)
    screening_compute(test=test)
    return test


def test_it_works(staff: Client, researcher: User, test: ListeningTest) -> None:
    page = staff.get(url("screening_page", test))

    assert "2 of 10 raters</strong> fail a rule that counts for use" in page.text
    assert "Fails where 3 mismatched anchors get more than 5 points together." in page.text
    assert "2 failed" in page.text and "Could check none of the 10 raters" in page.text
    rows = {row.name: row for row in page.context["tables"][0].rows}
    assert (rows["Raters"].now, rows["Raters"].then, rows["Raters"].change) == ("10", "8", "−2")
    assert rows["ICC(1,1)"].change.startswith("+0.")
    assert "Mean score, system 1" in rows
    assert page.text.count('<span class="badge simulated">simulated</span>') == 2
    digest = page.context["state"].digest

    applied = staff.post(url("screening_apply", test), {"digest": digest}, follow=True)

    assert "2 raters are left out, with 34 answers." in applied.text
    screening = Screening.objects.get()
    assert screening.created_by == researcher
    assert "in force" in applied.text and "The raters are being looked at" in applied.text

    undone = staff.post(url("screening_undo", test, screening.uuid), follow=True)

    assert "The screening is taken back" in undone.text
    assert not Exclusion.objects.exists()
    assert list(AuditEntry.objects.order_by("pk").values_list("action", "detail")) == [
        (AuditedAction.SCREENED, "2 raters, 34 answers left out"),
        (AuditedAction.UNSCREENED, "2 raters, 34 answers taken in again"),
    ]


def test_each_press_may_come_twice(staff: Client, test: ListeningTest) -> None:
    digest = ScreeningState.objects.get().digest
    for _ in range(2):
        staff.post(url("screening_apply", test), {"digest": digest})
    screening = Screening.objects.get()
    for _ in range(2):
        staff.post(url("screening_undo", test, screening.uuid))

    actions = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
    assert actions == [AuditedAction.SCREENED, AuditedAction.UNSCREENED]


def test_a_preview_that_is_no_longer_true_is_not_applied(staff: Client, test: ListeningTest) -> None:
    digest = ScreeningState.objects.get().digest
    add_raters(test, 1, careless=True)
    screening_compute(test=test)

    response = staff.post(url("screening_apply", test), {"digest": digest}, follow=True)

    assert "Who fails has changed since you looked" in response.text
    assert not Exclusion.objects.exists()
    assert not AuditEntry.objects.exists()


def test_rules_are_saved_and_computed_anew(staff: Client, test: ListeningTest) -> None:
    data = typed(test, anchors__limit="30", anchors__how="any", trap__for_use="", gold__is_enabled="")

    response = staff.post(url("screening_rules", test), data, follow=True)

    assert "The rules are saved." in response.text
    anchors = ScreeningRule.objects.get(rule="anchors")
    assert (anchors.limit, anchors.how, anchors.at_least) == (30, "any", 3)
    assert not ScreeningRule.objects.get(rule="gold").is_enabled
    assert "Fails where a mismatched anchor gets more than 30 points." in response.text
    assert staff.get(url("screening_live", test)).status_code == 200
    asked_compute(test_id=test.pk)
    assert not RuleOutcome.objects.filter(rule="anchors", outcome="failed").exists()
    live = staff.get(url("screening_live", test))
    assert (live.status_code, live.headers["HX-Refresh"]) == (204, "true")


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"anchors__limit": "many"}, "Points: Enter a number."),
        ({"too-fast__at_least": "0"}, "On at least: Ensure this value is greater than or equal to 1."),
        ({"gold__limit": "2"}, "Gold pairs: the limit is a share of the answers, from 0 to 1; 2 is none."),
        ({"agreement__limit": "nan"}, "Agreement with the others"),
    ],
)
def test_wrong_thresholds_are_said_and_nothing_is_saved(
    staff: Client, test: ListeningTest, changed: dict[str, str], sentence: str
) -> None:
    response = staff.post(url("screening_rules", test), typed(test, **changed))

    assert response.status_code == 400
    assert "Nothing was saved." in response.text and sentence in response.text
    assert not ScreeningRule.objects.exists()
    assert ScreeningState.objects.get().asked_at is None


def test_an_alarm_stands_at_the_top(staff: Client, test: ListeningTest) -> None:
    numbers = {"recent_hits": 29, "recent_n": 30, "earlier_hits": 4, "earlier_n": 300, "p": 1e-20}
    state = ScreeningState.objects.get()
    ScreeningAlarm.objects.create(test=test, rule="trap", kind="fails-more", since=state.computed_at, **numbers)

    page = staff.get(url("screening_page", test))

    assert "Instructed traps: fails more than before." in page.text
    assert "It failed 29 of the last 30 raters whom it could check; before them, 4 of 300." in page.text


def test_raters_are_listed_sorted_and_chosen(staff: Client, test: ListeningTest) -> None:
    address = url("screening_raters", test)

    rows = staff.get(address).context["rows"]
    up = staff.get(address, {"sort": "anchors", "order": "up"}).context["rows"]
    use = staff.get(address, {"only": "use"})

    assert [row.rater.n_failed for row in rows] == [5, 5] + [0] * 8
    assert [row.cells[0].value for row in up][-2:] == ["27.0", "27.0"]
    assert len(use.context["rows"]) == 2
    assert "Failed: 27 points for 3 mismatched anchors" in use.text
    assert "Failed: 1 of 1 instructed traps missed" in use.text
    assert str(rows[0].rater.uuid)[:8] in use.text
    assert staff.get(address, {"sort": "<b>", "only": "x", "page": "99"}).status_code == 200


def test_fifteen_hundred_raters_take_as_many_queries_and_thirty_pages(
    staff: Client, test: ListeningTest, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    address = url("screening_raters", test)
    # Session, user, test, actions; rules; count, raters, outcomes.
    with django_assert_num_queries(7):
        staff.get(address)
    first = RuleOutcome.objects.filter(rule="anchors").first()
    raters = [type(first.rater)() for _ in range(1490)]
    type(first.rater).objects.bulk_create(raters)
    fields = {name: getattr(first, name) for name in ("version", "limit", "n", "for_pay", "for_use", "computed_at")}
    RuleOutcome.objects.bulk_create(
        RuleOutcome(test=test, rater=rater, rule=rule, outcome="passed", value=1, **fields)
        for rater in raters
        for rule in ("anchors", "trap")
    )

    with django_assert_num_queries(7):
        page = staff.get(address, {"page": 30, "sort": "anchors"})

    assert len(page.context["rows"]) == 50
    assert "1,500 raters" in page.text and "Page 30 of 30" in page.text


def test_the_page_takes_as_many_queries_whatever_there_is(
    staff: Client, test: ListeningTest, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(2):
        with django_assert_num_queries(12):
            staff.get(url("screening_page", test))
        add_raters(test, 3)
        state = ScreeningState.objects.get()
        Screening.objects.create(test=test, digest=state.digest, n_raters=1, n_answers=1, undone_at=state.computed_at)
        screening_compute(test=test)


PRESSES = ("screening_rules", "screening_compute", "screening_apply")


def test_who_may_read_may_not_screen(client: Client, test: ListeningTest) -> None:
    client.force_login(make_member(test, Role.ASSISTANT))

    page = client.get(url("screening_page", test))

    assert page.status_code == 200
    assert "Save the rules" not in page.text and "Apply: leave out" not in page.text
    assert client.get(url("screening_raters", test)).status_code == 200
    for name in PRESSES:
        assert client.post(url(name, test)).status_code == 403
    screening = Screening.objects.create(test=test, digest="", n_raters=1, n_answers=1)
    assert client.post(url("screening_undo", test, screening.uuid)).status_code == 403
    assert not ScreeningRule.objects.exists() and not Exclusion.objects.exists()
    screening.refresh_from_db()
    assert screening.undone_at is None


def test_a_test_of_others_is_not_found(client: Client, test: ListeningTest) -> None:
    mine = make_test()
    client.force_login(make_member(mine))
    screening = Screening.objects.create(test=test, digest="", n_raters=1, n_answers=1)

    for name in ("screening_page", "screening_raters", "screening_live"):
        assert client.get(url(name, test)).status_code == 404
    for name in PRESSES:
        assert client.post(url(name, test)).status_code == 404
    # Nor may a screening of another test be taken back by the way of one's own.
    assert client.post(url("screening_undo", mine, screening.uuid)).status_code == 404
    assert client.get(url("screening_apply", mine)).status_code == 405


def test_names_are_text_not_markup(staff: Client) -> None:
    test = make_screened_test(n_careful=1, title="<script>alert(1)</script>")
    test.pairs.filter(role="study").update(system='<img src=x>,\n"one"')
    screening_compute(test=test)

    page = staff.get(url("screening_page", test))

    assert "<img src" not in page.text and "<script>alert" not in page.text
    assert "Mean score, &lt;img src=x&gt;,\n&quot;one&quot;" in page.text
