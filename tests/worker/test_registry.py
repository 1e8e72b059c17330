"""Which model is in use: what takes the place by itself, what by hand, the way back, and what is cleared away."""

import uuid
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from listening_tests.choices import AuditedAction
from listening_tests.exceptions import Refused
from listening_tests.models import AuditEntry, Caption, ListeningTest, Pair
from tests.factories import make_clip, make_test
from tests.webapp.factories import make_staff
from worker import registry
from worker.challenges import challenge_computed
from worker.models import (
    Challenge,
    ModelScore,
    ModelVersion,
    Prediction,
    Promotion,
    PromotionTrigger,
    RunStatus,
    TrainingRun,
    Verdict,
)
from worker.newcomers import newcomers_compare_missed
from worker.registry import (
    LEAST_PAIRS,
    MODELS_KEPT,
    champion_of,
    model_challenge,
    model_cite,
    model_promote,
    model_roll_back,
    models_prune,
    untuned_promote,
    untuned_roll_back,
)

pytestmark = pytest.mark.django_db
HUMAN_SEED = 7


def make_study(n_captions: int = 30, per_caption: int = 4) -> ListeningTest:
    """A test with so many pairs, four a caption; no rating is needed to compare models."""
    test, clips = make_test(), [make_clip() for _ in range(per_caption)]
    texts = [f"Sound {uuid.uuid4()}" for _ in range(n_captions)]
    captions = Caption.objects.bulk_create([Caption(text=text, text_sha256=Caption.digest(text)) for text in texts])
    Pair.objects.bulk_create(
        [
            Pair(test=test, clip=clips[place], caption=caption, system=f"system {place}")
            for caption in captions
            for place in range(per_caption)
        ]
    )
    return test


def make_version(test: ListeningTest, noise: float, seed: int = 0, **fields: object) -> ModelVersion:
    """A finished run whose model scores the pairs as people do but for noise; the untuned one has more of it."""
    run = TrainingRun.objects.create(
        test=test, status=RunStatus.DONE, preset="small", question="relevance", finished_at=timezone.now(), **fields
    )
    pairs = list(test.pairs.order_by("pk"))
    human = np.random.default_rng(HUMAN_SEED).uniform(0, 10, len(pairs))
    ours, base = (np.random.default_rng([seed, which]).normal(size=len(pairs)) for which in (1, 2))
    Prediction.objects.bulk_create(
        Prediction(
            run=run, pair=pair, human_mean=value, n_ratings=4, base_cosine=value / 10 + off_base,
            tuned_cosine=value / 10 + noise * off, tuned_score=5.0,
        )
        for pair, value, off, off_base in zip(pairs, human, ours, base, strict=True)
    )  # fmt: skip
    directory = f"runs/{run.uuid}/model"
    place = Path(settings.MEDIA_ROOT) / directory
    place.mkdir(parents=True)
    (place / "model.safetensors").write_bytes(b"weights")
    return ModelVersion.objects.create(run=run, directory=directory, weights_sha256=uuid.uuid4().hex * 2)


def champion(test: ListeningTest) -> ModelVersion | None:
    return champion_of(test=test, question="relevance")


def test_it_works() -> None:
    test = make_study()
    first = make_version(test, noise=0.2)

    challenge = model_challenge(version=first)

    assert (challenge.champion, challenge.verdict, challenge.n_pairs) == (None, Verdict.BETTER, 120)
    assert challenge.difference == pytest.approx(challenge.challenger_srcc - challenge.champion_srcc)
    assert 0 < challenge.low < challenge.difference < challenge.high
    assert champion(test) == first
    promotion = Promotion.objects.get()
    assert (promotion.trigger, promotion.promoted_by) == (PromotionTrigger.ITSELF, None)
    assert promotion.reason == (
        f"SRCC better than that of the untuned model by {challenge.difference:.3f}, 95 % interval {challenge.low:.3f} "
        f"to {challenge.high:.3f}, 120 held-out pairs."
    )


def test_a_model_whose_process_ended_before_it_was_compared_is_compared_later() -> None:
    test = make_study()
    missed, from_before, at_it = (make_version(test, noise=0.2, seed=seed) for seed in range(3))
    for version, ago in ((missed, timedelta(minutes=6)), (from_before, timedelta(days=8))):
        TrainingRun.objects.filter(pk=version.run_id).update(finished_at=timezone.now() - ago)

    assert newcomers_compare_missed() == 1
    assert champion(test) == missed
    assert [challenge.challenger for challenge in Challenge.objects.all()] == [missed]
    assert newcomers_compare_missed() == 0


def test_a_model_that_cannot_be_compared_keeps_no_other_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    test = make_study()
    bad, good = (make_version(test, noise=0.2, seed=seed) for seed in range(2))
    TrainingRun.objects.update(finished_at=timezone.now() - timedelta(minutes=6))

    def compare(*, version: ModelVersion) -> Challenge:
        if version == bad:
            raise RuntimeError("a fault")
        return model_challenge(version=version)

    monkeypatch.setattr("worker.newcomers.model_challenge", compare)

    assert newcomers_compare_missed() == 2
    assert [challenge.challenger for challenge in Challenge.objects.all()] == [good]


def test_a_challenger_that_is_worse_or_as_good_is_not_promoted() -> None:
    test = make_study()
    best = make_version(test, noise=0.2)
    model_challenge(version=best)

    worse = model_challenge(version=make_version(test, noise=0.6))
    as_good = model_challenge(version=make_version(test, noise=0.2, seed=5))

    assert [row.verdict for row in (worse, as_good)] == [Verdict.NOT_BETTER] * 2
    assert worse.champion == best and worse.high < 0
    assert champion(test) == best


def test_asked_again_the_first_answer_stands() -> None:
    test = make_study()
    version = make_version(test, noise=0.2)
    first = model_challenge(version=version)

    assert model_challenge(version=version) == first
    assert Promotion.objects.count() == 1


def test_none_is_promoted_by_itself_on_few_pairs() -> None:
    test = make_study(n_captions=(LEAST_PAIRS - 1) // 3, per_caption=3)
    version = make_version(test, noise=0.1)

    challenge = model_challenge(version=version)

    assert (challenge.n_pairs, challenge.verdict) == (LEAST_PAIRS - 1, Verdict.TOO_FEW)
    assert challenge.low > 0
    assert champion(test) is None


def test_only_pairs_that_both_were_measured_on_count() -> None:
    test = make_study()
    model_challenge(version=make_version(test, noise=0.5))
    extra, clip = Caption.objects.create(text="new", text_sha256=Caption.digest("new")), make_clip()
    Pair.objects.create(test=test, clip=clip, caption=extra)

    challenge = model_challenge(version=make_version(test, noise=0.1))

    assert challenge.n_pairs == 120
    assert challenge.champion is not None


def test_what_the_champion_was_asked_later_counts_unless_it_has_learned_from_it() -> None:
    """As after a new version of the held-out pairs, of which it was measured on the old ones alone."""
    test = make_study()
    best = make_version(test, noise=0.5)
    model_challenge(version=best)
    caption = Caption.objects.create(text="new", text_sha256=Caption.digest("new"))
    came = [Pair.objects.create(test=test, clip=make_clip(), caption=caption) for _ in range(3)]
    for pair, has_learned in zip(came, (False, True, None), strict=True):
        ModelScore.objects.create(version=best, pair=pair, cosine=0.1, score=2, has_learned=has_learned)

    challenge = model_challenge(version=make_version(test, noise=0.1))

    assert (challenge.champion, challenge.n_pairs) == (best, 121)


def test_by_hand_with_a_reason_and_back() -> None:
    test, user = make_study(), make_staff()
    best, other = make_version(test, noise=0.2), make_version(test, noise=0.6)
    model_challenge(version=best)

    with pytest.raises(Refused, match=r"^Write down why this model is to be in use: who reads the report will ask\.$"):
        model_promote(version=other, user=user, reason="  ")
    assert champion(test) == best
    promotion = model_promote(version=other, user=user, reason="Trained without the raters who withdrew.")
    assert (champion(test), promotion.promoted_by) == (other, user)
    with pytest.raises(Refused, match="is in use already"):
        model_promote(version=other, user=user, reason="Again.")

    back = model_roll_back(version=other, user=user)

    assert champion(test) == best
    assert (back.trigger, back.reason) == (PromotionTrigger.ROLLBACK, f"Rolled back from {other}.")
    with pytest.raises(Refused, match=r"is not in use any more; look at what is\.$"):
        model_roll_back(version=other, user=user)
    traces = AuditEntry.objects.filter(test=test, action=AuditedAction.PROMOTED).order_by("id")
    assert [entry.username for entry in traces] == ["", "researcher", "researcher"]


def test_each_roll_back_leads_further_back() -> None:
    test, user = make_study(n_captions=2), make_staff()
    first, second, third = (make_version(test, noise=0.5, seed=number) for number in range(3))
    for version in (first, second, third):
        model_promote(version=version, user=user, reason="Next.")

    for present, before in ((third, second), (second, first)):
        assert model_roll_back(version=present, user=user).version == before

    assert model_roll_back(version=first, user=user).version is None


def test_behind_the_first_lies_the_untuned_model() -> None:
    test, user = make_study(), make_staff()
    version = make_version(test, noise=0.2)
    model_challenge(version=version)

    back = model_roll_back(version=version, user=user)

    assert (back.version, back.trigger, back.reason) == (
        None,
        PromotionTrigger.ROLLBACK,
        f"Rolled back from {version}.",
    )
    assert champion(test) is None
    with pytest.raises(Refused, match=r"^There is no earlier model to go back to\.$"):
        untuned_roll_back(test=test, question="relevance", user=user)
    later = model_challenge(version=make_version(test, noise=0.1, seed=3))
    assert later.champion is None, "the next one is compared with what is in use"
    assert champion(test) == later.challenger


def test_the_untuned_model_by_hand_and_back() -> None:
    test, user = make_study(n_captions=2), make_staff()
    asked = {"test": test, "question": "relevance", "user": user}
    with pytest.raises(Refused, match=r"^The untuned model is in use already\.$"):
        untuned_promote(**asked, reason="So.")
    version = make_version(test, noise=0.5)
    model_promote(version=version, user=user, reason="The first.")
    with pytest.raises(Refused, match=r"^Write down why this model is to be in use: who reads the report will ask\.$"):
        untuned_promote(**asked, reason=" ")
    assert champion(test) == version

    untuned_promote(**asked, reason="It said less that was wrong.")
    assert champion(test) is None
    assert untuned_roll_back(**asked).version == version
    assert champion(test) == version
    with pytest.raises(Refused, match=r"^The untuned model is not in use any more; look at what is\.$"):
        untuned_roll_back(**asked)
    entry = AuditEntry.objects.filter(test=test, detail__startswith="The untuned model").get()
    assert entry.detail == "The untuned model: It said less that was wrong."


def test_a_champion_that_changes_meanwhile_is_challenged_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is locked while models are compared: so another can be put in use in between."""
    test, user = make_study(), make_staff()
    other, version = make_version(test, noise=0.3, seed=4), make_version(test, noise=0.1)
    compared_with = []

    def computed(*, version: ModelVersion, champion: ModelVersion | None) -> Challenge:
        found = challenge_computed(version=version, champion=champion)
        compared_with.append(champion)
        if len(compared_with) == 1:
            model_promote(version=other, user=user, reason="In between.")
        return found

    monkeypatch.setattr(registry, "challenge_computed", computed)
    challenge = model_challenge(version=version)

    assert compared_with == [None, other]
    assert challenge.champion == other
    assert [row.champion for row in Challenge.objects.all()] == [other]
    assert champion(test) == version


def test_old_files_go_but_champions_and_cited_models_stay(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    test, user = make_study(n_captions=2), make_staff()
    versions = [make_version(test, noise=0.5, seed=number) for number in range(MODELS_KEPT + 4)]
    for age, version in enumerate(reversed(versions)):
        ModelVersion.objects.filter(pk=version.pk).update(created_at=timezone.now() - timedelta(days=age))
    for version in versions:
        Challenge.objects.create(challenger=version, n_pairs=8, verdict=Verdict.TOO_FEW)
    from_before = make_version(test, noise=0.5)
    ModelVersion.objects.filter(pk=from_before.pk).update(created_at=timezone.now() - timedelta(days=90))
    model_promote(version=versions[0], user=user, reason="The first.")
    model_cite(version=versions[1], is_cited=True)

    with django_capture_on_commit_callbacks(execute=True):
        assert models_prune(test=test, question="relevance") == 2
        assert models_prune(test=test, question="relevance") == 0

    gone = {version.pk for version in ModelVersion.objects.exclude(files_removed_at=None)}
    assert gone == {versions[2].pk, versions[3].pk}
    there = [(Path(settings.MEDIA_ROOT) / version.directory).exists() for version in versions]
    assert there == [True, True, False, False] + [True] * MODELS_KEPT
    with pytest.raises(Refused, match="were cleared away to save space"):
        model_promote(version=ModelVersion.objects.get(pk=versions[2].pk), user=user, reason="Back.")
