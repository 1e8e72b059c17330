"""The study report against plain pandas, on ratings as unbalanced as real ones."""

import json
import math
from io import StringIO

import numpy as np
import pandas as pd
import pytest
from django.core.management import call_command

from listening_tests.choices import PairRole, WithdrawnRatings
from listening_tests.exceptions import Refused
from listening_tests.models import Consent, Exclusion, ListeningTest, Rating, Session
from listening_tests.services.withdrawals import rater_withdraw
from tests.factories import make_pair, make_test
from tests.worker.studies import rate

pytestmark = pytest.mark.django_db
KEYS = (
    "test pairs rated_pairs raters ratings anchor_ratings excluded_raters excluded_ratings "
    "icc1 reliability ceiling_srcc one_vs_rest_srcc"
).split()


def report_of(test: ListeningTest) -> dict[str, object]:
    out = StringIO()
    call_command("study_report", test.slug, "--json", stdout=out)
    report: dict[str, object] = json.loads(out.getvalue())
    assert list(report) == KEYS
    return report


def unbalanced_study() -> ListeningTest:
    """40 study pairs with 1 to 5 ratings, two without; anchors; one rating and one whole rater excluded."""
    test = make_test()
    pairs = [make_pair(test) for _ in range(42)]
    for place in range(40):
        rate(pairs[place : place + 1], 1 + place % 5)
    # A common truth, so that there is something to agree on.
    rate(pairs[:40], 3)
    rate([make_pair(test, role=PairRole.ANCHOR) for _ in range(2)], 2)
    rate([make_pair(test, role=PairRole.PRACTICE)], 2)
    whole_rater = Rating.objects.filter(test=test, pair=pairs[0]).earliest("id").rater
    excluded = [*whole_rater.ratings.all(), Rating.objects.filter(test=test, pair=pairs[7]).latest("id")]
    for rating in excluded:
        Exclusion.objects.create(rating=rating, rule="a-rule", reason="Because.")
    return test


def counted(test: ListeningTest) -> pd.DataFrame:
    rows = test.ratings.filter(pair__role=PairRole.STUDY, exclusions=None).values("pair_id", "rater_id", "score")
    return pd.DataFrame(list(rows))


def test_it_counts_what_counts() -> None:
    test = unbalanced_study()
    report, table = report_of(test), counted(test)

    assert report["test"] == test.slug
    assert (report["pairs"], report["rated_pairs"]) == (42, table.pair_id.nunique())
    assert (report["ratings"], report["raters"]) == (len(table), table.rater_id.nunique())
    assert report["anchor_ratings"] == 4
    study = test.ratings.filter(pair__role=PairRole.STUDY)
    assert report["ratings"] + report["excluded_ratings"] == study.count()  # type: ignore[operator]
    assert report["raters"] + report["excluded_raters"] == study.values("rater").distinct().count()  # type: ignore[operator]
    assert (report["excluded_ratings"], report["excluded_raters"]) == (2, 1)


@pytest.mark.parametrize(
    ("treatment", "told"),
    [(WithdrawnRatings.EXCLUDE, (8, 2, 4, 1)), (WithdrawnRatings.DELETE, (8, 2, 0, 0))],
)
def test_ratings_of_who_withdrew_are_excluded_or_gone(treatment: str, told: tuple[int, ...]) -> None:
    """Two raters stay; a third withdraws: their ratings of study pairs count as excluded, where they were kept."""
    test = make_test()
    pairs = [make_pair(test) for _ in range(4)]
    rate(pairs, 2)
    rate([*pairs, make_pair(test, role=PairRole.ANCHOR)], 1)
    rater = Rating.objects.latest("id").rater
    consent = Consent.objects.create(rater=rater, test=test, version=1, withdrawn_ratings=treatment)
    rater_withdraw(session=Session.objects.create(test=test, rater=rater, consent=consent, planned_count=4))
    report = report_of(test)

    assert tuple(report[key] for key in ("ratings", "raters", "excluded_ratings", "excluded_raters")) == told
    assert report["anchor_ratings"] == (1 if treatment == WithdrawnRatings.EXCLUDE else 0)


def test_it_agrees_with_pandas() -> None:
    test = unbalanced_study()
    report, table = report_of(test), counted(test)

    groups = table.groupby("pair_id").score
    k, means = groups.size(), groups.mean()
    number, total = len(k), len(table)
    within = ((table.score - table.pair_id.map(means)) ** 2).sum() / (total - number)
    between = (k * (means - table.score.mean()) ** 2).sum() / (number - 1)
    n0 = (total - (k**2).sum() / total) / (number - 1)
    assert report["icc1"] == pytest.approx((between - within) / (between + (n0 - 1) * within))
    vb = (between - within) / n0
    assert report["reliability"] == pytest.approx((vb / (vb + within / k)).mean())

    rng = np.random.default_rng(1)
    ceilings, rests = [], []
    for _ in range(300):
        truth = pd.Series(rng.normal(0, math.sqrt(vb), number), index=k.index)
        ceilings.append(truth.corr(truth + rng.normal(0, np.sqrt(within / k)), method="spearman"))
        one = table[table.pair_id.map(k) > 1].sample(frac=1, random_state=rng).drop_duplicates("pair_id")
        others = table.drop(one.index).groupby("pair_id").score.mean()
        rests.append(one.set_index("pair_id").score.corr(others, method="spearman"))
    # Two simulations of one quantity: their means differ by chance, of a standard error of .01.
    assert report["ceiling_srcc"] == pytest.approx(np.mean(ceilings), abs=0.03)
    assert report["one_vs_rest_srcc"] == pytest.approx(np.mean(rests), abs=0.03)


def test_scores_on_another_scale_are_mapped() -> None:
    test = make_test()
    pairs = [make_pair(test) for _ in range(12)]
    rate(pairs, 3)
    before = report_of(test)
    halves = [
        Rating(**{name: getattr(rating, name) for name in ("test", "pair", "rater", "question", "source")})
        for rating in test.ratings.all()
    ]
    for half, rating in zip(halves, test.ratings.all(), strict=True):
        half.client_uuid, half.submitted_at = half.uuid, rating.submitted_at
        half.score, half.scale_min, half.scale_max, half.scale_step = rating.score / 2, 0, 5, 0.5
    test.ratings.all().delete()
    test.questions.update(scale_max=5, scale_step=0.5)
    Rating.objects.bulk_create(halves)

    assert report_of(test)["icc1"] == pytest.approx(before["icc1"])


def test_undefined_numbers_are_null() -> None:
    report = report_of(make_test())

    assert [report[key] for key in KEYS[1:8]] == [0] * 7
    assert [report[key] for key in KEYS[8:]] == [None] * 4


def test_for_people_it_says_simulated() -> None:
    test = make_test(is_simulated=True)
    out = StringIO()
    call_command("study_report", test.slug, stdout=out)

    assert out.getvalue().startswith("The raters of this test are simulated.\n")
    assert "ICC(1,1)                             undefined" in out.getvalue()


def test_a_test_without_a_question_is_refused() -> None:
    ListeningTest.objects.create(slug="rain", title="Rain")
    with pytest.raises(Refused, match="“Rain” asks raters no question yet. Add one on its page in the admin."):
        call_command("study_report", "rain")


def test_an_unknown_test_is_refused() -> None:
    make_test(slug="birds")
    with pytest.raises(Refused, match="There is no test with the address “rain”. Tests: birds."):
        call_command("study_report", "rain")
