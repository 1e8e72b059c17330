"""RELATE's inclusion scores, imported, against what plain pandas says of the file, and screened by its own rule."""

import json
from io import StringIO

import pandas as pd
import pytest
from django.core.management import call_command

from listening_tests.models import Exclusion, ListeningTest, RuleOutcome
from listening_tests.services.screening import screening_apply
from tests.collection.relate import relate_is
from worker.models import FigureName, ScreeningFigure
from worker.screening.computing import screening_compute

pytestmark = pytest.mark.django_db


def test_the_study_report_says_what_pandas_says() -> None:
    path = relate_is()
    table = pd.read_csv(path)
    study = table[~table["anchor label"]]
    by_pair = study.groupby(["wavname", "text"])["score"]
    sizes = by_pair.size()
    total, pairs = sizes.sum(), len(sizes)
    n0 = (total - (sizes**2).sum() / total) / (pairs - 1)
    between = (sizes * (by_pair.mean() - study["score"].mean()) ** 2).sum() / (pairs - 1)
    within = ((study["score"] - by_pair.transform("mean")) ** 2).sum() / (total - pairs)

    out = StringIO()
    call_command("import_ratings", str(path), "--layout", "relate", "--test", "relate-is", "--create", stdout=out)
    out = StringIO()
    call_command("study_report", "relate-is", "--json", stdout=out)
    report = json.loads(out.getvalue())

    assert report["icc1"] == pytest.approx((between - within) / (between + (n0 - 1) * within))
    assert round(report["icc1"], 4) == 0.2592
    assert (report["pairs"], report["rated_pairs"], report["ratings"]) == (pairs, pairs, total)
    assert report["anchor_ratings"] == table["anchor label"].sum()
    assert report["raters"] == study["listener_id"].nunique()
    assert (report["excluded_raters"], report["excluded_ratings"]) == (0, 0)
    _screen_by_the_published_rule(table)


def _screen_by_the_published_rule(table: pd.DataFrame) -> None:
    """Three anchors that sum up to more than 5, which is the default; docs/SCREENING.md quotes these numbers."""
    sums = table[table["anchor label"]].groupby("listener_id")["score"].sum()
    test = ListeningTest.objects.get()

    state = screening_compute(test=test)

    found = RuleOutcome.objects.filter(rule="anchors")
    assert found.filter(outcome="failed").count() == (sums > 5).sum() == 501
    assert found.filter(outcome="passed").count() == (sums <= 5).sum() == 872
    # The file tells no times and no plays: nobody is blamed for it.
    for rule in ("too-fast", "play-evidence", "headphones", "gold", "trap", "repeats"):
        assert not RuleOutcome.objects.filter(rule=rule).exists()
    figures = ScreeningFigure.objects
    assert round(figures.get(name=FigureName.ICC1).now, 4) == 0.2592

    screening = screening_apply(test=test, user=None, digest=state.digest, rules="")

    assert Exclusion.objects.filter(screening=screening, rule="anchors").count() == 501 * 21
    call_command("study_report", "relate-is", "--json", stdout=(out := StringIO()))
    report = json.loads(out.getvalue())
    for name in (FigureName.ICC1, FigureName.CEILING_SRCC, FigureName.RELIABILITY, FigureName.RATERS):
        assert report[name] == pytest.approx(figures.get(name=name).then)
