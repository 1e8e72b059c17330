"""The tools that set a draft up: anchors, practice, balance, and the checklist that asks for them."""

from collections.abc import Callable

import pytest

from listening_tests.choices import PairRole, TestKind, TestStatus
from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest, Pair, Trial
from listening_tests.services.anchors import anchors_make, anchors_plan, n_anchors_advised
from listening_tests.services.balance import balance_make, balance_of
from listening_tests.services.checklist import Need, checklist
from listening_tests.services.practice import Fit, practice_make, practice_plan
from listening_tests.services.trials import trials_make
from tests.factories import make_caption, make_pair, make_pairs, make_test

pytestmark = pytest.mark.django_db
NO_DRAFT = (
    "The test mine is no draft any more, so what it gives out stays: raters have had some of it. "
    "Clone it to set up another one."
)


def make_draft(n_captions: int = 12, *, systems: tuple[str, ...] = ("one", "two"), **fields: object) -> ListeningTest:
    test = make_test(**{"slug": "mine", "status": TestStatus.DRAFT} | fields)
    for number in range(n_captions):
        caption = make_caption(f"Sound number {number}.")
        for system in systems:
            make_pair(test, caption=caption, system=system, source_id=f"source {number}")
    trials_make(test=test)
    return test


def everything(test: ListeningTest) -> list[tuple[object, ...]]:
    return list(test.pairs.order_by("pk").values_list("clip", "caption", "role", "expected_min"))


def test_anchors_are_sounds_of_other_sources_under_other_captions() -> None:
    test = make_draft()
    plan = anchors_plan(test=test, n=8)

    assert anchors_make(test=test, n=8) == 8

    anchors = list(test.pairs.filter(role=PairRole.ANCHOR))
    assert sorted((pair.clip_id, pair.caption_id) for pair in anchors) == sorted(found.place for found in plan)
    assert len({pair.caption_id for pair in anchors}) == len({pair.clip_id for pair in anchors}) == 8
    own = {pair.clip_id: pair for pair in test.pairs.filter(role=PairRole.STUDY)}
    captions = {pair.caption_id: pair.source_id for pair in own.values()}
    for anchor in anchors:
        assert anchor.caption_id != own[anchor.clip_id].caption_id
        assert anchor.source_id != captions[anchor.caption_id]
        assert anchor.system == own[anchor.clip_id].system
    assert anchors_make(test=test, n=8) == 0
    assert test.pairs.filter(role=PairRole.ANCHOR).count() == 8


def test_anchors_of_a_comparison_stand_beside_each_sound_of_their_caption() -> None:
    test = make_draft(4, kind=TestKind.COMPARISON)
    assert anchors_make(test=test, n=2) == 2
    assert Trial.objects.filter(test=test, role=PairRole.ANCHOR).count() == 4


def test_so_many_anchors_are_advised_that_a_sitting_has_two() -> None:
    test = make_test(status=TestStatus.DRAFT, pairs_per_session=20)
    make_pairs(test, 18)
    assert n_anchors_advised(test=test) == 2


@pytest.mark.parametrize(
    ("kind", "n", "sentence"),
    [
        ("side_by_side", 2, "Side by side each trial gets its hidden anchor when the test opens."),
        ("rating", 2_001, "A test has 0 to 2,000 anchors, not 2,001."),
    ],
)
def test_anchors_that_make_no_sense_are_refused(kind: str, n: int, sentence: str) -> None:
    test = make_draft(2, kind=kind)
    before = everything(test)
    with pytest.raises(Refused, match=sentence):
        anchors_make(test=test, n=n)
    assert everything(test) == before


@pytest.mark.parametrize(
    "make",
    [
        lambda test: anchors_make(test=test, n=2),
        lambda test: practice_make(test=test),
        lambda test: balance_make(test=test),
    ],
)
def test_only_a_draft_is_set_up(make: Callable[[ListeningTest], int]) -> None:
    test = make_draft()
    ListeningTest.objects.update(status=TestStatus.OPEN)
    before = everything(test)
    with pytest.raises(Refused) as refused:
        make(test)
    assert str(refused.value) == NO_DRAFT
    assert everything(test) == before


def test_practice_is_spread_over_the_scale() -> None:
    test = make_draft()
    plan = practice_plan(test=test)
    assert [proposal.fit for proposal in plan] == [Fit.MATCHED] * 2 + [Fit.MIXED] + [Fit.MISMATCHED] * 2
    assert [proposal.caption for proposal in plan] != [one.caption for one in practice_plan(test=test, draw=1)]

    assert practice_make(test=test) == 5

    practice = test.pairs.filter(role=PairRole.PRACTICE)
    expected = sorted(practice.values_list("expected_min", "expected_max"))
    assert expected == [(0, 2), (0, 2), (3, 7), (8, 10), (8, 10)]
    assert {pair.caption.text for pair in practice.select_related("caption")} == {one.caption for one in plan}
    mixed = practice.get(expected_min=3).caption.text
    assert ", and then sound number" in mixed
    assert test.pairs.filter(role=PairRole.STUDY).count() == 22
    assert practice_make(test=test) == 0


@pytest.mark.parametrize("kind", [TestKind.COMPARISON, TestKind.SIDE_BY_SIDE])
def test_practice_of_trials_takes_whole_captions(kind: str) -> None:
    test = make_draft(kind=kind)
    assert practice_make(test=test) == 2
    practice = Trial.objects.filter(test=test, role=PairRole.PRACTICE)
    assert practice.values("caption").distinct().count() == 2
    assert not Trial.objects.filter(test=test, role=PairRole.STUDY, caption__in=practice.values("caption")).exists()
    assert practice_make(test=test) == 0


def test_captions_that_lack_a_system_are_named_and_taken_out() -> None:
    test = make_draft(3)
    lone = make_pair(test, caption=make_caption("Alone."), system="one")
    found = balance_of(test=test)
    assert (found.n_captions, found.n_whole, found.n_lacking_pairs, found.n_more) == (4, 3, 1, 0)
    assert found.lacking == [("Alone.", ["two"])]
    assert [(share.system, share.n_pairs) for share in found.systems] == [("one", 4), ("two", 3)]

    assert balance_make(test=test) == 1

    assert not Pair.objects.filter(pk=lone.pk).exists()
    assert balance_of(test=test).is_balanced
    assert balance_make(test=test) == 0


def test_balance_leaves_something() -> None:
    test = make_test(slug="mine", status=TestStatus.DRAFT)
    for system in ("one", "two"):
        make_pair(test, system=system)
    with pytest.raises(Refused, match="No caption of the test mine has a sound of each of its 2 systems, so nothing"):
        balance_make(test=test)
    assert test.pairs.count() == 2


def test_the_checklist_says_what_is_there_and_what_is_missing() -> None:
    test = make_draft(contact_email="", instructions="Listen.")
    items = {item.title: item for item in checklist(test=test)}
    assert not items["Anchors"].is_done
    assert (items["Contact address"].is_done, items["Contact address"].need) == (False, Need.ADVISED)
    assert items["Consent text"].is_done
    missing = [item for item in checklist(test=test) if not item.is_done]
    assert [item.need for item in missing] == sorted((item.need for item in missing), key=list(Need).index)
    anchors_make(test=test, n=4)
    practice_make(test=test)
    ListeningTest.objects.update(repeats_per_session=1)
    test.refresh_from_db()
    done = {item.title for item in checklist(test=test) if item.is_done}
    assert {"Anchors", "Practice", "Hidden repeats", "Sounds", "Question"} <= done


def test_what_is_missing_is_named_once() -> None:
    titles = [item.title for item in checklist(test=make_test(status=TestStatus.DRAFT))]
    assert titles.count("Sounds") == 1
