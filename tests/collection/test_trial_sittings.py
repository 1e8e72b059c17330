"""Sittings of trials: given out, kept, given back, rated late, withdrawn from. Alike for both kinds that have them."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from listening_tests.choices import PairRole, ProblemKind, SessionStatus, TestKind, WithdrawnRatings
from listening_tests.exceptions import RatingConflict, Refused, Withdrawn
from listening_tests.models import (
    Assignment,
    Clip,
    Comparison,
    Consent,
    Exclusion,
    ListeningTest,
    Pair,
    ProblemReport,
    Rating,
    Session,
    Trial,
)
from listening_tests.selectors import assignments_open
from listening_tests.services.sessions import session_resume
from listening_tests.services.skips import assignment_skip
from listening_tests.services.trials import trials_make
from listening_tests.services.withdrawals import rater_withdraw
from listening_tests.sitting_plan import READING_AND_CHOOSING_S, sitting_plan
from tests.collection.sitting import current_state, start_sitting
from tests.collection.trials import begin, current, everything, make_test_of, submit
from tests.factories import make_caption, make_clip, make_pair

pytestmark = pytest.mark.django_db

COMPARISON, SIDE_BY_SIDE = TestKind.COMPARISON, TestKind.SIDE_BY_SIDE


@pytest.fixture(params=[COMPARISON, SIDE_BY_SIDE])
def test(request) -> ListeningTest:
    """Of six trials, whichever the kind, with clips of 1, 2 and 3 s."""
    return make_test_of(request.param, n_captions=2 if request.param == COMPARISON else 6)


def add_practice(test: ListeningTest, number: int = 1) -> None:
    for _ in range(number):
        caption = make_caption()
        for _ in range(2):
            make_pair(test, caption=caption, role=PairRole.PRACTICE)
    trials_make(test=test)


def skip(session: Session, assignment: Assignment) -> list[Assignment]:
    return assignment_skip(session=session, assignment_uuid=assignment.uuid, kind=ProblemKind.DECODE).leases


def end_leases(session: Session) -> None:
    session.assignments.filter(rated_at=None).update(lease_expires_at=timezone.now() - timedelta(seconds=1))


def assert_loads_are_true(test: ListeningTest) -> None:
    """The load of each trial is its answered assignments plus its open leases, and no pair of a trial has one."""
    for trial in test.trials.exclude(role=PairRole.PRACTICE):
        answered = trial.assignments.filter(rated_at__isnull=False).count()
        leases = trial.assignments.filter(rated_at__isnull=True, released_at__isnull=True).count()
        assert trial.load == answered + leases
    assert not Pair.objects.exclude(load=0).exists()
    assert not Trial.objects.filter(role=PairRole.PRACTICE).exclude(load=0).exists()


def n_rows() -> int:
    return Rating.objects.count() + Comparison.objects.count()


class TestGivingOut:
    def test_three_at_once_each_in_places(self, test):
        session = begin(test)
        leases = assignments_open(session=session)
        assert [lease.position for lease in leases] == [1, 2, 3]
        assert session.planned_count == 6
        for lease in leases:
            assert lease.pair is None
            assert set(lease.pairs) == set(lease.trial.pairs.all())
            assert [shown.place for shown in lease.presentations.all()] == [*range(1, len(lease.pairs) + 1)]
        assert_loads_are_true(test)

    def test_to_the_end(self, test):
        session = begin(test)
        leases = assignments_open(session=session)
        seen = set()
        while leases:
            seen.add(leases[0].trial_id)
            receipt = submit(session, leases[0])
            leases = receipt.leases
            assert len(leases) == min(3, 6 - receipt.session.saved_count)
        assert receipt.session.status == SessionStatus.COMPLETE
        assert len(seen) == receipt.session.saved_count == 6
        assert_loads_are_true(test)

    def test_what_comes_next_is_what_the_page_shows_when_reloaded(self, test):
        session = begin(test)
        first = [lease.pairs for lease in assignments_open(session=session)]
        assert [lease.pairs for lease in assignments_open(session=session)] == first
        assert [lease.pairs for lease in session_resume(session=session)] == first

    def test_never_more_than_k(self, test):
        ListeningTest.objects.filter(pk=test.pk).update(ratings_per_pair=2)
        test.refresh_from_db()
        for _ in range(2):
            session = begin(test)
            while assignments_open(session=session):
                submit(session)
        with pytest.raises(Refused, match="Every sound of this listening test has all the ratings it needs."):
            begin(test)
        assert set(test.trials.values_list("load", flat=True)) == {2}

    def test_the_last_ones_are_in_other_hands(self, test):
        ListeningTest.objects.filter(pk=test.pk).update(ratings_per_pair=1)
        test.refresh_from_db()
        begin(test), begin(test)
        with pytest.raises(Refused) as refusal:
            begin(test)
        assert str(refusal.value).startswith("The last sounds of this listening test are with other raters now.")

    def test_practice_in_hand_is_nobodys_last_sound(self, test):
        """Where all that counts is rated, a trial of practice that somebody left does not come free for others."""
        add_practice(test)
        test.trials.exclude(role=PairRole.PRACTICE).update(load=test.ratings_per_pair - 1)
        session = begin(test)
        assert current(session).trial.role == PairRole.PRACTICE
        session.assignments.exclude(trial__role=PairRole.PRACTICE).update(rated_at=timezone.now())
        test.trials.exclude(role=PairRole.PRACTICE).update(load=test.ratings_per_pair)
        with pytest.raises(Refused, match="Every sound of this listening test has all the ratings it needs."):
            begin(test)

    def test_practice_comes_first_and_counts_none(self, test):
        add_practice(test, 2)
        session = begin(test)
        leases = assignments_open(session=session)
        assert [lease.trial.role for lease in leases] == ["practice", "practice", "study"]
        assert [len(lease.pairs) for lease in leases[:2]] == [2, 2]
        receipt = submit(session, leases[0])
        assert receipt.session.saved_count == 0
        assert n_rows() == (1 if test.kind == COMPARISON else 2)
        assert_loads_are_true(test)

    def test_propensity(self, test):
        """One over the number of those that could have come instead."""
        leases = assignments_open(session=begin(test))
        assert [lease.propensity for lease in leases] == [pytest.approx(1 / left) for left in (6, 5, 4)]

    def test_a_trial_with_a_mute_clip_is_never_given(self, test):
        mute = test.trials.order_by("pk")[0]
        Pair.objects.filter(pk=mute.pairs.first().pk).update(clip=Clip.objects.create(name="not-here.wav"))
        n_mute = test.trials.filter(pairs__clip__rendition="").distinct().count()
        session = begin(test)
        assert session.planned_count == 6 - n_mute == sitting_plan(test=test).pairs
        while assignments_open(session=session):
            submit(session)
        assert not Assignment.objects.filter(trial=mute).exists()
        assert Session.objects.get(pk=session.pk).status == SessionStatus.COMPLETE


class TestPlans:
    def test_what_a_newcomer_is_told(self, test):
        """Two hearings of every clip of a trial, and time to read and choose; two minutes and a half around it."""
        seconds = sum(pair.clip.duration_s for trial in test.trials.all() for pair in trial.pairs.all()) / 6
        plan = sitting_plan(test=test)
        assert (plan.pairs, plan.practice) == (6, 0)
        assert plan.minutes == -(-(6 * (2 * seconds + READING_AND_CHOOSING_S) + 90) // 60)
        session = begin(test)
        assert session.pair_estimate_s == pytest.approx(2 * seconds + READING_AND_CHOOSING_S)

    def test_a_comparison_of_one_and_two_seconds(self):
        test = make_test_of(COMPARISON, n_captions=1, systems=("one", "two"))
        assert begin(test).pair_estimate_s == 2 * (1 + 2) + READING_AND_CHOOSING_S

    def test_the_page_names_them(self, client, test):
        add_practice(test, 7)
        plan = sitting_plan(test=test)
        assert (plan.pairs, plan.practice) == (6, 5)
        start_sitting(client, test)
        assert current_state(client, test)["planned"] == 6

    def test_what_is_full_is_not_planned(self, test):
        test.trials.filter(pk__in=test.trials.order_by("pk")[:2]).update(load=test.ratings_per_pair)
        assert sitting_plan(test=test).pairs == 4 == begin(test).planned_count


class TestSkips:
    def test_it_is_given_back(self, test):
        session = begin(test)
        skipped = current(session)
        leases = skip(session, skipped)
        assert len(leases) == 3 and skipped not in leases
        assert Trial.objects.get(pk=skipped.trial_id).load == 0
        assert ProblemReport.objects.get().assignment == skipped
        assert_loads_are_true(test)
        again = skip(session, skipped)
        assert again == leases and ProblemReport.objects.count() == 1

    def test_an_answer_that_comes_after_it_is_kept_and_late(self, test):
        session = begin(test)
        skipped = current(session)
        skip(session, skipped)
        receipt = submit(session, skipped)
        assert receipt.rows[0].late
        assert Trial.objects.get(pk=skipped.trial_id).load == 1
        assert_loads_are_true(test)


class TestLeasesThatEnd:
    def test_it_goes_to_somebody_else_and_the_late_answer_is_kept(self, test):
        ListeningTest.objects.filter(pk=test.pk).update(ratings_per_pair=1, pairs_per_session=1)
        test.refresh_from_db()
        left = begin(test)
        trial = current(left).trial
        assignment = current(left)
        Trial.objects.filter(test=test).exclude(pk=trial.pk).update(load=1)
        end_leases(left)
        arrived = begin(test)
        assert current(arrived).trial == trial
        assert not submit(arrived).rows[0].late
        late = submit(left, assignment)
        assert {row.late for row in late.rows} == {True}
        assert late.session.status == SessionStatus.COMPLETE
        trial.refresh_from_db()
        assert trial.load == 2
        assert trial.assignments.filter(rated_at__isnull=False).count() == 2

    def test_who_comes_back_finds_the_same_ones_in_the_same_places(self, test):
        session = begin(test)
        before = [(lease.pk, lease.pairs) for lease in assignments_open(session=session)]
        end_leases(session)
        assert assignments_open(session=session) == []
        assert [(lease.pk, lease.pairs) for lease in session_resume(session=session)] == before
        assert not submit(session).rows[0].late
        assert_loads_are_true(test)

    def test_who_comes_back_after_others_gets_another(self, test):
        ListeningTest.objects.filter(pk=test.pk).update(ratings_per_pair=1, pairs_per_session=1)
        test.refresh_from_db()
        left = begin(test)
        lost = current(left).trial
        end_leases(left)
        Trial.objects.filter(test=test).exclude(pk=lost.pk).update(load=1)
        taker = begin(test)
        assert current(taker).trial == lost
        other = test.trials.exclude(pk=lost.pk).order_by("pk")[0]
        Trial.objects.filter(pk=other.pk).update(load=0)
        assert [lease.trial for lease in session_resume(session=left)] == [other]
        assert Trial.objects.get(pk=lost.pk).load == 1

    def test_practice_that_was_left_comes_again(self, test):
        add_practice(test)
        session = begin(test)
        practice = current(session)
        end_leases(session)
        assert session_resume(session=session)[0] == practice
        assert_loads_are_true(test)


class TestWithdrawals:
    @pytest.fixture
    def session(self, test) -> Session:
        """Of a rater with three answers, one of them to practice, and others who have rated the same."""
        add_practice(test)
        for _ in range(2):
            other = begin(test)
            submit(other), submit(other)
        session = begin(test)
        for _ in range(3):
            submit(session)
        return session

    def test_the_answers_are_deleted_and_the_places_given_back(self, test, session):
        before = dict(test.trials.values_list("pk", "load"))
        of_rater = session.assignments.exclude(trial__role=PairRole.PRACTICE)
        theirs = set(of_rater.values_list("trial", flat=True))
        n_theirs, n_all = n_rows_of(session), n_rows()
        withdrawal = rater_withdraw(session=session)
        assert withdrawal.n_ratings == n_theirs > 0
        assert n_rows() == n_all - n_theirs
        assert n_rows_of(session) == 0
        assert not Exclusion.objects.exists()
        assert dict(test.trials.values_list("pk", "load")) == {pk: load - (pk in theirs) for pk, load in before.items()}
        assert len(theirs) == 5
        with pytest.raises(Withdrawn):
            submit(session, session.assignments.filter(rated_at=None).first())

    def test_the_answers_are_excluded_and_keep_their_places(self, test, session):
        Consent.objects.filter(pk=session.consent_id).update(withdrawn_ratings=WithdrawnRatings.EXCLUDE)
        before = dict(test.trials.values_list("pk", "load"))
        open_leases = set(session.assignments.filter(rated_at=None, released_at=None).values_list("trial", flat=True))
        n_all = n_rows()
        withdrawal = rater_withdraw(session=session)
        assert n_rows() == n_all
        excluded = Exclusion.objects.filter(rule="withdrawal", version=1, reason="The rater withdrew from the test.")
        assert excluded.count() == withdrawal.n_ratings == n_rows_of(session) > 0
        of_kind = Comparison if test.kind == COMPARISON else Rating
        assert of_kind.objects.filter(rater=session.rater, exclusions__isnull=True).count() == 0
        assert dict(test.trials.values_list("pk", "load")) == {
            pk: load - (pk in open_leases) for pk, load in before.items()
        }

    def test_twice_changes_nothing(self, session):
        first = rater_withdraw(session=session)
        before = everything()
        assert rater_withdraw(session=session) == first
        assert everything() == before

    def test_after_a_late_answer(self, test):
        """It came on top, so that both places are given back, the one of the lease and no other."""
        session = begin(test)
        assignment = current(session)
        skip(session, assignment)
        submit(session, assignment)
        rater_withdraw(session=session)
        assert set(test.trials.values_list("load", flat=True)) == {0}


def n_rows_of(session: Session) -> int:
    return sum(model.objects.filter(rater=session.rater).count() for model in (Rating, Comparison))


def test_too_soon_is_said_of_all_clips_together(test):
    """After the last of them was shown long enough ago, but not all."""
    session = begin(test)
    assignment = current(session)
    seconds = sum(pair.clip.duration_s for pair in assignment.pairs)
    ago = timezone.now() - timedelta(seconds=seconds + 1)
    Session.objects.filter(pk=session.pk).update(started_at=ago)
    session.assignments.update(leased_at=ago)
    assert not submit(session, assignment, elapsed_s=seconds + 1).rows[0].too_soon
    following = current(session)
    # Of its own clips: it may have one less, where no anchor can be hidden in it.
    seconds = sum(pair.clip.duration_s for pair in following.pairs)
    Session.objects.filter(pk=session.pk).update(started_at=ago - timedelta(hours=1))
    assert submit(session, following, elapsed_s=0.6 * seconds).rows[0].too_soon


def test_another_answer_through_the_service_is_a_conflict(test):
    session = begin(test)
    assignment = current(session)
    client_uuid = uuid4()
    submit(session, assignment, client_uuid=client_uuid)
    before = everything()
    assert not submit(session, assignment, client_uuid=client_uuid).created
    with pytest.raises(RatingConflict):
        submit(session, assignment, client_uuid=client_uuid, choice="second", score=3)
    assert everything() == before


class TestAudio:
    @pytest.fixture
    def clips(self, client, test) -> list[dict[str, object]]:
        for number, clip in enumerate(Clip.objects.order_by("pk")):
            content = f"the sound of clip number {number}".encode()
            Clip.objects.filter(pk=clip.pk).update(rendition=make_clip(content=content).rendition.name)
        start_sitting(client, test)
        clips: list[dict[str, object]] = current_state(client, test)["next"]["clips"]
        return clips

    def test_each_place_has_its_clip(self, client, clips):
        assignment = current(Session.objects.get())
        for shown, pair in zip(clips, assignment.pairs, strict=True):
            response = client.get(shown["audio"])
            assert response.getvalue() == pair.clip.rendition.read()
        assert len({client.get(shown["audio"]).getvalue() for shown in clips}) == len(clips)

    def test_in_parts(self, client, clips):
        address = clips[1]["audio"]
        whole = client.get(address).getvalue()
        part = client.get(address, headers={"Range": "bytes=4-8"})
        assert (part.status_code, part.getvalue()) == (206, whole[4:9])
        assert part.headers["Content-Range"] == f"bytes 4-8/{len(whole)}"
        assert client.get(address, headers={"Range": "bytes=1000-"}).status_code == 416

    def test_the_headers_tell_nothing_of_a_clip(self, client, clips):
        """An anchor's are like any other's: they name the assignment and the place."""
        assignment = current(Session.objects.get())
        told = set()
        for place, shown in enumerate(clips, start=1):
            response = client.get(shown["audio"])
            assert response.headers["ETag"] == f'"{assignment.uuid.hex}-{place}"'
            assert client.get(shown["audio"], headers={"If-None-Match": response.headers["ETag"]}).status_code == 304
            varying = {"ETag", "Content-Length"}
            told.add(frozenset((name, value) for name, value in response.headers.items() if name not in varying))
        assert len(told) == 1

    def test_for_its_rater_alone(self, client, test, clips):
        stranger = Client()
        assert stranger.get(clips[0]["audio"]).status_code == 404
        start_sitting(stranger, test)
        assert stranger.get(clips[0]["audio"]).status_code == 404
        assert client.get(clips[0]["audio"]).status_code == 200

    def test_places_that_are_none(self, client, test, clips):
        base = f"/t/{test.slug}/audio/{current(Session.objects.get(test=test)).uuid}/"
        for place in (0, len(clips) + 1, 40_000, 10**30):
            assert client.get(f"{base}{place}/").status_code == 404
        assert client.get(base).status_code == 404
        assert client.get(f"{base}-1/").status_code == 404
        elsewhere = make_test_of(SIDE_BY_SIDE, n_captions=1)
        assert client.get(clips[0]["audio"].replace(test.slug, elsewhere.slug)).status_code == 404

    def test_a_pair_that_stands_alone_has_no_places(self, client):
        test = make_test_of(TestKind.RATING, n_captions=1)
        start_sitting(client, test)
        address = current_state(client, test)["next"]["audio"]
        assert client.get(address).status_code == 200
        assert client.get(f"{address}1/").status_code == 404
