"""The tab Scores in a real browser: a list is sent and followed, its table comes; pages are accessible and fit."""

import os
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect
from pytest_django import Settings

from benchmarks.screenshots import Screenshots
from listening_tests.models import ListeningTest
from tests.browser.conftest import OpenPage
from tests.browser.test_ingest import expect_accessible
from tests.factories import make_pair
from tests.results import make_rated_study
from tests.scorers import make_champion
from tests.worker.studies import make_sound
from worker.models import ModelScore, ScoringJob, ScoringKind, ScoringStatus
from worker.result_jobs import results_compute
from worker.scoring.work import scoring_execute

pytestmark = pytest.mark.django_db(transaction=True)

TABLET = {"width": 768, "height": 1024}


@pytest.fixture
def test(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> ListeningTest:
    monkeypatch.setattr("worker.scoring.queueing.publish_or_tell", lambda *_: True)
    settings.EARMARK_PRESET = "small"
    found = make_rated_study()
    clip = make_sound()
    clip.name = "rain.wav"
    clip.save()
    make_pair(found, clip=clip)
    return found


def look(page: Page, name: str) -> None:
    """Accessible at each width, and no wider than the window; pictures go to EARMARK_SCREENSHOTS."""
    folder = os.environ.get("EARMARK_SCREENSHOTS")
    shots = Screenshots(Path(folder) if folder else None)
    shots.of_staff(page, name)
    page.set_viewport_size(TABLET)  # type: ignore[arg-type]
    shots._take(page, f"{name}-768")
    assert not shots.too_wide
    expect_accessible(page)


def test_it_works(open_as_staff: OpenPage, test: ListeningTest, tmp_path: Path) -> None:
    page = open_as_staff(f"/dashboard/tests/{test.slug}/scores/")
    page.get_by_label("Pairs (CSV)").set_input_files(
        {"name": "pairs.csv", "mimeType": "text/csv", "buffer": b"file,caption\nrain.wav,Rain\nrain.wav,Wind\n"}
    )
    page.get_by_role("button", name="Send and score").click()
    expect(page.get_by_text("0 of 2")).to_be_visible()

    scoring_execute(job_id=ScoringJob.objects.get().pk)

    # The page shows it by itself.
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV of pairs.csv").click()
    rows = Path(download.value.path()).read_text().splitlines()
    assert rows[0] == "file,caption,cosine,score,score_sd"
    assert [row.split(",")[:2] for row in rows[1:]] == [["rain.wav", "Rain"], ["rain.wav", "Wind"]]


def test_every_state_of_a_scoring(open_as_staff: OpenPage, test: ListeningTest, settings: Settings) -> None:
    version = make_champion(test, settings)
    values = {"test": test, "kind": ScoringKind.LIST, "version": version, "total": 98_765}
    ended = {"finished_at": version.created_at}
    long_name = f"pairs-{uuid4().hex * 3}.csv"
    for fields in (
        {"status": ScoringStatus.DONE, "done": 98_765, "list_name": long_name, **ended},
        {"status": ScoringStatus.FAILED, "message": "Some sounds cannot be scored.\nrow 2, file: b.wav", **ended},
        {"status": ScoringStatus.ERRORED, "message": "A fault.", "traceback": "Traceback: x = 1 / 0\n" * 3, **ended},
        {"status": ScoringStatus.CANCELLED, "message": "Cancelled.", **ended},
        {"status": ScoringStatus.RUNNING, "phase": "scoring", "done": 40_000, "list_name": "night.csv"},
        {"status": ScoringStatus.QUEUED, "list_name": "next.csv"},
    ):
        ScoringJob.objects.create(**values | fields)
    ScoringJob.objects.create(test=test, kind=ScoringKind.PAIRS, version=version)
    page = open_as_staff(f"/dashboard/tests/{test.slug}/scores/")
    look(page, "scores")

    page.get_by_role("button", name="Cancel the scoring of next.csv").click()
    expect(page.get_by_text("Cancelled before it began.")).to_be_visible()


def test_scores_beside_peoples_means(open_as_staff: OpenPage, test: ListeningTest, settings: Settings) -> None:
    results_compute(test=test, question=test.questions.earliest("id"))
    version = make_champion(test, settings)
    ModelScore.objects.bulk_create(
        ModelScore(version=version, pair=pair, cosine=0.5, score=6.5, score_sd=1.25, has_learned=place % 2 == 0)
        for place, pair in enumerate(test.pairs.order_by("pk"))
    )
    page = open_as_staff(f"/dashboard/tests/{test.slug}/results/pairs/")
    expect(page.get_by_role("columnheader", name="Model’s score")).to_be_visible()
    look(page, "scores-beside")
