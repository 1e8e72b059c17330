"""The pages around a test's models in a real browser: they fit a phone, and axe finds nothing wrong with them."""

import os
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.urls import reverse

from listening_tests.choices import WithdrawnRatings
from listening_tests.models import ListeningTest, Rater, Withdrawal
from tests.browser.conftest import OpenPage
from tests.webapp.factories import make_done_run, make_staff
from tests.worker.studies import make_study, more_held_out
from worker.heldout import heldout_look
from worker.models import Challenge, LookKind, ModelVersion, RuleWorth, ScreeningWorth, Verdict
from worker.registry import model_promote, untuned_promote
from worker.snapshots import snapshot_create

pytestmark = pytest.mark.django_db(transaction=True)
WIDTHS = (360, 768, 1280)
FITS = "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"


def make_models() -> tuple[ListeningTest, ModelVersion]:
    """Two models, of which the second was made with ratings of who withdrew since, and what is known of rules."""
    test, user = make_study(n_heldout=6, n_train=4), make_staff("founder")
    snapshot = snapshot_create(test=test)
    runs = [make_done_run(test, snapshot=snapshot, question="relevance", n_heldout=168) for _ in range(2)]
    first, second = (ModelVersion.objects.get(run=run) for run in runs)
    ModelVersion.objects.filter(pk=second.pk).update(weights_sha256="d4" * 32, size_bytes=614_000_000)
    place = Path(settings.MEDIA_ROOT) / first.directory
    place.mkdir(parents=True, exist_ok=True)
    for name in ("config.json", "model.safetensors", "a-rather-long-name-of-a-file-that-must-not-widen-the-page.json"):
        (place / name).write_bytes(b"weights")
    model_promote(version=first, user=user, reason="The first.")
    Challenge.objects.create(
        challenger=second, champion=first, n_pairs=168, champion_srcc=0.6, challenger_srcc=0.62, difference=0.02,
        low=-0.03, high=0.07, verdict=Verdict.NOT_BETTER, heldout_set=snapshot.heldout_set,
    )  # fmt: skip
    untuned_promote(test=test, question="relevance", user=user, reason="While we look at the raters.")
    model_promote(version=first, user=user, reason="They were right.")
    more_held_out(test, 2)
    for _ in range(21):
        heldout_look(heldout_set=snapshot.heldout_set, kind=LookKind.CHALLENGE)
    type(snapshot).objects.filter(pk=snapshot.pk).update(n_waiting=2)
    Withdrawal.objects.create(
        test=test, rater=Rater.objects.create(), treatment=WithdrawnRatings.DELETE, n_ratings=7,
        first_rated_at=test.created_at,
    )  # fmt: skip
    worth = ScreeningWorth.objects.create(
        test=test, question="relevance", preset="small", status="running", n_models=4, n_done=3, n_heldout=168,
        n_ratings=3360, srcc=0.44, low=0.35, high=0.52, step=12, total_steps=90, started_at=snapshot.created_at,
        host="bench:1", heldout_set=snapshot.heldout_set,
    )  # fmt: skip
    values = {"srcc": 0.5, "low": 0.41, "high": 0.58, "difference": 0.06, "difference_low": 0.01}
    RuleWorth.objects.create(worth=worth, rule="anchors", n_raters=12, n_ratings=240, difference_high=0.11, **values)
    RuleWorth.objects.create(worth=worth, rule="gold", n_raters=0, n_ratings=0, message="Nobody fails it.")
    return test, first


@pytest.mark.parametrize("is_dark", [False, True])
def test_they_fit_and_axe_finds_nothing(open_as_staff: OpenPage, is_dark: bool) -> None:
    test, model = make_models()
    pages = {
        "models": reverse("dashboard:models_page", args=[test.slug]),
        "model": reverse("dashboard:model_page", args=[test.slug, model.uuid]),
        "snapshot": reverse("dashboard:snapshot_page", args=[test.slug, model.run.snapshot.uuid]),
        "withdrawals": reverse("dashboard:withdrawals", args=[test.slug]),
        "worth": reverse("dashboard:screening_worth", args=[test.slug]),
        "run": reverse("dashboard:run_page", args=[model.run.uuid]),
    }
    page = open_as_staff(pages["models"], color_scheme="dark" if is_dark else "light")
    for name, path in pages.items():
        page.goto(path)
        found = Axe().run(page)
        assert found.violations_count == 0, f"{name}: {found.generate_report()}"
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            page.wait_for_function(FITS)
            if folder := os.environ.get("MODELS_SHOTS"):
                page.screenshot(path=f"{folder}/{name}-{width}{'-dark' if is_dark else ''}.png", full_page=True)
