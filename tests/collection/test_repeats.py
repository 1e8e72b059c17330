"""Hidden repeats within a sitting."""

import uuid
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction

from listening_tests.choices import PairRole, SessionStatus, TestKind
from listening_tests.models import ListeningTest, Rating, Session
from listening_tests.rating_json import lease_state
from listening_tests.selectors import assignments_open
from listening_tests.services.exports import answers_export
from listening_tests.services.rating_imports import ratings_import
from listening_tests.services.repeats import LEAST_BETWEEN, n_repeats, repeat_slots
from listening_tests.services.sessions import session_start
from listening_tests.services.withdrawals import rater_withdraw
from listening_tests.sitting_plan import sitting_plan
from tests.factories import make_clip, make_pair, make_test
from tests.sittings import answer_all, anything_in

pytestmark = pytest.mark.django_db


def make_repeating_test(*, n: int = 12, repeats: int = 2, **fields: object) -> ListeningTest:
    test = make_test(repeats_per_session=repeats, pairs_per_session=n, **fields)
    clip = make_clip()
    for _ in range(n):
        make_pair(test, clip=clip)
    return test


def rated(test: ListeningTest) -> Session:
    return answer_all(test, anything_in(TestKind.RATING))


def test_it_works() -> None:
    test = make_repeating_test()
    make_pair(test, role=PairRole.PRACTICE)
    assert sitting_plan(test=test).pairs == 14

    session = rated(test)

    assert (session.status, session.planned_count, session.saved_count) == (SessionStatus.COMPLETE, 14, 14)
    given = list(session.assignments.select_related("pair").order_by("position"))
    repeats = [lease for lease in given if lease.pair and lease.pair.role == PairRole.REPEAT]
    places = {lease.pair_id: lease.position for lease in given}
    assert len(repeats) == 2
    for lease in repeats:
        pair = lease.pair
        assert pair is not None and pair.repeat_of is not None
        assert (pair.clip_id, pair.caption_id) == (pair.repeat_of.clip_id, pair.repeat_of.caption_id)
        assert lease.position - places[pair.repeat_of_id] > LEAST_BETWEEN
        assert lease.position > len(given) / 2
    assert len({lease.pair.repeat_of_id for lease in repeats if lease.pair}) == 2
    # Outside of k: what is repeated has one rating, and the repeat no load.
    assert set(test.pairs.filter(role=PairRole.STUDY).values_list("load", flat=True)) == {1}
    assert set(test.pairs.filter(role=PairRole.REPEAT).values_list("load", flat=True)) == {0}


def test_the_next_rater_has_as_many_and_shares_their_pairs() -> None:
    test = make_repeating_test(n=8, repeats=2)
    for _ in range(4):
        session = rated(test)
        assert session.assignments.filter(pair__role=PairRole.REPEAT).count() == 2
    assert test.pairs.filter(role=PairRole.REPEAT).count() <= 8


def test_a_repeat_looks_like_any_other() -> None:
    session = rated(make_repeating_test())
    states = [
        lease_state(session, lease) for lease in session.assignments.select_related("pair__clip", "pair__caption")
    ]
    assert {state["practice"] for state in states} == {False}
    assert {state["expected"] for state in states} == {None}
    assert len({frozenset(state) for state in states}) == 1


@pytest.mark.parametrize(
    ("kind", "n_others", "expected"),
    [("rating", 20, 3), ("rating", 8, 2), ("rating", 5, 0), ("comparison", 20, 0), ("side_by_side", 20, 0)],
)
def test_how_many_a_sitting_has(kind: str, n_others: int, expected: int) -> None:
    assert n_repeats(test=ListeningTest(kind=kind, repeats_per_session=3), n_others=n_others) == expected


def test_they_lie_in_the_second_half_wherever_it_ends() -> None:
    for n_others in range(6, 40):
        n = min(5, n_others // 4)
        session = Session(uuid=uuid.uuid4(), planned_count=n_others + n, planned_repeats=n)
        slots = repeat_slots(session=session)
        assert len(slots) == n
        assert slots == repeat_slots(session=session)
        assert all(slot * 2 >= session.planned_count and slot > LEAST_BETWEEN + 1 for slot in slots)


def test_without_repeats_a_rating_takes_no_further_query(django_assert_num_queries: object) -> None:
    session = session_start(test=make_repeating_test(repeats=0), rater_uuid=uuid.uuid4())
    assert not repeat_slots(session=session)
    assert len(assignments_open(session=session)) == 3


def test_the_draw_walks_its_index_past_no_repeat() -> None:
    test = make_repeating_test()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off")
        cursor.execute(
            "EXPLAIN SELECT id FROM listening_tests_pair WHERE test_id = %s AND load < 4 AND role <> 'practice' "
            "AND role <> 'repeat' ORDER BY load, shuffle_key LIMIT 1",
            [test.pk],
        )
        assert "pair_next" in "\n".join(line for (line,) in cursor.fetchall())


def test_who_withdraws_takes_their_repeats_along() -> None:
    test = make_repeating_test()
    session = rated(test)
    rater_withdraw(session=session)
    assert Rating.objects.count() == 0
    assert set(test.pairs.values_list("load", flat=True)) == {0}


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"role": PairRole.REPEAT}, "pair_repeat_has_its_original"),
        ({"repeat_of": True}, "pair_repeat_has_its_original"),
        ({}, "pair_once_in_test"),
    ],
)
def test_the_database_holds_to_it(fields: dict[str, object], constraint: str) -> None:
    pair = make_pair(make_test())
    if "repeat_of" in fields:
        fields = {"repeat_of": pair}
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        make_pair(pair.test, clip=pair.clip, caption=pair.caption, **fields)


def test_an_export_imports_again_with_its_repeats(tmp_path: Path) -> None:
    test = make_repeating_test(n=8, repeats=1)
    rated(test)
    path = tmp_path / "answers.jsonl"
    answers_export(test=test, path=path, file_format="jsonl")

    ratings_import(path=path, layout="earmark", slug="again", create=True)

    again = ListeningTest.objects.get(slug="again")
    [repeat] = again.pairs.filter(role=PairRole.REPEAT)
    assert repeat.repeat_of is not None and repeat.repeat_of.role == PairRole.STUDY
    assert again.ratings.count() == test.ratings.count() == 9
    assert again.ratings.filter(pair=repeat).count() == 1
