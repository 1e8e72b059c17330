"""What the tables themselves refuse, whoever writes to them: each refusal by the constraint that is made for it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Model
from django.utils import timezone

from listening_tests.choices import Choice, Source, TestKind
from listening_tests.models import (
    Assignment,
    Caption,
    Comparison,
    Consent,
    Exclusion,
    ListeningTest,
    Pair,
    Presentation,
    Question,
    Rater,
    Rating,
    ScaleLabel,
    Session,
    Trial,
    TrialPair,
)
from tests.factories import make_caption, make_pair, make_pairs, make_test

pytestmark = pytest.mark.django_db
Row = TypeVar("Row", bound=Model)


def make_session(test: ListeningTest) -> Session:
    rater = Rater.objects.create()
    consent = Consent.objects.create(rater=rater, test=test, version=1)
    return Session.objects.create(test=test, rater=rater, consent=consent, planned_count=1)


def lease(session: Session, leased: Pair | Trial | None = None, **fields: object) -> Assignment:
    now = timezone.now()
    values = {
        "pair": leased if isinstance(leased, Pair) else None,
        "trial": leased if isinstance(leased, Trial) else None,
        "position": session.assignments.count() + 1,
        "propensity": 1,
        "leased_at": now,
        "lease_expires_at": now + timedelta(minutes=30),
    }
    return Assignment.objects.create(session=session, rater=session.rater, **values | fields)


def make_trial(test: ListeningTest, *, n_pairs: int = 2, caption: Caption | None = None) -> Trial:
    caption = caption or make_caption()
    trial = Trial.objects.create(test=test, caption=caption)
    for pair in make_pairs(test, n_pairs, caption=caption):
        TrialPair.objects.create(trial=trial, pair=pair)
    return trial


def evidence() -> dict[str, Any]:
    return {"client_uuid": uuid4(), "shown_at": timezone.now(), "submitted_at": timezone.now()}


def make_rating(leased: Assignment, question: Question, **fields: object) -> Rating:
    """As a rater's answer is stored: with evidence and with the question's scale."""
    scale = {name: getattr(question, name) for name in ("scale_min", "scale_max", "scale_step")}
    values = evidence() | scale | {"pair": leased.pair, "score": question.scale_min, "plays": 1, "heard_s": 1}
    names = {"test": question.test, "rater": leased.rater, "question": question, "assignment": leased}
    return Rating.objects.create(**values | names | fields)


def make_comparison(leased: Assignment, question: Question, **fields: object) -> Comparison:
    first, second = leased.trial.pairs.order_by("pk")  # type: ignore[union-attr] -- it has one
    heard = {"first_plays": 1, "first_heard_s": 1, "second_plays": 1, "second_heard_s": 1}
    values = evidence() | heard | {"first": first, "second": second, "choice": Choice.NONE, "trial": leased.trial}
    names = {"test": question.test, "rater": leased.rater, "question": question, "assignment": leased}
    return Comparison.objects.create(**values | names | fields)


def refused_by(work: Callable[[], object]) -> str:
    """The name of the constraint that refuses `work`, for which nothing is stored; the column where it may not be
    empty.
    """
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        work()
    told = refusal.value.__cause__.diag  # type: ignore[union-attr] -- psycopg's error
    return told.constraint_name or told.column_name or told.message_primary


@pytest.fixture
def test() -> ListeningTest:
    return make_test()


@pytest.fixture
def question(test: ListeningTest) -> Question:
    return test.questions.get()


@pytest.fixture
def assignment(test: ListeningTest) -> Assignment:
    return lease(make_session(test), make_pair(test))


@pytest.fixture
def in_trial(test: ListeningTest) -> Assignment:
    return lease(make_session(test), make_trial(test))


def scaled(low: float, high: float, step: float) -> tuple[Question, Assignment]:
    test = make_test()
    test.questions.update(scale_min=low, scale_max=high, scale_step=step)
    return test.questions.get(), lease(make_session(test), make_pair(test))


class TestScores:
    def test_it_works(self, assignment, question):
        make_rating(assignment, question, score=7)
        assert Rating.objects.get().score == 7

    @pytest.mark.parametrize(
        ("low", "high", "step", "scores"),
        [
            (0, 10, 1, (0, 7, 10)),
            (1, 5, 1, (1, 4, 5)),
            (1, 5, 0.5, (1, 1.5, 4.5)),
            # Neither 0.3 / 0.1 nor 0.7 / 0.1 is whole in floats.
            (0, 1, 0.1, (0.1, 0.3, 0.7, 3 * 0.1, 0.1 + 0.2, 1)),
            (-3, 3, 0.1, (-3, -2.7, 0, 0.3)),
            (0, 100, 0.1, (99.9, 33.3, 100)),
            (0, 100, 0, (0, 3.14159, 100)),
        ],
    )
    def test_on_the_scale(self, low, high, step, scores):
        question, first = scaled(low, high, step)
        for score in scores:
            assert question.holds(score)
            make_rating(lease(make_session(question.test), first.pair), question, score=score)
        assert Rating.objects.count() == len(scores)

    @pytest.mark.parametrize(
        ("low", "high", "step", "score", "name"),
        [
            (0, 10, 1, 11, "rating_score_on_scale"),
            (0, 10, 1, -1, "rating_score_on_scale"),
            (0, 10, 1, float("nan"), "rating_score_on_scale"),
            (0, 10, 1, float("inf"), "rating_score_on_scale"),
            (0, 100, 0, 100.001, "rating_score_on_scale"),
            (0, 10, 1, 3.5, "rating_score_on_step"),
            (1, 5, 0.5, 1.25, "rating_score_on_step"),
            (0, 1, 0.1, 0.35, "rating_score_on_step"),
            (0, 1, 0.1, 0.3 + 1e-6, "rating_score_on_step"),
            (0, 10, 3, 10, "rating_score_on_step"),
        ],
    )
    def test_off_the_scale(self, low, high, step, score, name):
        question, assignment = scaled(low, high, step)
        assert refused_by(lambda: make_rating(assignment, question, score=score)) == name
        assert not question.holds(score)
        assert not Rating.objects.exists()

    @pytest.mark.parametrize("change", [{"scale_min": -1}, {"scale_max": 11}, {"scale_step": 0.5}, {"scale_step": 0}])
    def test_a_scale_that_is_not_the_questions(self, assignment, question, change):
        found = refused_by(lambda: make_rating(assignment, question, score=7, **change))
        assert found == "rating_of_question_and_scale"

    def test_a_step_below_nothing(self, assignment, question):
        assert refused_by(lambda: make_rating(assignment, question, scale_step=-1)) in {
            *("rating_step_not_negative", "rating_of_question_and_scale"),
        }


class TestQuestions:
    def test_a_question_of_another_test(self, test, assignment, in_trial):
        elsewhere = make_test().questions.get()
        found = refused_by(lambda: make_rating(assignment, elsewhere, test=test))
        assert found == "rating_of_question_and_scale"
        assert refused_by(lambda: make_comparison(in_trial, elsewhere, test=test)) == "comparison_of_question"
        assert not Rating.objects.exists() and not Comparison.objects.exists()

    @pytest.mark.parametrize("change", ["scale_min = -1", "scale_max = 20", "scale_step = 0.5", "test_id = %s"])
    def test_the_scale_of_a_question_that_was_used(self, assignment, question, change):
        make_rating(assignment, question)
        values = [ListeningTest.objects.create(slug="elsewhere", title="Elsewhere").pk] if "%s" in change else []

        def write() -> None:
            with connection.cursor() as cursor:
                cursor.execute(f"UPDATE listening_tests_question SET {change} WHERE id = {question.pk}", values)  # noqa: S608 -- our own words

        assert refused_by(write) == "rating_of_question_and_scale"
        write_label = Question.objects.filter(pk=question.pk).update
        assert write_label(min_label="none", prompt="How well?", name="match") == 1

    def test_a_compared_question_stays_in_its_test(self, in_trial, question):
        make_comparison(in_trial, question)
        elsewhere = ListeningTest.objects.create(slug="elsewhere", title="Elsewhere")
        move = Question.objects.filter(pk=question.pk).update
        assert refused_by(lambda: move(test=elsewhere)) == "comparison_of_question"

    def test_a_scale_that_nobody_used_may_change(self, question):
        assert Question.objects.filter(pk=question.pk).update(scale_min=1, scale_max=5, scale_step=0.5) == 1

    @pytest.mark.parametrize(
        ("change", "name"),
        [
            ({"scale_step": -1}, "question_step_not_negative"),
            ({"scale_min": 10}, "question_scale_ascends"),
        ],
    )
    def test_a_scale_that_is_none(self, question, change, name):
        assert refused_by(lambda: Question.objects.filter(pk=question.pk).update(**change)) == name

    def test_two_words_for_one_value(self, question):
        ScaleLabel.objects.create(question=question, value=5, text="fair")
        again = {"question": question, "value": 5, "text": "middling"}
        assert refused_by(lambda: ScaleLabel.objects.create(**again)) == "scale_label_once_for_value"


class TestSecondAnswers:
    def test_a_second_rating(self, test, assignment, question):
        make_rating(assignment, question)
        found = refused_by(lambda: make_rating(assignment, question, score=3))
        assert found == "rating_once_for_assignment_question"
        make_rating(assignment, Question.objects.create(test=test, name="quality"))
        assert Rating.objects.count() == 2

    def test_side_by_side(self, test, in_trial, question):
        one, other = in_trial.trial.pairs.order_by("pk")
        trial = {"trial": in_trial.trial}
        make_rating(in_trial, question, pair=one, place=1, **trial)
        found = refused_by(lambda: make_rating(in_trial, question, pair=other, place=1, **trial))
        assert found == "rating_once_for_place_question"
        found = refused_by(lambda: make_rating(in_trial, question, pair=one, place=2, **trial))
        assert found == "rating_once_for_pair_question"
        make_rating(in_trial, question, pair=other, place=2, **trial)
        assert Rating.objects.count() == 2

    def test_a_second_comparison(self, test, in_trial, question):
        make_comparison(in_trial, question)
        found = refused_by(lambda: make_comparison(in_trial, question, choice=Choice.FIRST))
        assert found == "comparison_once_for_assignment_question"
        make_comparison(in_trial, Question.objects.create(test=test, name="quality"))
        assert Comparison.objects.count() == 2

    def test_the_same_client_uuid(self, assignment, in_trial, question):
        first = make_rating(assignment, question)
        again = lease(make_session(question.test), assignment.pair)
        found = refused_by(lambda: make_rating(again, question, client_uuid=first.client_uuid))
        assert found.startswith("listening_tests_rating_client_uuid")
        compared = make_comparison(in_trial, question)
        once_more = lease(make_session(question.test), in_trial.trial)
        found = refused_by(lambda: make_comparison(once_more, question, client_uuid=compared.client_uuid))
        assert found.startswith("listening_tests_comparison_client_uuid")


class TestEdits:
    def test_a_rating(self, assignment, question):
        rating = make_rating(assignment, question)
        found = refused_by(lambda: Rating.objects.filter(pk=rating.pk).update(score=3))
        assert found.startswith("Ratings are never edited")

    def test_a_comparison(self, in_trial, question):
        comparison = make_comparison(in_trial, question)
        found = refused_by(lambda: Comparison.objects.filter(pk=comparison.pk).update(choice=Choice.FIRST))
        assert found.startswith("Ratings are never edited")
        comparison.refresh_from_db()
        assert comparison.choice == Choice.NONE
        comparison.delete()
        assert not Comparison.objects.exists()


class TestPlaces:
    @pytest.mark.parametrize("place", [None, 0])
    def test_a_trial_without_a_place(self, in_trial, question, place):
        pair = in_trial.trial.pairs.first()
        values = {"pair": pair, "trial": in_trial.trial, "place": place}
        assert refused_by(lambda: make_rating(in_trial, question, **values)) == "rating_place_in_trial"

    def test_a_place_without_a_trial(self, assignment, question):
        assert refused_by(lambda: make_rating(assignment, question, place=1)) == "rating_place_in_trial"

    def test_presentations(self, in_trial):
        one, other = in_trial.trial.pairs.order_by("pk")
        show = Presentation.objects.create
        show(assignment=in_trial, place=1, pair=one)
        assert refused_by(lambda: show(assignment=in_trial, place=1, pair=other)) == "presentation_place_once"
        assert refused_by(lambda: show(assignment=in_trial, place=2, pair=one)) == "presentation_pair_once"
        found = refused_by(lambda: show(assignment=in_trial, place=0, pair=other))
        assert found == "presentation_place_counts_from_one"

    def test_a_pair_twice_in_a_trial(self, in_trial):
        member = in_trial.trial.members.first()
        again = {"trial": member.trial, "pair": member.pair}
        assert refused_by(lambda: TrialPair.objects.create(**again)) == "trial_pair_once"


class TestComparisons:
    @pytest.mark.parametrize("choice", ["both", "", "A", "First"])
    def test_an_unknown_choice(self, in_trial, question, choice):
        found = refused_by(lambda: make_comparison(in_trial, question, choice=choice))
        assert found == "comparison_choice_known"

    def test_a_pair_with_itself(self, in_trial, question):
        pair = in_trial.trial.pairs.first()
        found = refused_by(lambda: make_comparison(in_trial, question, first=pair, second=pair))
        assert found == "comparison_of_two_pairs"

    def test_an_unknown_source(self, in_trial, question):
        found = refused_by(lambda: make_comparison(in_trial, question, source="guessed"))
        assert found == "comparison_source_known"


class TestEvidence:
    @pytest.mark.parametrize("missing", ["assignment", "plays", "heard_s", "shown_at"])
    def test_a_rating(self, assignment, question, missing):
        found = refused_by(lambda: make_rating(assignment, question, **{missing: None}))
        assert found == "rating_has_evidence_unless_imported"
        make_rating(assignment, question, source=Source.IMPORTED, **{missing: None})

    @pytest.mark.parametrize(
        "missing", ["assignment", "first_plays", "first_heard_s", "second_plays", "second_heard_s", "shown_at"]
    )
    def test_a_comparison(self, in_trial, question, missing):
        found = refused_by(lambda: make_comparison(in_trial, question, **{missing: None}))
        assert found == "comparison_has_evidence_unless_imported"
        make_comparison(in_trial, question, source=Source.IMPORTED, **{missing: None})

    def test_seconds_below_nothing(self, assignment, in_trial, question):
        assert refused_by(lambda: make_rating(assignment, question, heard_s=-1)) == "rating_heard_not_negative"
        found = refused_by(lambda: make_comparison(in_trial, question, second_heard_s=-1))
        assert found == "comparison_has_evidence_unless_imported"


class TestAssignments:
    def test_of_both_or_neither(self, test):
        session, pair, trial = make_session(test), make_pair(test), make_trial(test)
        assert refused_by(lambda: lease(session)) == "assignment_of_pair_or_trial"
        assert refused_by(lambda: lease(session, pair, trial=trial)) == "assignment_of_pair_or_trial"

    def test_the_same_one_twice_for_a_rater(self, test):
        session, pair, trial = make_session(test), make_pair(test), make_trial(test)
        lease(session, pair)
        lease(session, trial)
        assert refused_by(lambda: lease(session, pair)) == "assignment_pair_once_for_rater"
        assert refused_by(lambda: lease(session, trial)) == "assignment_trial_once_for_rater"
        assert lease(make_session(test), trial).trial == trial


class TestExclusions:
    def test_of_none_or_both(self, assignment, in_trial, question):
        rating, comparison = make_rating(assignment, question), make_comparison(in_trial, question)
        exclude = Exclusion.objects.create
        assert refused_by(lambda: exclude(rule="fast", reason="?")) == "exclusion_of_one_answer"
        both = {"rating": rating, "comparison": comparison}
        assert refused_by(lambda: exclude(rule="fast", reason="?", **both)) == "exclusion_of_one_answer"

    def test_twice_by_one_rule(self, assignment, in_trial, question):
        exclude = Exclusion.objects.create
        for answer, name in (
            ({"rating": make_rating(assignment, question)}, "exclusion_once_by_rule"),
            ({"comparison": make_comparison(in_trial, question)}, "exclusion_of_comparison_once_by_rule"),
        ):
            exclude(rule="fast", reason="?", **answer)
            assert refused_by(lambda answer=answer: exclude(rule="fast", reason="!", **answer)) == name
            exclude(rule="fast", reason="?", version=2, **answer)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: make_test(kind="guessed"), "test_kind_known"),
        (lambda: Trial.objects.create(test=make_test(), caption=make_caption(), role="other"), "trial_role_known"),
    ],
)
def test_words_that_nobody_knows(make, name):
    assert refused_by(make) == name


@pytest.mark.parametrize("kind", TestKind.values)
def test_every_kind_is_known(kind):
    assert make_test(kind=kind).kind == kind
