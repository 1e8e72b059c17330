"""What raters reported, as the researcher reads it: grouped by sound, newest first, in few queries."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from listening_tests.choices import SKIP_KINDS, ProblemKind, SessionStatus, TestKind
from listening_tests.models import Assignment, Consent, ListeningTest, Pair, ProblemReport, Rater, Session
from listening_tests.reported_problems import (
    CLIPS_SHOWN,
    REPORTS_SHOWN,
    EndedBySkips,
    n_problems_by_test,
    reported_problems,
)
from listening_tests.services.sessions import session_start
from listening_tests.services.skips import MOST_SKIPS, assignment_skip
from listening_tests.services.trials import trials_make
from tests.factories import make_caption, make_pair, make_pairs, make_test

pytestmark = pytest.mark.django_db


def make_sitting(test: ListeningTest) -> Session:
    rater = Rater.objects.create()
    consent = Consent.objects.create(rater=rater, test=test, version=1)
    return Session.objects.create(test=test, rater=rater, consent=consent, planned_count=20)


def meet(session: Session, pair: Pair, *, is_rated: bool = False) -> Assignment:
    now = timezone.now()
    ended = {"rated_at": now} if is_rated else {"skipped_at": now, "released_at": now}
    return Assignment.objects.create(
        session=session,
        rater=session.rater,
        pair=pair,
        position=session.assignments.count() + 1,
        propensity=1,
        leased_at=now,
        lease_expires_at=now + timedelta(minutes=30),
        **ended,
    )


def report(session: Session, pair: Pair, kind: str = ProblemKind.LOAD) -> ProblemReport:
    return ProblemReport.objects.create(
        test=pair.test, session=session, assignment=meet(session, pair), pair=pair, kind=kind
    )


def other_report(test: ListeningTest, text: str, session: Session | None = None) -> ProblemReport:
    return ProblemReport.objects.create(test=test, session=session, kind=ProblemKind.OTHER, text=text)


def test_it_works() -> None:
    test = make_test()
    broken, once, fine = make_pairs(test, 3)
    again = make_pair(test, clip=broken.clip, caption=make_caption())
    first, second, third = (make_sitting(test) for _ in range(3))
    report(first, broken)
    report(second, broken, ProblemKind.DECODE)
    # The same sound under another caption: the same rater is counted once.
    last = report(second, again, ProblemKind.DECODE)
    meet(third, broken, is_rated=True)
    report(third, once)
    meet(first, fine, is_rated=True)
    other_report(test, "It is loud.", first)
    other_report(test, "Where do I begin?")
    found = reported_problems(test=test)

    assert (found.n_clips, found.n_others) == (2, 2)
    worst, other = found.clips
    assert (worst.clip, worst.n_raters, worst.n_met) == (broken.clip, 2, 3)
    assert (worst.n_not_loaded, worst.n_not_played, worst.last_at) == (1, 2, last.created_at)
    assert (other.clip, other.n_raters, other.n_met) == (once.clip, 1, 1)
    assert [said.text for said in found.others] == ["Where do I begin?", "It is loud."]


def test_a_test_without_reports_asks_once(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    test = make_test()
    report(make_sitting(other := make_test()), make_pair(other))
    with django_assert_num_queries(1):
        found = reported_problems(test=test)

    assert (found.clips, found.n_clips, found.others, found.n_others) == ([], 0, [], 0)


def test_words_about_a_sound_are_no_sound_that_would_not_play() -> None:
    test = make_test()
    session, pair = make_sitting(test), make_pair(test)
    said = other_report(test, "It hums.", session)
    ProblemReport.objects.filter(pk=said.pk).update(assignment=meet(session, pair, is_rated=True), pair=pair)
    found = reported_problems(test=test)

    assert (found.n_clips, found.n_others) == (0, 1)
    assert found.others[0].pair.clip == pair.clip


def test_sittings_that_ended_by_skips_are_counted() -> None:
    test = make_test()
    pairs = make_pairs(test, MOST_SKIPS)
    statuses = [SessionStatus.CUT_SHORT, SessionStatus.CUT_SHORT, SessionStatus.ACTIVE, SessionStatus.CUT_SHORT]
    sittings = [make_sitting(test) for _ in statuses]
    for number, (sitting, status) in enumerate(zip(sittings, statuses, strict=True)):
        Session.objects.filter(pk=sitting.pk).update(status=status, saved_count=number)
        # The last one ended for another reason.
        for pair in pairs[:-1] if sitting is sittings[-1] else pairs:
            report(sitting, pair)

    assert reported_problems(test=test).ended == EndedBySkips(n_sittings=2, n_unrated=1, n_sounds=MOST_SKIPS)


def many_reports(test: ListeningTest, n_sittings: int, n_pairs: int) -> None:
    """Every sitting reports every sound, and says something else; straight into the tables."""
    now = timezone.now()
    pairs = make_pairs(test, n_pairs)
    raters = Rater.objects.bulk_create([Rater() for _ in range(n_sittings)])
    consents = Consent.objects.bulk_create([Consent(rater=rater, test=test, version=1) for rater in raters])
    sessions = Session.objects.bulk_create(
        [
            Session(test=test, rater=rater, consent=consent, planned_count=n_pairs)
            for rater, consent in zip(raters, consents, strict=True)
        ]
    )
    times = {"leased_at": now, "lease_expires_at": now, "skipped_at": now, "released_at": now}
    assignments = Assignment.objects.bulk_create(
        [
            Assignment(session=session, rater=session.rater, pair=pair, position=place, propensity=1, **times)
            for session in sessions
            for place, pair in enumerate(pairs)
        ]
    )
    rows = [(assignment.session, assignment, ProblemKind.DECODE) for assignment in assignments]
    rows += [(session, None, ProblemKind.OTHER) for session in sessions]
    ProblemReport.objects.bulk_create(
        [
            ProblemReport(
                test=test,
                session=session,
                assignment=assignment,
                pair=assignment.pair if assignment else None,
                kind=kind,
                client_uuid=uuid.uuid4(),
            )
            for session, assignment, kind in rows
        ]
    )


def test_many_reports_are_cut_and_asked_for_in_as_many_queries(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    test = make_test()
    for n_sittings, n_pairs in ((1, 1), (200, CLIPS_SHOWN + 5)):
        many_reports(test, n_sittings, n_pairs)
        with django_assert_num_queries(6):
            found = reported_problems(test=test)
            assert [said.session.rater.pk for said in found.others if said.session]

    assert (len(found.clips), found.n_clips) == (CLIPS_SHOWN, CLIPS_SHOWN + 6)
    assert {clip.n_raters for clip in found.clips} == {200}
    assert (len(found.others), found.n_others) == (REPORTS_SHOWN, 201)
    assert n_problems_by_test() == {test.pk: 2 + 200 * (CLIPS_SHOWN + 5) + 200}


def test_reports_of_one_test_are_found_by_an_index() -> None:
    """The planner may prefer to read a small table whole; where it may not, it has an index for each question."""
    test = make_test()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    latest = ProblemReport.objects.filter(test=test, kind=ProblemKind.OTHER)[:REPORTS_SHOWN]
    sounds = ProblemReport.objects.filter(test=test, kind__in=SKIP_KINDS).values("pair__clip")

    for question in (latest, sounds):
        assert "Seq Scan" not in question.explain()


@pytest.mark.parametrize("kind", [TestKind.COMPARISON, TestKind.SIDE_BY_SIDE])
def test_of_a_trial_the_clip_is_told_where_it_is_known(
    kind: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    test = make_test(kind=kind)
    pairs = make_pairs(test, 2, caption=make_caption())
    trials_make(test=test)
    for broken in (pairs[0], pairs[0], None):
        session = session_start(test=test, rater_uuid=uuid.uuid4())
        lease = session.assignments.get()
        place = lease.presentations.get(pair=broken).place if broken else None
        assignment_skip(session=session, assignment_uuid=lease.uuid, kind=ProblemKind.LOAD, place=place)
    with django_assert_num_queries(5):
        found = reported_problems(test=test)

    assert (found.n_clips, found.n_unnamed) == (1, 1)
    (clip,) = found.clips
    assert (clip.clip, clip.n_raters, clip.n_met) == (pairs[0].clip, 2, 3)
