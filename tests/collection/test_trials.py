"""Trials: which pairs are judged together, and the mismatched clip that is hidden among them."""

from collections import Counter

import pytest

from listening_tests.choices import PairRole, TestKind, TestStatus
from listening_tests.exceptions import Refused
from listening_tests.models import Caption, Clip, ListeningTest, Pair, TrialPair
from listening_tests.services.test_status import test_open as open_test
from listening_tests.services.trials import anchors_complete, trials_make
from tests.collection.trials import SYSTEMS, begin, current, submit
from tests.factories import make_caption, make_pair, make_test

pytestmark = pytest.mark.django_db

STUDY, ANCHOR, GOLD, PRACTICE = PairRole.STUDY, PairRole.ANCHOR, PairRole.GOLD, PairRole.PRACTICE
COMPARISON, SIDE_BY_SIDE = TestKind.COMPARISON, TestKind.SIDE_BY_SIDE


def make_pairs_of(test: ListeningTest, *roles: str, caption: Caption | None = None) -> list[Pair]:
    """A pair of each of the roles, all of one caption."""
    caption = caption or make_caption()
    return [make_pair(test, role=role, caption=caption) for role in roles]


def made(test: ListeningTest) -> Counter[tuple[str, tuple[str, ...]]]:
    """How many trials there are of each role and of pairs in these roles."""
    return Counter(
        (trial.role, tuple(sorted(trial.pairs.values_list("role", flat=True)))) for trial in test.trials.all()
    )


def members(test: ListeningTest) -> set[frozenset[int]]:
    return {frozenset(trial.pairs.values_list("pk", flat=True)) for trial in test.trials.all()}


def anchors(test: ListeningTest) -> dict[int, list[int]]:
    """The clips of the anchors in each trial."""
    return {
        trial.pk: list(trial.pairs.filter(role=ANCHOR).values_list("clip_id", flat=True))
        for trial in test.trials.order_by("pk")
    }


class TestComparisons:
    def test_every_two_of_a_caption(self):
        test = make_test(kind=COMPARISON)
        pairs = make_pairs_of(test, STUDY, STUDY, STUDY) + make_pairs_of(test, STUDY, STUDY)
        make_pairs_of(test, STUDY)
        assert trials_make(test=test) == 4
        assert made(test) == {(STUDY, (STUDY, STUDY)): 4}
        one, two, three, four, five = (pair.pk for pair in pairs)
        assert members(test) == {frozenset(keys) for keys in ((one, two), (one, three), (two, three), (four, five))}
        assert {trial.caption_id for trial in test.trials.all()} == {pairs[0].caption_id, pairs[3].caption_id}

    @pytest.mark.parametrize(
        ("roles", "role"),
        [
            ((ANCHOR, STUDY), ANCHOR),
            ((GOLD, GOLD), GOLD),
            ((GOLD, STUDY), GOLD),
            ((PRACTICE, PRACTICE), PRACTICE),
            ((ANCHOR, ANCHOR), None),
            ((ANCHOR, GOLD), None),
            ((PRACTICE, STUDY), None),
            ((PRACTICE, ANCHOR), None),
            ((PRACTICE, GOLD), None),
        ],
    )
    def test_by_their_roles(self, roles, role):
        for one_way in (roles, roles[::-1]):
            test = make_test(kind=COMPARISON)
            make_pairs_of(test, *one_way)
            assert trials_make(test=test) == (role is not None)
            assert [trial.role for trial in test.trials.all()] == [role] * (role is not None)

    def test_again_and_with_more_pairs(self):
        test = make_test(kind=COMPARISON)
        caption = make_caption()
        make_pairs_of(test, STUDY, STUDY, caption=caption)
        assert [trials_make(test=test), trials_make(test=test)] == [1, 0]
        submit(begin(test))
        make_pairs_of(test, STUDY, caption=caption)
        assert [trials_make(test=test), trials_make(test=test)] == [2, 0]
        assert TrialPair.objects.count() == 6


class TestSideBySide:
    def test_all_of_a_caption(self):
        test = make_test(kind=SIDE_BY_SIDE)
        make_pairs_of(test, STUDY, STUDY, STUDY, ANCHOR, GOLD)
        make_pairs_of(test, STUDY, STUDY)
        assert trials_make(test=test) == 2
        assert made(test) == {
            (STUDY, (ANCHOR, GOLD, STUDY, STUDY, STUDY)): 1,
            (STUDY, (STUDY, STUDY)): 1,
        }

    def test_practice_stands_apart(self):
        test = make_test(kind=SIDE_BY_SIDE)
        make_pairs_of(test, STUDY, STUDY, PRACTICE, PRACTICE)
        make_pairs_of(test, PRACTICE, PRACTICE, PRACTICE)
        make_pairs_of(test, STUDY, PRACTICE)
        assert trials_make(test=test) == 4
        assert made(test) == {
            (STUDY, (STUDY, STUDY)): 1,
            (PRACTICE, (PRACTICE, PRACTICE)): 1,
            (PRACTICE, (PRACTICE, PRACTICE, PRACTICE)): 1,
            (STUDY, (STUDY,)): 1,
        }

    def test_what_is_no_systems_is_no_trial(self):
        test = make_test(kind=SIDE_BY_SIDE)
        make_pairs_of(test, GOLD, ANCHOR)
        assert trials_make(test=test) == 0

    def test_pairs_that_come_before_the_raters(self):
        test = make_test(kind=SIDE_BY_SIDE)
        caption = make_caption()
        pairs = make_pairs_of(test, STUDY, STUDY, caption=caption)
        trials_make(test=test)
        trial = test.trials.get()
        pairs += make_pairs_of(test, STUDY, ANCHOR, caption=caption)
        assert [trials_make(test=test), trials_make(test=test)] == [1, 0]
        assert test.trials.get() == trial
        assert members(test) == {frozenset(pair.pk for pair in pairs)}

    def test_pairs_that_come_after_the_raters(self):
        test = make_test(kind=SIDE_BY_SIDE)
        caption = make_caption("Rain on a tin roof")
        make_pairs_of(test, STUDY, STUDY, caption=caption)
        trials_make(test=test)
        begin(test)
        make_pairs_of(test, STUDY, caption=caption)
        make_pairs_of(test, STUDY, STUDY)
        before = members(test)
        with pytest.raises(Refused) as refusal:
            trials_make(test=test)
        assert str(refusal.value) == (
            "Raters have had the sounds of the caption “Rain on a tin roof” side by side already, so no more can be "
            "put beside them. Use another test for the new ones."
        )
        assert members(test) == before

    def test_other_captions_may_come_then(self):
        test = make_test(kind=SIDE_BY_SIDE)
        make_pairs_of(test, STUDY, STUDY)
        trials_make(test=test)
        begin(test)
        make_pairs_of(test, STUDY, STUDY)
        assert trials_make(test=test) == 1


def test_pairs_that_are_rated_one_by_one_make_none():
    test = make_test()
    make_pairs_of(test, STUDY, STUDY)
    assert (trials_make(test=test), anchors_complete(test=test), test.trials.count()) == (0, 0, 0)


def test_pairs_of_another_test_are_left_alone():
    caption = make_caption()
    for kind in (COMPARISON, SIDE_BY_SIDE):
        test = make_test(kind=kind)
        make_pairs_of(test, STUDY, STUDY, caption=caption)
        trials_make(test=test)
        assert members(test) == {frozenset(test.pairs.values_list("pk", flat=True))}


@pytest.mark.parametrize("kind", [COMPARISON, SIDE_BY_SIDE])
def test_it_takes_as_few_queries_for_many(kind, django_assert_max_num_queries):
    test = make_test(kind=kind)
    for _ in range(20):
        make_pairs_of(test, STUDY, STUDY, STUDY)
    with django_assert_max_num_queries(16):
        trials_make(test=test)
        trials_make(test=test)
    with django_assert_max_num_queries(14):
        anchors_complete(test=test)


class TestAnchors:
    @pytest.fixture
    def test(self) -> ListeningTest:
        """Three captions with three systems each, before the anchors are hidden."""
        test = make_test(kind=SIDE_BY_SIDE, status=TestStatus.DRAFT)
        for number in range(3):
            caption = make_caption(f"caption {number}")
            for system in SYSTEMS:
                make_pair(test, caption=caption, system=system, source_id=f"source {number}")
        trials_make(test=test)
        return test

    def test_a_clip_of_another_caption(self, test):
        assert anchors_complete(test=test) == 3
        for trial in test.trials.all():
            anchor = trial.pairs.get(role=ANCHOR)
            donor = test.pairs.get(clip=anchor.clip, role=STUDY)
            assert (anchor.caption, trial.pairs.count()) == (trial.caption, 4)
            assert donor.caption != trial.caption
            assert (anchor.system, anchor.source_id) == (donor.system, donor.source_id)

    def test_opening_hides_them(self, test):
        open_test(test=test, force=True)
        assert [len(clips) for clips in anchors(test).values()] == [1, 1, 1]

    def test_the_same_again(self, test):
        anchors_complete(test=test)
        first = anchors(test)
        assert anchors_complete(test=test) == 0
        TrialPair.objects.filter(pair__role=ANCHOR).delete()
        test.pairs.filter(role=ANCHOR).delete()
        assert anchors_complete(test=test) == 3
        assert anchors(test) == first

    def test_never_of_the_same_source(self, test):
        """Two captions of one recording: a clip of the other would fit as well."""
        test.pairs.update(source_id="one recording")
        assert anchors_complete(test=test) == 0
        test.pairs.filter(caption__text="caption 2").update(source_id="another")
        assert anchors_complete(test=test) == 3
        of_the_first_two = test.pairs.filter(role=ANCHOR).exclude(caption__text="caption 2")
        assert set(of_the_first_two.values_list("source_id", flat=True)) == {"another"}

    def test_never_a_clip_that_the_caption_has_already(self, test):
        """The systems gave the same sounds for every caption; and where only the practice has it, it is no anchor."""
        first, second, third = (list(test.pairs.filter(caption__text=f"caption {n}").order_by("pk")) for n in range(3))
        for of_first, of_second in zip(first, second, strict=True):
            Pair.objects.filter(pk=of_second.pk).update(clip=of_first.clip)
        for pair in third:
            make_pair(test, caption=first[0].caption, clip=pair.clip, role=PRACTICE)
        Pair.objects.filter(test=test).update(source_id="")
        assert anchors_complete(test=test) == 2
        assert [len(clips) for clips in anchors(test).values()] == [0, 1, 1]
        assert not TrialPair.objects.filter(pair__role=PRACTICE).exists()
        assert anchors_complete(test=test) == 0

    def test_never_a_clip_without_sound(self, test):
        for number, pair in enumerate(test.pairs.exclude(caption__text="caption 2")):
            silent = Clip.objects.create(name=f"not-here-{number}.wav")
            Pair.objects.filter(pk=pair.pk).update(clip=silent)
        assert anchors_complete(test=test) == 2
        chosen = Clip.objects.filter(pairs__role=ANCHOR)
        assert set(chosen) <= set(Clip.objects.filter(pairs__caption__text="caption 2"))

    def test_none_is_possible(self):
        test = make_test(kind=SIDE_BY_SIDE)
        make_pairs_of(test, STUDY, STUDY)
        trials_make(test=test)
        assert anchors_complete(test=test) == 0
        assert len(current(begin(test)).pairs) == 2

    def test_the_manifests_own_is_kept(self, test):
        trial = test.trials.get(caption__text="caption 1")
        own = make_pair(test, caption=trial.caption, role=ANCHOR)
        trials_make(test=test)
        assert anchors_complete(test=test) == 2
        assert list(trial.pairs.filter(role=ANCHOR)) == [own]

    def test_what_a_rater_had_stays_as_it_is(self, test):
        ListeningTest.objects.filter(pk=test.pk).update(status=TestStatus.OPEN, pairs_per_session=1)
        test.refresh_from_db()
        had = current(begin(test)).trial
        assert anchors_complete(test=test) == 2
        assert had is not None
        assert [len(clips) for pk, clips in anchors(test).items() if pk == had.pk] == [0]

    def test_practice_has_none(self, test):
        make_pairs_of(test, PRACTICE, PRACTICE)
        trials_make(test=test)
        anchors_complete(test=test)
        assert TrialPair.objects.filter(trial__role=PRACTICE).count() == 2

    def test_pairs_that_come_with_it_there(self, test):
        """The anchor is one of the caption's pairs from then on, and no reason to make another trial."""
        anchors_complete(test=test)
        assert trials_make(test=test) == 0
        make_pair(test, caption=test.trials.get(caption__text="caption 0").caption, system="four")
        assert (trials_make(test=test), anchors_complete(test=test)) == (1, 0)
        assert sorted(trial.pairs.count() for trial in test.trials.all()) == [4, 4, 5]
