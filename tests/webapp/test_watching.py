"""The live page of a test, and the lists and pages of its raters and pairs."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from listening_tests.choices import PairRole, Role, Source, TestKind, TestStatus
from listening_tests.costs import Cost, cost_so_far
from listening_tests.models import (
    CheckQuestion,
    Exclusion,
    ListeningTest,
    Member,
    Question,
    Rater,
    RaterIdentity,
    Rating,
    Session,
)
from tests.factories import make_caption, make_pair, make_pairs, make_test
from tests.sittings import answer_all, anything_in, make_test_of, prefer
from tests.webapp.factories import make_member, make_rating, make_session

pytestmark = pytest.mark.django_db

HOSTILE = "<script>alert('caption')</script>"


def page_of(name: str, test: ListeningTest, *more: object) -> str:
    return reverse(f"dashboard:{name}", args=[test.slug, *more])


def rate_all(test: ListeningTest, scores: list[list[float]]) -> list[Session]:
    """A row of scores for each rater, in the order of the test's study pairs."""
    pairs = list(test.pairs.filter(role=PairRole.STUDY).order_by("id"))
    sessions = [make_session(test) for _ in scores]
    for session, row in zip(sessions, scores, strict=True):
        for pair, score in zip(pairs, row, strict=True):
            make_rating(pair, score, session=session)
    return sessions


def three_raters() -> tuple[ListeningTest, list[Session]]:
    """Two who agree, one point apart, and one who says the opposite, left out by a rule."""
    test = make_test()
    make_pairs(test, 5, system="mine")
    sessions = rate_all(test, [[1, 3, 5, 7, 9], [2, 4, 6, 8, 10], [9, 7, 5, 3, 1]])
    for rating in Rating.objects.filter(rater=sessions[2].rater):
        Exclusion.objects.create(rating=rating, rule="contrary", reason="The scores run against everybody else's.")
    return test, sessions


# The live page


def test_it_works(staff: Client) -> None:
    test = make_test(title="Sounds of rain", ratings_per_pair=1, opened_at=timezone.now() - timedelta(hours=2))
    make_pairs(test, 3)
    answer_all(test, anything_in(test.kind), most=2)

    response = staff.get(page_of("live", test))

    live = response.context["live"]
    assert [(row.n_answers, row.n_items) for row in live.coverage.by_answers] == [(0, 1), (1, 2)]
    assert (live.coverage.n_full, live.coverage.n_items, live.coverage.n_missing) == (2, 3, 1)
    assert (live.sittings.n_at_work, live.n_answering) == (1, 1)
    assert "1 answers are missing" not in response.text and "1 answer is missing" in response.text
    assert "2 of 3 have 1 ratings or more" in response.text
    assert f'hx-get="{page_of("live_part", test)}" hx-trigger="every 5s"' in response.text
    assert f'<a href="{page_of("live", test)}" aria-current="page">Live</a>' in response.text


def test_the_part_that_refreshes_itself_ends_with_the_test(staff: Client) -> None:
    test = make_test()
    make_pair(test)
    part = staff.get(page_of("live_part", test))
    assert "HX-Reswap" not in part.headers and "no-store" in part.headers["Cache-Control"]
    assert "<html" not in part.text

    ListeningTest.objects.filter(pk=test.pk).update(status=TestStatus.CLOSED)
    assert staff.get(page_of("live_part", test)).headers["HX-Reswap"] == "outerHTML"
    assert "hx-get" not in staff.get(page_of("live", test)).text


def test_sittings_are_told_by_the_page_they_came_to(staff: Client) -> None:
    test = make_test()
    make_pair(test, role=PairRole.PRACTICE)
    make_pair(test)
    CheckQuestion.objects.create(test=test)
    now = timezone.now()
    states: list[dict[str, object]] = [
        {"needs_check": True},
        {"status": "screened", "needs_check": True},
        {},
        {"sound_set_up_at": now},
        {"sound_set_up_at": now, "saved_count": 3, "timed_count": 4},
        {"sound_set_up_at": now, "saved_count": 3, "status": "withdrawn"},
        {"sound_set_up_at": now, "saved_count": 20, "status": "complete", "finished_at": now - timedelta(days=1)},
        {"sound_set_up_at": now, "status": "complete", "finished_at": now, "questionnaire_at": now},
    ]
    for state in states:
        Session.objects.filter(pk=make_session(test).pk).update(**state)

    response = staff.get(page_of("live", test))

    told = {
        page.name: (page.n_reached, page.n_there, page.n_left, page.n_ended, page.n_withdrew)
        for page in response.context["live"].sittings.pages
    }
    assert told == {
        "Consent given": (8, 0, 0, 0, 0),
        "Comprehension check": (8, 0, 1, 1, 0),
        "Sound set-up": (6, 0, 1, 0, 0),
        "Practice": (5, 0, 1, 0, 0),
        "Rating": (4, 0, 1, 0, 1),
        "Questionnaire": (2, 0, 1, 0, 0),
        "Done": (1, 0, 0, 0, 0),
    }
    assert response.context["live"].cost.n_paid == 2


def test_what_is_in_hand_is_no_answer(staff: Client) -> None:
    test = make_test(ratings_per_pair=2)
    make_pairs(test, 4)
    answer_all(test, anything_in(test.kind), most=1)
    answer_all(test, anything_in(test.kind), most=1)

    coverage = staff.get(page_of("live", test)).context["live"].coverage

    assert sum(row.n_items for row in coverage.by_answers) == 4
    assert sum(row.n_answers * row.n_items for row in coverage.by_answers) == 2
    assert coverage.n_missing == 6


@pytest.mark.parametrize(
    ("status", "n_answers", "sentence"),
    [
        (TestStatus.OPEN, 3, "297 answers are missing. Too few come in to say when it ends: 3 answers since "),
        (TestStatus.PAUSED, 3, "297 answers are missing, and the test is paused."),
        (TestStatus.OPEN, 30, "270 answers are missing. At the pace of late it ends on "),
    ],
)
def test_the_end_is_told_where_it_can_be(staff: Client, status: str, n_answers: int, sentence: str) -> None:
    test = make_test(status=status, ratings_per_pair=100, opened_at=timezone.now() - timedelta(hours=10))
    for pair in make_pairs(test, 3):
        for _ in range(n_answers // 3):
            make_rating(pair, 5, session=make_session(test))
        pair.load = n_answers // 3
        pair.save()

    response = staff.get(page_of("live", test))

    assert sentence in response.text
    ends_at = response.context["live"].pace.ends_at
    assert (ends_at is None) == (n_answers < 30)
    if ends_at:
        # 30 answers in 10 hours: 270 more take 90.
        assert abs(ends_at - timezone.now() - timedelta(hours=90)) < timedelta(minutes=5)


def test_without_a_reward_the_sittings_to_pay_are_told(staff: Client) -> None:
    test = make_test()
    make_pair(test)
    Session.objects.filter(pk=make_session(test).pk).update(status="complete")
    assert "1 sitting to be paid; no reward is set" in staff.get(page_of("live", test)).text


def test_it_cost_the_paid_sittings_times_the_reward() -> None:
    test = make_test()
    for status in ("complete", "cut_short", "screened", "active"):
        Session.objects.filter(pk=make_session(test).pk).update(status=status)
    Session.objects.filter(pk=make_session(test).pk).update(status="withdrawn", outcome="complete")
    test.reward, test.currency = Decimal("1.50"), "GBP"
    assert cost_so_far(test) == Cost(3, 0, Decimal("1.50"), "GBP", Decimal("4.50"))
    test.screened_out_reward = Decimal("0.20")
    assert cost_so_far(test) == Cost(3, 1, Decimal("1.50"), "GBP", Decimal("4.70"))


def test_a_draft_without_anything_has_a_live_page(staff: Client) -> None:
    text = staff.get(page_of("live", ListeningTest.objects.create(slug="rain", title="Rain"))).text
    assert "There is nothing to rate yet." in text and "Nobody has begun yet." in text
    assert "hx-get" not in text


@pytest.mark.parametrize("kind", TestKind.values)
def test_the_live_page_takes_as_many_queries_whatever_came_in(
    staff: Client, kind: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    test = make_test_of(kind, opened_at=timezone.now())
    counts = []
    for _ in range(2):
        answer_all(test, anything_in(kind), most=2)
        with django_assert_max_num_queries(30) as captured:
            assert staff.get(page_of("live_part", test)).status_code == 200
        counts.append(len(captured))
    assert counts[0] == counts[1]


# Notices, on the live page


def test_an_owner_turns_notices_off_and_on(client: Client) -> None:
    test = make_test()
    owner = make_member(test, Role.OWNER)
    client.force_login(owner)
    assert "Turn notices off" in client.get(page_of("live", test)).text

    for _ in range(2):
        response = client.post(page_of("notices", test), {"wanted": "0"}, follow=True)
    assert response.redirect_chain == [(page_of("live", test), 303)]
    assert "You get no notices of this test from now on." in response.text
    assert not Member.objects.get(test=test).wants_notices
    client.post(page_of("notices", test), {"wanted": "1"})
    assert Member.objects.get(test=test).wants_notices


def test_who_is_no_member_has_no_notices_to_turn_on(staff: Client) -> None:
    test = make_test()
    response = staff.post(page_of("notices", test), {"wanted": "1"}, follow=True)
    assert "Notices go to the owners of a test, and you are none. Ask one to make you an owner." in response.text
    assert "Turn notices" not in response.text


# Raters


def test_raters_are_told_apart(staff: Client) -> None:
    test, sessions = three_raters()

    response = staff.get(page_of("rater_list", test), {"sort": "-agreement"})

    lines = {line.rater.pk: line for line in response.context["listing"].page.object_list}
    first, second, contrary = (lines[session.rater_id] for session in sessions)
    # The contrary one's scores are left out, so that they pull nobody's mean.
    assert (first.offset, second.offset) == pytest.approx((-1, 1))
    assert (first.agreement, contrary.agreement) == pytest.approx((1, -1))
    assert (contrary.n_left_out, first.n_left_out) == (5, 0)
    assert first.sd == pytest.approx(10**0.5)
    assert list(lines) == [sessions[0].rater_id, sessions[1].rater_id, sessions[2].rater_id]
    assert str(sessions[0].rater.uuid.hex)[:8] in response.text
    assert "3 raters" in response.text


def test_a_rater_who_only_began_is_in_the_list_too(staff: Client) -> None:
    test = make_test()
    make_pair(test)
    make_session(test)
    (line,) = staff.get(page_of("rater_list", test)).context["listing"].page.object_list
    assert (line.n_answers, line.offset, line.agreement) == (0, None, None)


def test_a_rater_is_looked_at_closely(staff: Client) -> None:
    test, sessions = three_raters()

    response = staff.get(page_of("rater_page", test, sessions[2].rater.uuid))

    assert response.context["scale_use"]["rows"][9] == ["9", 1]
    assert [seen.others for seen in response.context["look"].answers] == pytest.approx([1.5, 3.5, 5.5, 7.5, 9.5])
    assert "r = -1.00 ± 0.00 with the mean of the others, over 5 study pairs" in response.text
    assert "+0.00 from" not in response.text
    assert response.text.count("Left out: The scores run against everybody else&#x27;s. (contrary, version 1)") == 5
    assert "100 % of a clip in the median; 0 % of sounds started again" in response.text


def test_who_a_rater_says_to_be_is_for_those_who_pay(client: Client) -> None:
    test, sessions = three_raters()
    rater = sessions[0].rater
    RaterIdentity.objects.create(rater=rater, recruiter="prolific", claimed_id="5f9secret")
    for role, sees in ((Role.OWNER, True), (Role.ASSISTANT, True), (Role.ANALYST, False)):
        client.force_login(make_member(test, role, username=role))
        for url in (page_of("rater_page", test, rater.uuid), page_of("rater_list", test)):
            assert ("5f9secret" in client.get(url).text) == (sees and "raters/" in url and str(rater.uuid) in url)


def test_raters_of_other_tests_are_not_found(staff: Client) -> None:
    test, _ = three_raters()
    for uuid in (make_session(make_test()).rater.uuid, test.uuid):
        assert staff.get(page_of("rater_page", test, uuid)).status_code == 404


# Pairs


def test_pairs_are_filtered_and_sorted(staff: Client) -> None:
    test, _ = three_raters()
    make_pair(test, role=PairRole.ANCHOR, system="other")
    url = page_of("pair_list", test)

    def means(**words: str) -> list[float | None]:
        return [line.mean for line in staff.get(url, words).context["listing"].page.object_list]

    assert means(sort="-mean") == [9.5, 7.5, 5.5, 3.5, 1.5, None]
    assert means(sort="mean") == [1.5, 3.5, 5.5, 7.5, 9.5, None]
    assert means(role="anchor") == means(system="other") == [None]
    assert means(role="anchor", system="mine") == []
    assert "No pair is of this role and system." in staff.get(url, {"system": "mine", "role": "anchor"}).text
    (first, *_) = staff.get(url).context["listing"].page.object_list
    assert (first.n, first.sd) == (2, pytest.approx(0.5**0.5))


def test_a_pair_has_a_page_with_every_score(staff: Client) -> None:
    test, sessions = three_raters()
    pair = test.pairs.order_by("id")[0]
    pair.expected_min, pair.expected_max = 0, 2
    pair.caption = make_caption(HOSTILE)
    pair.save()

    text = staff.get(page_of("pair_page", test, pair.uuid)).text

    assert "2, mean 1.50, SD 0.71" in text
    assert "0 to 2" in text
    assert HOSTILE not in text and "&lt;script&gt;" in text
    assert reverse("dashboard:clip_audio", args=[pair.clip.uuid]) in text
    assert text.count('<tr class="left-out">') == 1
    for session in sessions:
        assert page_of("rater_page", test, session.rater.uuid) in text
    assert HOSTILE not in staff.get(page_of("pair_list", test)).text


def test_pairs_of_other_tests_are_not_found(staff: Client) -> None:
    test, pair = make_test(), make_pair(make_test())
    assert staff.get(page_of("pair_page", test, pair.uuid)).status_code == 404
    assert staff.get(page_of("trial_page", test, pair.uuid)).status_code == 404


def test_a_comparison_lists_its_trials(staff: Client) -> None:
    test = make_test_of(TestKind.COMPARISON, n_captions=5, systems=("mine", "<b>other</b>"), ratings_per_pair=3)
    for _ in range(3):
        session = answer_all(test, prefer("mine"))
    rater = Rater.objects.get(pk=session.rater_id)

    (line, *_) = staff.get(page_of("pair_list", test), {"sort": "-mean"}).context["listing"].page.object_list
    text = staff.get(page_of("trial_page", test, line.trial.uuid)).text
    raters = staff.get(page_of("rater_list", test))
    closely = staff.get(page_of("rater_page", test, rater.uuid))

    assert (line.n, line.n_lower, line.n_neither, line.n_higher) == (3, 3, 0, 0)
    assert "Preferred by 3 of 3." in text and "<b>other" not in text and "&lt;b&gt;other" in text
    assert [found.n_answers for found in raters.context["listing"].page.object_list] == [5, 5, 5]
    assert "Offset" not in raters.text
    rows = dict(closely.context["scale_use"]["rows"])
    assert rows["A"] + rows["B"] == 5 and "Places chosen" in closely.text
    unfound = make_test_of(TestKind.COMPARISON)
    assert staff.get(page_of("trial_page", unfound, line.trial.uuid)).status_code == 404


def test_side_by_side_lists_its_pairs(staff: Client) -> None:
    test = make_test_of(TestKind.SIDE_BY_SIDE, n_captions=2)
    session = answer_all(test, anything_in(test.kind), most=1)
    lines = staff.get(page_of("pair_list", test), {"sort": "-n"}).context["listing"].page.object_list
    assert [line.n for line in lines] == sorted([line.n for line in lines], reverse=True)
    assert staff.get(page_of("pair_page", test, lines[0].pair.uuid)).status_code == 200
    assert staff.get(page_of("rater_page", test, session.rater.uuid)).status_code == 200
    assert staff.get(page_of("live", test)).context["live"].seconds.n == 1


# All lists


@pytest.mark.parametrize("name", ["rater_list", "pair_list"])
def test_a_long_table_has_pages(staff: Client, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webapp.dashboard.pages_of_raters.RATERS_SHOWN", 2)
    monkeypatch.setattr("webapp.dashboard.pages_of_pairs.PAIRS_SHOWN", 2)
    test, _ = three_raters()
    sort = "-n" if name == "pair_list" else "-n_answers"

    first = staff.get(page_of(name, test), {"sort": sort})
    last = staff.get(page_of(name, test), {"sort": sort, "page": "999"})

    assert f'href="?sort={sort}&amp;page=2" rel="next"' in first.text
    assert 'rel="next"' not in last.text and 'rel="prev"' in last.text
    assert 'aria-sort="descending"' in first.text
    assert staff.get(page_of(name, test), {"sort": "pk"}).status_code == 404
    assert staff.get(page_of(name, test), {"question": "none"}).status_code == 404


@pytest.mark.parametrize("kind", TestKind.values)
@pytest.mark.parametrize("name", ["rater_list", "pair_list"])
def test_more_rows_take_no_more_queries(
    staff: Client, name: str, kind: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    test = make_test_of(kind, n_captions=2)
    counts = []
    for _ in range(2):
        answer_all(test, anything_in(kind), most=2)
        with django_assert_max_num_queries(14) as captured:
            assert staff.get(page_of(name, test)).status_code == 200
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_one_of_several_questions_is_chosen_by_the_address(staff: Client) -> None:
    test = make_test()
    Question.objects.create(test=test, name="quality", prompt="How <i>good</i>?", scale_max=100, scale_step=0)
    pair = make_pair(test)
    session = answer_all(test, anything_in(test.kind))
    asked = {"question": "quality"}

    (line,) = staff.get(page_of("pair_list", test), asked).context["listing"].page.object_list
    closely = staff.get(page_of("rater_page", test, session.rater.uuid), asked)

    assert line.mean == 100
    assert closely.context["scale_use"]["rows"][-1] == ["90 to 100", 1]
    assert "How &lt;i&gt;good&lt;/i&gt;?" in closely.text
    assert "mean 100.00" in staff.get(page_of("pair_page", test, pair.uuid), asked).text


def test_imported_raters_have_no_sitting(staff: Client) -> None:
    test = make_test()
    pair = make_pair(test)
    rater = Rater.objects.create(source=Source.IMPORTED)
    Rating.objects.create(
        **{"client_uuid": rater.uuid, "test": test, "pair": pair, "rater": rater, "question": test.questions.get()},
        **{"source": Source.IMPORTED, "score": 4, "scale_min": 0, "scale_max": 10, "submitted_at": timezone.now()},
    )
    assert "imported" in staff.get(page_of("rater_list", test)).text
    assert "not known" in staff.get(page_of("rater_page", test, rater.uuid)).text
    assert staff.get(page_of("pair_page", test, pair.uuid)).status_code == 200
