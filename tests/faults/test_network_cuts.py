"""A real browser against the real server, over a wire that is cut."""

import random

import pytest
from playwright.sync_api import Browser

from benchmarks.broken_wire import Wire
from benchmarks.installation import Installation
from benchmarks.network_cuts import Study, is_kept

RUNS = 3


@pytest.fixture
def study(installation: Installation, wire: Wire) -> Study:
    return Study(installation, f"cuts-{wire.port}", wire)


def test_the_answer_is_lost_and_any_moment_may_be_the_last(study: Study, browser: Browser) -> None:
    given = study.rate_through_a_lost_answer(browser, "lost", random.Random(0))  # noqa: S311 -- no secret
    assert sorted(study.stored("lost")) == given
    assert [is_kept(study, browser, number) for number in range(RUNS)] == [True] * RUNS
