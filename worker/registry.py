"""Which model of a test is in use: newcomers compared with it, promoted, rolled back, and old files cleared away.

A newcomer takes the champion's place by itself only where it is better beyond doubt on held-out pairs that neither was
trained on: the whole paired interval of the difference lies above 0, over at least `LEAST_PAIRS` pairs. Where no tuned
model is in use, because none was promoted or because somebody went back, the untuned one is: None stands for it.
"""

import logging
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import OuterRef, QuerySet
from django.utils import timezone

from listening_tests.choices import AuditedAction
from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest
from listening_tests.roles import Account
from listening_tests.services.audit import audit_note
from modeling import challenge as standing
from worker.challenges import challenge_computed
from worker.heldout import heldout_look
from worker.models import Challenge, LookKind, ModelVersion, Promotion, PromotionTrigger, TrainingRun, Verdict
from worker.scoring.queueing import scores_follow

logger = logging.getLogger(__name__)

LEAST_PAIRS = standing.LEAST_PAIRS
# Models of a test and a question whose files stay although they are neither in use nor cited.
MODELS_KEPT = 5
GONE = (
    "The files of {version} were cleared away to save space. The snapshot and the settings of its run are kept: "
    "python -m modeling train makes it anew."
)


@dataclass(frozen=True)
class Earlier:
    """What a roll-back leads to; None is the untuned model."""

    version: ModelVersion | None


def champion_of(*, test: ListeningTest, question: str) -> ModelVersion | None:
    """The model in use; None where the untuned one is."""
    newest = newest_promotions(test=test.pk, question=question).select_related("version__run").first()
    return newest.version if newest else None


def newest_promotions(*, test: int | OuterRef, question: str | OuterRef) -> QuerySet[Promotion]:
    """Of the test of this key, the newest first: it holds the model in use."""
    return Promotion.objects.filter(test=test, question=question).order_by("-id")


def model_challenge(*, version: ModelVersion) -> Challenge:
    """Compares a new model with the champion of its test and question, and promotes it where it is better beyond doubt.

    Asked again, the first answer stands. The comparison may take seconds, and is made before anything is locked: where
    the champion changed meanwhile, it is made again.
    """
    run = version.run
    while True:
        champion = champion_of(test=run.test, question=run.question)
        known = Challenge.objects.filter(challenger=version).first()
        challenge = known or _concluded(version, champion, challenge_computed(version=version, champion=champion))
        if challenge is not None:
            return challenge


@transaction.atomic
def model_promote(*, version: ModelVersion, user: Account, reason: str) -> Promotion:
    """Puts a model in use by hand. Raises `Refused` without a reason, or where its files are gone or it is in use."""
    run = version.run
    _lock(run.test)
    _require_reason(reason)
    # As it is under the lock: its files may have gone while somebody wrote the reason.
    version.refresh_from_db(fields=["files_removed_at"])
    if version.files_removed_at is not None:
        raise Refused(GONE.format(version=version))
    if champion_of(test=run.test, question=run.question) == version:
        raise Refused(f"{version} is in use already.")
    return _promote(run.test, run.question, version, PromotionTrigger.PERSON, reason.strip(), user)


@transaction.atomic
def untuned_promote(*, test: ListeningTest, question: str, user: Account, reason: str) -> Promotion:
    """Puts the untuned model in use by hand. Raises `Refused` without a reason, or where it is in use."""
    _lock(test)
    _require_reason(reason)
    if champion_of(test=test, question=question) is None:
        raise Refused("The untuned model is in use already.")
    return _promote(test, question, None, PromotionTrigger.PERSON, reason.strip(), user)


@transaction.atomic
def model_roll_back(*, version: ModelVersion, user: Account) -> Promotion:
    """Puts what was in use before `version` back in use: another model, or the untuned one behind the first.

    Raises `Refused` where `version` is in use no more (a second press).
    """
    run = version.run
    _lock(run.test)
    if champion_of(test=run.test, question=run.question) != version:
        raise Refused(f"{version} is not in use any more; look at what is.")
    return _roll_back(run.test, run.question, str(version), user)


@transaction.atomic
def untuned_roll_back(*, test: ListeningTest, question: str, user: Account) -> Promotion:
    """Takes back that somebody put the untuned model in use. Raises `Refused` where nobody did, or it is no more."""
    _lock(test)
    if champion_of(test=test, question=question) is not None:
        raise Refused("The untuned model is not in use any more; look at what is.")
    return _roll_back(test, question, "the untuned model", user)


def champion_before(*, test: ListeningTest, question: str) -> Earlier | None:
    """What a roll-back leads to: each takes the newest away from those in use, and the next leads further back.

    At the bottom lies the untuned model; None where it is what is in use.
    """
    stack: list[ModelVersion | None] = [None]
    for row in Promotion.objects.filter(test=test, question=question).select_related("version__run").order_by("id"):
        if row.trigger != PromotionTrigger.ROLLBACK:
            stack.append(row.version)
            continue
        while len(stack) > 1 and stack[-1] != row.version:
            stack.pop()
    there = (Earlier(version) for version in reversed(stack[:-1]) if version is None or not version.files_removed_at)
    return next(there, None)


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


def _lock(test: ListeningTest) -> None:
    """One change of a test's champion at a time."""
    ListeningTest.objects.select_for_update(no_key=True).get(pk=test.pk)


@transaction.atomic
def _concluded(version: ModelVersion, champion: ModelVersion | None, challenge: Challenge) -> Challenge | None:
    """The challenge as it stands, and what follows from it; None where `champion` is not the champion any more."""
    run = version.run
    _lock(run.test)
    known = Challenge.objects.filter(challenger=version).first()
    if known is not None:
        return known
    if champion_of(test=run.test, question=run.question) != champion:
        return None
    challenge.save()
    heldout_look(heldout_set=challenge.heldout_set, kind=LookKind.CHALLENGE)
    if challenge.verdict == Verdict.BETTER:
        _promote(run.test, run.question, version, PromotionTrigger.ITSELF, _in_words(challenge), None)
    return challenge


def _roll_back(test: ListeningTest, question: str, present: str, user: Account) -> Promotion:
    before = champion_before(test=test, question=question)
    if before is None:
        raise Refused("There is no earlier model to go back to.")
    return _promote(test, question, before.version, PromotionTrigger.ROLLBACK, f"Rolled back from {present}.", user)


def _promote(
    test: ListeningTest, question: str, version: ModelVersion | None, trigger: str, reason: str, user: Account | None
) -> Promotion:
    named = version or "The untuned model"
    audit_note(user=user, test=test, action=AuditedAction.PROMOTED, detail=f"{named}: {reason}")
    scores_follow(version=version)
    return Promotion.objects.create(
        test=test,
        question=question,
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


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise Refused("Write down why this model is to be in use: who reads the report will ask.")


def _remove_files(version: ModelVersion) -> None:
    shutil.rmtree(Path(settings.MEDIA_ROOT) / version.directory, ignore_errors=True)
    logger.info("The files of %s were cleared away.", version)
