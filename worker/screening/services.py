"""What researchers do with a test's screening: pages and the API call these, and note them in the audit log."""

from django.db import transaction
from django.utils import timezone

from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest, Screening, ScreeningRule
from listening_tests.roles import Account
from listening_tests.services import screening as collection
from worker.models import ScreeningState
from worker.publishing import publish
from worker.screening.rules import rules_text
from worker.tasks import compute_screening

NO_BROKER = "The queue cannot be reached just now; the outcomes are computed by themselves when it is back."
NOT_COMPUTED = (
    "The raters of “{title}” have not been looked at yet. Have that done, look at the preview, then apply it."
)
PENDING = "The outcomes of “{title}” are being computed. Wait a moment, look at the preview, then apply it."


def screening_ask(*, test: ListeningTest) -> ScreeningState:
    """Has the outcomes computed anew by the queue, after the commit. Asked twice, they are computed once or twice."""
    state = screening_mark(test=test)
    transaction.on_commit(lambda: _publish(state))
    return state


def screening_mark(*, test: ListeningTest) -> ScreeningState:
    """Says that the outcomes are to be computed, without telling the queue."""
    values = {"asked_at": timezone.now(), "message": ""}
    return ScreeningState.objects.update_or_create(test=test, defaults=values)[0]


@transaction.atomic
def screening_rules_save(*, test: ListeningTest, rules: list[ScreeningRule]) -> None:
    """Stores thresholds and has the outcomes computed anew. Raises Refused with every mistake; nothing changes then."""
    collection.screening_rules_save(test=test, rules=rules)
    screening_ask(test=test)


@transaction.atomic
def screening_apply(*, test: ListeningTest, user: Account | None, digest: str) -> Screening:
    """Leaves out who fails for use, as the preview with this `digest` showed it, as the service of collection says.

    Raises Refused where nobody fails, something waits to be computed, or the preview is not that of now.
    """
    state = ScreeningState.objects.filter(test=test).first()
    if state is None or state.computed_at is None:
        raise Refused(NOT_COMPUTED.format(title=test.title))
    if state.asked_at is not None:
        in_force = Screening.objects.filter(test=test, undone_at__isnull=True, digest=digest).first()
        if in_force is not None:
            # Pressed twice: what the first press asked to be computed is not there yet.
            return in_force
        raise Refused(PENDING.format(title=test.title))
    screening = collection.screening_apply(test=test, user=user, digest=digest, rules=rules_text(test=test))
    screening_ask(test=test)
    return screening


@transaction.atomic
def screening_undo(*, screening: Screening, user: Account | None) -> tuple[Screening, bool]:
    """Takes a screening back. Whether this call did: once more changes nothing."""
    was_in_force = screening.undone_at is None
    screening = collection.screening_undo(screening=screening, user=user)
    if was_in_force:
        screening_ask(test=screening.test)
    return screening, was_in_force


def _publish(state: ScreeningState) -> None:
    """Where the broker is out of reach, the look that beat takes every quarter of an hour finds what was asked."""
    if not publish(compute_screening, state.test):
        ScreeningState.objects.filter(pk=state.pk, asked_at__isnull=False).update(message=NO_BROKER)
