"""32 raters at once over real HTTP."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db.models import Count
from pytest_django.live_server_helper import LiveServer

from benchmarks.http_rater import HttpRater
from listening_tests.models import Assignment, Pair, Rating
from tests.factories import make_pairs, make_test


@pytest.mark.django_db(transaction=True)
def test_it_works(live_server: LiveServer) -> None:
    test = make_test(ratings_per_pair=4, pairs_per_session=20)
    make_pairs(test, 40)
    raters = [HttpRater(live_server.url, test.slug) for _ in range(32)]

    with ThreadPoolExecutor(32) as pool:
        acknowledged = sum(pool.map(HttpRater.rate_to_the_end, raters))

    assert acknowledged == Rating.objects.count() == 160
    stored = {str(uuid) for uuid in Rating.objects.values_list("client_uuid", flat=True)}
    assert stored == {uuid for rater in raters for uuid in rater.acknowledged}
    assert set(Pair.objects.annotate(n=Count("ratings")).values_list("n", "load")) == {(4, 4)}
    assert not Assignment.objects.values("rater", "pair").annotate(n=Count("pk")).filter(n__gt=1)
    assert not Assignment.objects.filter(rated_at__isnull=True)
