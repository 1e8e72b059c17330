"""Copies of tests."""

from uuid import uuid4

import pytest

from listening_tests.choices import HeadphoneCheck, PairRole, Role, TestKind, TestStatus
from listening_tests.exceptions import Refused
from listening_tests.models import CheckQuestion, Clip, ListeningTest, Pair, ScaleLabel, SurveyQuestion, TrialPair
from listening_tests.services.clones import test_clone
from listening_tests.services.repeats import n_repeats
from tests.factories import make_pairs, make_test
from tests.sittings import answer_all, anything_in, make_test_of
from tests.webapp.factories import make_member

test_clone.__test__ = False  # type: ignore[attr-defined]
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("kind", TestKind.values)
def test_it_works(kind: str) -> None:
    test = make_test_of(kind, title="Rain", ratings_per_pair=7)
    ScaleLabel.objects.create(question=test.questions.get(), value=5, text="so so")
    answer_all(test, anything_in(kind), most=2)
    test.headphone_check = HeadphoneCheck.HUGGINS
    test.save()
    CheckQuestion.objects.create(test=test)
    SurveyQuestion.objects.create(test=test, prompt="Do you hear well?")
    user = make_member(test)
    n_clips = Clip.objects.count()

    copy = test_clone(test=test, user=user)

    assert (copy.title, copy.slug, copy.status) == ("Copy of Rain", f"{test.slug}-copy", TestStatus.DRAFT)
    assert (copy.kind, copy.ratings_per_pair, copy.headphone_check) == (kind, 7, HeadphoneCheck.HUGGINS)
    assert (copy.opened_at, copy.is_simulated, copy.pilot_of) == (None, False, None)
    assert copy.completion_code != test.completion_code
    assert copy.questions.get().labels.get().text == "so so"
    assert copy.check_questions.get().prompt == test.check_questions.get().prompt
    assert copy.survey_questions.get().prompt == "Do you hear well?"
    assert [(member.user_id, member.role) for member in copy.members.all()] == [(user.pk, Role.OWNER)]
    assert sounds(copy) == sounds(test)
    assert trials(copy) == trials(test)
    assert set(copy.pairs.values_list("load", flat=True)) == {0}
    assert (copy.sessions.count(), copy.ratings.count(), copy.comparisons.count()) == (0, 0, 0)
    assert Clip.objects.count() == n_clips


def sounds(test: ListeningTest) -> list[tuple[object, ...]]:
    return list(test.pairs.order_by("pk").values_list("clip", "caption", "role", "system", "source_id"))


def trials(test: ListeningTest) -> list[tuple[object, ...]]:
    members = TrialPair.objects.filter(trial__test=test).order_by("trial", "pair")
    return list(members.values_list("trial__role", "trial__caption", "pair__clip"))


def test_a_repeat_of_the_request_finds_the_first_copy() -> None:
    test, uuid = make_test(), uuid4()
    first = test_clone(test=test, user=None, uuid=uuid)
    assert test_clone(test=test, user=None, uuid=uuid) == first
    assert ListeningTest.objects.count() == 2


def test_addresses_are_free_ones() -> None:
    test = make_test(slug="x" * 80)
    slugs = [test_clone(test=test, user=None).slug for _ in range(2)]
    assert slugs == ["x" * 75 + "-copy", "x" * 73 + "-copy-2"]
    assert test_clone(test=test, user=None, slug="mine", title="Mine").title == "Mine"


def test_hidden_repeats_are_not_copied() -> None:
    test = make_test(repeats_per_session=1, pairs_per_session=8)
    make_pairs(test, 8)
    answer_all(test, anything_in(TestKind.RATING))
    assert test.pairs.filter(role=PairRole.REPEAT).count() == 1

    copy = test_clone(test=test, user=None)

    assert copy.pairs.count() == 8
    assert n_repeats(test=copy, n_others=8) == 1


def test_an_address_that_is_taken_is_refused() -> None:
    test = make_test(slug="mine")
    with pytest.raises(Refused, match="There is a test at the address mine already. Choose another address for the"):
        test_clone(test=test, user=None, slug="mine")
    assert ListeningTest.objects.count() == 1


def test_what_is_gone_is_not_copied() -> None:
    test = make_test(slug="gone")
    ListeningTest.objects.all().delete()
    with pytest.raises(Refused, match="The test gone was deleted meanwhile, so it cannot be copied."):
        test_clone(test=test, user=None)
    assert not Pair.objects.exists()
