"""Which model of a test is in use: newcomers compared with it, promoted, rolled back, and old files cleared away.

A newcomer takes the champion's place by itself only where it is better beyond doubt on held-out pairs that neither was
trained on: the whole paired interval of the difference lies above 0, over at least `LEAST_PAIRS` pairs.
"""

import logging
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Q, QuerySet
from django.utils import timezone

from listening_tests.choices import AuditedAction
from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest
from listening_tests.roles import Account
from listening_tests.services.audit import audit_note
from modeling import metrics, splits
from modeling.config import HEAD_POLICIES
from worker.models import (
    Challenge,
    MeasuredModel,
    MetricName,
    ModelVersion,
    Prediction,
    Promotion,
    PromotionTrigger,
    TrainingRun,
    Verdict,
)
from worker.withdrawn import with_withdrawals

logger = logging.getLogger(__name__)

# An SRCC over fewer pairs has a standard error of about .08: no difference between models shows in it.
LEAST_PAIRS = 100
# Models of a test and a question whose files stay although they are neither in use nor cited.
MODELS_KEPT = 5
GONE = (
    "The files of {version} were cleared away to save space. The snapshot and the settings of its run are kept: "
    "python -m modeling train makes it anew."
)


@dataclass(frozen=True)
class _Pair:
    caption: str
    human: float
    champion: float
    challenger: float


def champion_of(*, test: ListeningTest, question: str) -> ModelVersion | None:
    """The model in use; None where the untuned one is."""
    newest = Promotion.objects.filter(test=test, question=question).select_related("version__run").first()
    return newest.version if newest else None


@transaction.atomic
def model_challenge(*, version: ModelVersion) -> Challenge:
    """Compares a new model with the champion of its test and question, and promotes it where it is better beyond doubt.

    Asked again, the first answer stands.
    """
    run = version.run
    _lock(run.test)
    known = Challenge.objects.filter(challenger=version).first()
    if known is not None:
        return known
    champion = champion_of(test=run.test, question=run.question)
    challenge = _compared(version, champion, _common_pairs(run, champion))
    challenge.save()
    if challenge.verdict == Verdict.BETTER:
        _promote(version, PromotionTrigger.ITSELF, _in_words(challenge), None)
    return challenge


@transaction.atomic
def model_promote(*, version: ModelVersion, user: Account, reason: str) -> Promotion:
    """Puts a model in use by hand. Raises `Refused` without a reason, or where its files are gone or it is in use."""
    _lock(version.run.test)
    if not reason.strip():
        raise Refused("Write down why this model is to be in use: who reads the report will ask.")
    # As it is under the lock: its files may have gone while somebody wrote the reason.
    version.refresh_from_db(fields=["files_removed_at"])
    _require_usable(version)
    return _promote(version, PromotionTrigger.PERSON, reason.strip(), user)


@transaction.atomic
def model_roll_back(*, version: ModelVersion, user: Account) -> Promotion:
    """Puts the model that was in use before `version` back in use.

    Raises `Refused` where `version` is in use no more (a second press), or nothing with files stands before it.
    """
    run = version.run
    _lock(run.test)
    if champion_of(test=run.test, question=run.question) != version:
        raise Refused(f"{version} is not in use any more; look at what is.")
    before = champion_before(test=run.test, question=run.question)
    if before is None:
        raise Refused("There is no earlier model to go back to.")
    return _promote(before, PromotionTrigger.ROLLBACK, f"Rolled back from {version}.", user)


def champion_before(*, test: ListeningTest, question: str) -> ModelVersion | None:
    """What a roll-back leads to: each takes the newest away from those in use, and the next leads further back."""
    stack: list[ModelVersion] = []
    for row in Promotion.objects.filter(test=test, question=question).select_related("version__run").order_by("id"):
        if row.trigger != PromotionTrigger.ROLLBACK:
            stack.append(row.version)
            continue
        while stack and stack[-1] != row.version:
            stack.pop()
    return next((version for version in reversed(stack[:-1]) if version.files_removed_at is None), None)


@transaction.atomic
def models_prune(*, test: ListeningTest, question: str) -> int:
    """Removes the files of old models; returns of how many. Their numbers and predictions stay.

    What stays: every model that ever was in use, cited runs, the newest `MODELS_KEPT`, and models from before there was
    a registry, of which nobody could say that they are cited.
    """
    _lock(test)
    versions = ModelVersion.objects.filter(run__test=test, run__question=question, files_removed_at=None)
    newest = versions.order_by("-created_at", "-id").values_list("pk", flat=True)[:MODELS_KEPT]
    old = versions.exclude(pk__in=list(newest)).filter(promotions=None, run__is_cited=False, challenge__isnull=False)
    for version in old:
        ModelVersion.objects.filter(pk=version.pk).update(files_removed_at=timezone.now())
        transaction.on_commit(partial(_remove_files, version))
    return len(old)


@transaction.atomic
def model_cite(*, version: ModelVersion, is_cited: bool) -> None:
    """Keeps the files of a model that somebody has named in print, whatever comes after it; or no longer.

    Raises `Refused` where they are gone.
    """
    _lock(version.run.test)
    version.refresh_from_db(fields=["files_removed_at"])
    if is_cited and version.files_removed_at is not None:
        raise Refused(GONE.format(version=version))
    TrainingRun.objects.filter(pk=version.run_id).update(is_cited=is_cited)


def versions_of(*, test: ListeningTest) -> QuerySet[ModelVersion]:
    """The test's models, newest first, with their challenge, and `base_srcc` and `tuned_srcc` of their run."""
    rows = ModelVersion.objects.filter(run__test=test).select_related("run__snapshot", "challenge__champion__run")
    rows = with_withdrawals(rows, snapshot="run__snapshot__")
    return rows.annotate(base_srcc=_srcc(MeasuredModel.BASE), tuned_srcc=_srcc(MeasuredModel.TUNED)).order_by(
        "-created_at", "-id"
    )


def champions_of(*, test: ListeningTest) -> QuerySet[Promotion]:
    """What is in use for the test: the newest promotion of each question."""
    rows = Promotion.objects.filter(test=test).select_related("version__run")
    return rows.order_by("question", "-id").distinct("question")


def promotions_of(*, test: ListeningTest) -> QuerySet[Promotion]:
    """What was put in use for the test, the newest first."""
    return Promotion.objects.filter(test=test).select_related("version__run", "promoted_by")


def _srcc(model: str) -> Max:
    return Max("run__metrics__value", filter=Q(run__metrics__model=model, run__metrics__name=MetricName.SRCC))


def _lock(test: ListeningTest) -> None:
    """One change of a test's champion at a time."""
    ListeningTest.objects.select_for_update(no_key=True).get(pk=test.pk)


def _common_pairs(run: TrainingRun, champion: ModelVersion | None) -> list[_Pair]:
    """The run's held-out pairs that the champion was measured on too, in the order of their keys."""
    ours = Prediction.objects.filter(run=run).select_related("pair__caption").order_by("pair_id")
    theirs = (
        {row.pair_id: judged(row, champion.run) for row in Prediction.objects.filter(run=champion.run)}
        if champion is not None
        else {row.pair_id: row.base_cosine for row in ours}
    )
    return [
        _Pair(splits.fold_caption(row.pair.caption.text), row.human_mean, theirs[row.pair_id], judged(row, run))
        for row in ours
        if row.pair_id in theirs
    ]


def judged(row: Prediction, run: TrainingRun) -> float:
    """What a run's model is judged by: its cosine, or the score of a head, a tenth of it."""
    return row.tuned_score / 10 if run.config.get("policy") in HEAD_POLICIES else row.tuned_cosine


def _compared(version: ModelVersion, champion: ModelVersion | None, pairs: list[_Pair]) -> Challenge:
    """People's means are those of the challenger's snapshot, the newer one, for both."""
    found = metrics.compare(
        [pair.champion for pair in pairs],
        [pair.challenger for pair in pairs],
        [pair.human for pair in pairs],
        [pair.caption for pair in pairs],
    )
    gain = found.difference["srcc"]
    return Challenge(
        challenger=version,
        champion=champion,
        n_pairs=len(pairs),
        champion_srcc=found.base["srcc"].value,
        challenger_srcc=found.tuned["srcc"].value,
        difference=gain.value,
        low=gain.low,
        high=gain.high,
        verdict=_verdict(gain),
    )


def _verdict(gain: metrics.MetricValue) -> str:
    if gain.n < LEAST_PAIRS:
        return Verdict.TOO_FEW
    return Verdict.BETTER if gain.low is not None and gain.low > 0 else Verdict.NOT_BETTER


def _promote(version: ModelVersion, trigger: str, reason: str, user: Account | None) -> Promotion:
    run = version.run
    audit_note(user=user, test=run.test, action=AuditedAction.PROMOTED, detail=f"{version}: {reason}")
    return Promotion.objects.create(
        test=run.test,
        question=run.question,
        version=version,
        trigger=trigger,
        reason=reason[:500],
        promoted_by_id=user.pk if user is not None else None,
    )


def _in_words(challenge: Challenge) -> str:
    other = challenge.champion or "the untuned model"
    return (
        f"SRCC better than that of {other} by {challenge.difference:.3f}, 95 % interval {challenge.low:.3f} to "
        f"{challenge.high:.3f}, {challenge.n_pairs:,} held-out pairs."
    )


def _require_usable(version: ModelVersion) -> None:
    if version.files_removed_at is not None:
        raise Refused(GONE.format(version=version))
    if champion_of(test=version.run.test, question=version.run.question) == version:
        raise Refused(f"{version} is in use already.")


def _remove_files(version: ModelVersion) -> None:
    shutil.rmtree(Path(settings.MEDIA_ROOT) / version.directory, ignore_errors=True)
    logger.info("The files of %s were cleared away.", version)
