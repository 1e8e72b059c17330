"""How a scoring comes into the queue. Knows no registry: that asks here for the scores of what it promotes."""

from functools import partial

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from listening_tests.choices import PairRole
from listening_tests.models import ListeningTest, Pair
from listening_tests.roles import Account
from worker.models import ACTIVE_SCORING_STATUSES, ModelVersion, ScoringJob, ScoringKind
from worker.publishing import publish_or_tell
from worker.tasks import score_pairs

NO_BROKER = "The queue cannot be reached just now; the scoring begins by itself when a worker is back."


def scoring_enqueue(*, job: ScoringJob) -> bool:
    """Publishes the task. Returns False where the broker is out of reach: the scoring stays queued and says so."""
    return publish_or_tell(score_pairs, job, NO_BROKER)


def scored_pairs(*, test: ListeningTest) -> QuerySet[Pair]:
    """What a model can score of a test: pairs with a sound, hidden repeats left out, which are others' doubles."""
    return Pair.objects.filter(test=test, clip__sha256__isnull=False).exclude(role=PairRole.REPEAT)


@transaction.atomic
def pairs_scoring_make(*, version: ModelVersion, requested_by: Account | None = None) -> tuple[ScoringJob, bool]:
    """The model's scoring of all pairs of its test that is on its way, and whether it was made by this call.

    Published after the commit.
    """
    run = version.run
    values = {
        "test": run.test,
        "question": run.question,
        "requested_by_id": requested_by.pk if requested_by is not None else None,
    }
    try:
        with transaction.atomic():
            job = ScoringJob.objects.create(version=version, kind=ScoringKind.PAIRS, **values)
    except IntegrityError:
        active = ScoringJob.objects.filter(version=version, kind=ScoringKind.PAIRS, status__in=ACTIVE_SCORING_STATUSES)
        return active.get(), False
    transaction.on_commit(partial(scoring_enqueue, job=job))
    return job, True


def scores_follow(*, version: ModelVersion | None) -> None:
    """What a promotion asks for: the scores of the test's pairs by the model that is in use now."""
    if version is not None and scored_pairs(test=version.run.test).exists():
        pairs_scoring_make(version=version)
