"""A whole study in the browser, in small: the walk of benchmarks/whole_study.py over sounds that last a moment."""

from collections.abc import Iterator

import pytest
from celery import current_app
from playwright.sync_api import BrowserContext
from pytest_django.live_server_helper import LiveServer

from benchmarks.screenshots import Screenshots
from benchmarks.study_sounds import generated_recordings, lines_of
from benchmarks.study_walk import StudyWalk
from listening_tests.choices import TestStatus
from listening_tests.models import Exclusion, ListeningTest, Rating
from tests.browser.conftest import PHONE, OpenPage

pytestmark = pytest.mark.django_db(transaction=True)
N_SOUNDS = 24
N_RATERS = 12


@pytest.fixture
def tasks_at_once() -> Iterator[None]:
    """What a page publishes is done before the page answers."""
    current_app.conf.task_always_eager = True
    yield
    current_app.conf.task_always_eager = False


def test_it_works(open_as_staff: OpenPage, open_page: OpenPage, live_server: LiveServer, tasks_at_once: None) -> None:
    def phone() -> BrowserContext:
        return open_page("about:blank", **PHONE).context

    lines = lines_of(generated_recordings(N_SOUNDS))
    page = open_as_staff("/dashboard/")
    walk = StudyWalk(
        page,
        phone,
        live_server.url,
        lines,
        Screenshots(),
        pairs_per_session=10,
        n_raters=N_RATERS,
        n_pilots=2,
    )
    walk.walk()
    test = ListeningTest.objects.get()
    assert test.status == TestStatus.CLOSED
    assert Rating.objects.values("rater").distinct().count() == N_RATERS + 1
    assert Exclusion.objects.exists()
