"""What raters reported, and their withdrawals, on the researcher's pages."""

from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from listening_tests.choices import ProblemKind, SessionStatus, WithdrawnRatings
from listening_tests.models import Assignment, ListeningTest, Pair, ProblemReport, Rater, Rating, Session, Withdrawal
from listening_tests.services.skips import MOST_SKIPS
from listening_tests.services.withdrawals import rater_withdraw
from tests.factories import make_pair, make_pairs, make_test
from tests.webapp.factories import make_done_run, make_rating, make_session
from worker.models import DatasetSnapshot

LIST_URL = "/dashboard/"
RUNS_URL = "/dashboard/runs/"
HOSTILE = "<script>alert('report')</script> & \"more\""


def page_of(test: ListeningTest) -> str:
    return reverse("dashboard:test_page", args=[test.slug])


def skip(pair: Pair, kind: str = ProblemKind.LOAD, *, session: Session | None = None) -> ProblemReport:
    """A rater whose browser would not play the pair's clip."""
    session, now = session or make_session(pair.test), timezone.now()
    assignment = Assignment.objects.create(
        session=session,
        rater=session.rater,
        pair=pair,
        position=session.assignments.count(),
        propensity=1,
        leased_at=now,
        lease_expires_at=now,
        released_at=now,
        skipped_at=now,
    )
    return ProblemReport.objects.create(test=pair.test, session=session, assignment=assignment, pair=pair, kind=kind)


def say(test: ListeningTest, text: str, **fields: object) -> ProblemReport:
    return ProblemReport.objects.create(test=test, kind=ProblemKind.OTHER, text=text, **fields)


def withdraw(test: ListeningTest, *, treatment: str = WithdrawnRatings.DELETE, n_ratings: int = 12) -> Withdrawal:
    return Withdrawal.objects.create(
        test=test,
        rater=Rater.objects.create(),
        treatment=treatment,
        n_ratings=n_ratings,
        first_rated_at=timezone.now() - timedelta(days=1),
    )


def test_it_works(staff: Client) -> None:
    test = make_test()
    broken, other = make_pairs(test, 2)
    skip(broken)
    skip(broken, ProblemKind.DECODE)
    make_rating(broken, 5)
    skip(other)
    session = make_session(test)
    say(test, "The page is too bright.", session=session, browser="Netscape 4")

    text = staff.get(page_of(test)).text

    assert "Problems that raters reported" in text
    assert "2 sounds that would not play" in text
    assert "2 of 3 raters" in text and "1 of 1 rater" in text
    assert "not loaded: 1, not played: 1" in text
    assert reverse("dashboard:clip_audio", args=[broken.clip.uuid]) in text
    assert reverse("admin:listening_tests_clip_change", args=[broken.clip.pk]) in text
    assert "1 other report" in text and "The page is too bright." in text and "Netscape 4" in text
    assert reverse("admin:listening_tests_session_change", args=[session.pk]) in text
    assert f"{reverse('admin:listening_tests_problemreport_changelist')}?test__id__exact={test.pk}" in text


def test_sittings_that_ended_by_skips_are_told(staff: Client) -> None:
    test = make_test()
    pairs, sessions = make_pairs(test, MOST_SKIPS), [make_session(test) for _ in range(2)]
    for pair in pairs:
        for session in sessions:
            skip(pair, session=session)
    assert "sounds would not play" not in staff.get(page_of(test)).text
    Session.objects.update(status=SessionStatus.CUT_SHORT)
    Session.objects.filter(pk=sessions[0].pk).update(saved_count=3)

    text = staff.get(page_of(test)).text

    sittings = f"{reverse('admin:listening_tests_session_changelist')}?test__id__exact={test.pk}"
    assert f'<a href="{sittings}&amp;status__exact=cut_short">2 sittings</a> ended because 10 sounds' in text
    assert "would not play, 1 of them without a rating." in text


def test_a_test_without_reports_has_no_such_panel(staff: Client) -> None:
    test = make_test()
    skip(make_pair(make_test()))

    assert "Problems that raters reported" not in staff.get(page_of(test)).text


def test_the_list_of_tests_has_a_badge(staff: Client) -> None:
    test, quiet = make_test(), make_test()
    say(test, "One.")
    assert "1 problem reported</a>" in staff.get(LIST_URL).text

    skip(make_pair(test))
    text = staff.get(LIST_URL).text
    assert f'href="{page_of(test)}#problems">2 problems reported</a>' in text
    assert f"{page_of(quiet)}#problems" not in text


def test_words_of_raters_are_hostile_text(staff: Client) -> None:
    test = make_test()
    pair = make_pair(test)
    skip(pair)
    type(pair.clip).objects.update(name=f"{HOSTILE}.wav")
    say(test, HOSTILE, browser=HOSTILE, assignment=Assignment.objects.get(), pair=pair)

    text = staff.get(page_of(test)).text

    assert "<script>alert" not in text
    assert text.count("&lt;script&gt;alert(&#x27;report&#x27;)&lt;/script&gt; &amp; &quot;more&quot;") >= 4


def test_words_of_who_withdrew_are_gone(staff: Client) -> None:
    test = make_test()
    session = make_session(test)
    say(test, "Call me on 0171 555.", session=session)
    rater_withdraw(session=session)

    text = staff.get(page_of(test)).text

    assert "(No words: the rater has withdrawn.)" in text and "0171 555" not in text


def test_many_reports_need_as_many_queries(
    staff: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    test = make_test()
    counts = []
    for number in (2, 30):
        for pair in make_pairs(test, number):
            skip(pair)
            say(test, "Once more.", session=make_session(test))
        with django_assert_max_num_queries(25) as captured:
            text = staff.get(page_of(test)).text
        counts.append(len(captured))

    assert counts[0] == counts[1]
    assert "32 sounds that would not play" in text
    assert "Shown are the 20 sounds that most raters could not hear." in text
    assert "Shown are the latest 20." in text


def test_flagged_ratings_are_told_and_lead_to_their_list(staff: Client) -> None:
    test = make_test()
    assert "Flagged" not in staff.get(page_of(test)).text
    rating = make_rating(make_pair(test), 5)
    row = {field.attname: getattr(rating, field.attname) for field in Rating._meta.concrete_fields}
    rating.delete()
    Rating.objects.create(**row | {"late": True, "too_soon": True})

    text = staff.get(page_of(test)).text

    ratings = f"{reverse('admin:listening_tests_rating_changelist')}?test__id__exact={test.pk}"
    ratings += "&amp;question=relevance"
    assert f'<a href="{ratings}&amp;late__exact=1">1 came late</a>, after its lease had ended' in text
    assert f'<a href="{ratings}&amp;too_soon__exact=1">1 came sooner</a> than the clip could have been heard' in text
    assert staff.get(f"{unescape(ratings)}&too_soon__exact=1").status_code in {200, 403}


def test_sittings_and_withdrawals_are_told(staff: Client) -> None:
    test = make_test()
    text = staff.get(page_of(test)).text
    assert "0 finished, 0 open</dd>" in text and "Withdrawals" not in text
    for status in (SessionStatus.SCREENED, SessionStatus.WITHDRAWN, SessionStatus.WITHDRAWN):
        make_session(test)
        Session.objects.filter(pk=Session.objects.latest("pk").pk).update(status=status)
    withdraw(test, n_ratings=1)
    withdraw(test, treatment=WithdrawnRatings.EXCLUDE)

    text = staff.get(page_of(test)).text

    assert "0 finished, 0 open, 1 ended by a check, 2 withdrawn" in text
    assert "2 raters</a>, 1 rating deleted, 12 ratings left out" in text


@pytest.mark.parametrize("n_raters", [1, 2])
def test_a_run_with_withdrawn_ratings_is_marked_wherever_it_stands(staff: Client, n_raters: int) -> None:
    test = make_test()
    run = make_done_run(test)
    pages = (page_of(test), RUNS_URL, reverse("dashboard:run_page", args=[run.uuid]))
    assert not [page for page in pages if "withdrew" in staff.get(page).text]
    for _ in range(n_raters):
        withdraw(test)

    raters = "1 rater" if n_raters == 1 else "2 raters"
    mark = (
        f"Ratings of {raters} who withdrew on {timezone.now():%Y-%m-%d} were used here. "
        "Retrain to have a model without them."
    )
    for page in pages:
        assert mark in staff.get(page).text
    # In the panel on retraining, and beside the run.
    assert staff.get(page_of(test)).text.count(mark) == 2


def test_the_newest_model_alone_is_told_beside_the_plan(staff: Client) -> None:
    test = make_test()
    old = make_done_run(test)
    withdraw(test)
    make_done_run(test)
    DatasetSnapshot.objects.exclude(pk=old.snapshot_id).update(read_at=timezone.now() + timedelta(minutes=5))

    text = staff.get(page_of(test)).text

    assert "The newest model comes from run" not in text
    assert text.count("were used here. A later model is without them.") == 1
