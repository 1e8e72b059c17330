"""Withdrawal: the one case in which ratings are deleted. Identity goes, a count stays."""

from collections import Counter

from django.db import transaction
from django.db.models import Count, Min, QuerySet
from django.utils import timezone

from listening_tests.choices import FINISHED_SESSION_STATUSES, SessionStatus, WithdrawnRatings
from listening_tests.models import (
    Assignment,
    Exclusion,
    ProblemReport,
    Questionnaire,
    RaterIdentity,
    Rating,
    Session,
    Withdrawal,
)
from listening_tests.services.assignments import loads_reduce
from listening_tests.services.patience import patiently
from listening_tests.services.sessions import session_lock

RULE = "withdrawal"
RULE_VERSION = 1
REASON = "The rater withdrew from the test."
# What becomes of a rater's scores, as the rater reads it.
TREATMENTS = {
    WithdrawnRatings.DELETE: "your scores are deleted",
    WithdrawnRatings.EXCLUDE: (
        "your scores are left out of every analysis, and kept without anything that says who you are"
    ),
}


@patiently
@transaction.atomic
def rater_withdraw(*, session: Session) -> Withdrawal:
    """Takes the rater of `session` out of its test. Who has withdrawn before stays as they are.

    Erases who they are and every word that they wrote, gives their open pairs back, and deletes their ratings, or
    excludes them, as the rater's consent said. The assignments stay: no pair comes to the same rater twice. Work that
    was done stays paid: who had finished keeps the completion code.
    """
    session = session_lock(session_id=session.pk)
    known = Withdrawal.objects.filter(test_id=session.test_id, rater_id=session.rater_id).first()
    if known is not None:
        return known
    RaterIdentity.objects.filter(rater_id=session.rater_id).delete()
    _erase_words(session)
    ratings = Rating.objects.filter(test_id=session.test_id, rater_id=session.rater_id)
    withdrawal = _record(session, ratings)
    places = _release(session)
    if withdrawal.treatment == WithdrawnRatings.DELETE:
        places += Counter(ratings.filter(assignment__isnull=False).values_list("pair_id", flat=True))
        ratings.delete()
    else:
        _exclude(ratings)
    # All of them at once, for pairs are always locked in the order of their keys.
    loads_reduce(n_by_pair=places)
    _end(session)
    return withdrawal


def _erase_words(session: Session) -> None:
    """Of reports what was wrong stays; words of the rater's own may say who they are."""
    Questionnaire.objects.filter(session=session).delete()
    ProblemReport.objects.filter(session=session).update(text="", browser="")


def _record(session: Session, ratings: QuerySet[Rating]) -> Withdrawal:
    facts = ratings.aggregate(n=Count("pk"), first=Min("submitted_at"))
    return Withdrawal.objects.create(
        test_id=session.test_id,
        rater_id=session.rater_id,
        treatment=session.consent.withdrawn_ratings,
        n_ratings=facts["n"],
        first_rated_at=facts["first"],
    )


def _release(session: Session) -> Counter[int]:
    """Ends the open leases; how many places each pair gets back."""
    unrated = session.assignments.filter(rated_at__isnull=True, released_at__isnull=True)
    leases = list(unrated.order_by("pk").select_for_update(no_key=True))
    Assignment.objects.filter(pk__in=[lease.pk for lease in leases]).update(released_at=timezone.now())
    return Counter(lease.pair_id for lease in leases)


def _exclude(ratings: QuerySet[Rating]) -> None:
    Exclusion.objects.bulk_create(
        [Exclusion(rating=rating, rule=RULE, version=RULE_VERSION, reason=REASON) for rating in ratings]
    )


def _end(session: Session) -> None:
    now = timezone.now()
    if session.status in FINISHED_SESSION_STATUSES:
        # The code is shown from then on.
        session.questionnaire_at = session.questionnaire_at or now
    session.finished_at = session.finished_at or now
    session.status = SessionStatus.WITHDRAWN
    session.save(update_fields=["status", "finished_at", "questionnaire_at"])
