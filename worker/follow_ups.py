"""A follow-up test on the pairs at which a model is wrong although people agree."""

from uuid import UUID

from listening_tests.choices import AuditedAction
from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest
from listening_tests.roles import Account
from listening_tests.services.audit import audit_note
from listening_tests.services.clones import test_clone
from worker.models import TrainingRun
from worker.run_reports import wrong_pairs

MOST_PAIRS = 500


def follow_up_make(*, run: TrainingRun, n: int, user: Account, uuid: UUID) -> ListeningTest:
    """A draft like the run's test with its `n` worst pairs, anchors and practice pairs; its raters are new ones.

    `uuid` is the new test's, so that a repeat finds it. Raises `Refused` where the model is wrong nowhere.
    """
    known = ListeningTest.objects.filter(uuid=uuid).first()
    if known is not None:
        return known
    pairs = list(wrong_pairs(run=run).values_list("pair_id", flat=True)[: min(n, MOST_PAIRS)])
    if not pairs:
        raise Refused(
            "At no held-out pair of this run does the model’s score lie outside of the margin of people’s mean, so "
            "there is nothing to follow up."
        )
    made = test_clone(
        test=run.test, user=user, uuid=uuid, title=f"Follow-up of {run.test.title}", only=pairs, ending="follow-up"
    )
    # Who rated a pair before would tell nothing new of it.
    made.excluded_tests.add(run.test)
    told = f"As a follow-up of {run.test.slug}: {len(pairs):,} pairs at which the model of run {run.uuid} is wrong."
    audit_note(user=user, test=made, action=AuditedAction.CREATED, detail=told)
    return made
