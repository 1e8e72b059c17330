"""The raters and rows of the load benchmarks, a few of them: their figures are worth what these do."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from benchmarks.keen_rater import KeenRater
from benchmarks.million_ratings import PAIRS_PER_RATER, build
from benchmarks.thousand_raters.run import rate_with_locust
from listening_tests.models import Rating
from tests.factories import make_pairs, make_test


def stored_uuids() -> set[str]:
    return {str(uuid) for uuid in Rating.objects.values_list("client_uuid", flat=True)}


@pytest.mark.django_db(transaction=True)
def test_keen_raters_rate_one_sitting_after_another(live_server: LiveServer) -> None:
    test = make_test(ratings_per_pair=3, pairs_per_session=4)
    make_pairs(test, 12)
    raters = [KeenRater(live_server.url, test.slug) for _ in range(3)]

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda rater: rater.rate_while(lambda self: len(self.acknowledged) < 5), raters))

    assert [rater.errors for rater in raters] == [[], [], []]
    assert stored_uuids() == {uuid for rater in raters for uuid in rater.acknowledged}
    assert sum(len(rater.answers) for rater in raters) == Rating.objects.count() == 15


@pytest.mark.django_db(transaction=True)
def test_browsing_raters_load_clips_and_rate(live_server: LiveServer, tmp_path: Path) -> None:
    test = make_test(ratings_per_pair=4, pairs_per_session=100)
    make_pairs(test, 100)

    run = rate_with_locust(
        live_server.url,
        test.slug,
        results_file=tmp_path / "results",
        raters=3,
        sitting_down_s=0.1,
        measured_s=1,
        wait_s="0.05-0.1",
    )

    assert run.errors == []
    assert run.seated == 3
    assert len(run.acknowledged) > 3
    assert stored_uuids() == set(run.acknowledged)
    kinds = {kind for kind, *_ in run.samples}
    # Whether a clip is heard again is drawn: on a slow machine too few ratings come for one to be sure.
    assert kinds - {"clip, again"} == {"page", "part of a page", "rating", "clip, first time"}


@pytest.mark.django_db(transaction=True)
def test_the_million_is_filled_column_by_column() -> None:
    test = build("small", 400)
    assert test.ratings.count() == test.sessions.count() * PAIRS_PER_RATER == 400
    assert not test.sessions.exclude(consent__withdrawn_ratings=test.withdrawn_ratings).exists()
