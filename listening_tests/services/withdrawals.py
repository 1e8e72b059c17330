"""Withdrawal: the one case in which ratings are deleted. Identity goes, a count stays."""

from django.db import transaction
from django.db.models import Count, Min, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from listening_tests.choices import FINISHED_SESSION_STATUSES, SessionStatus, WithdrawnRatings
from listening_tests.models import (
    Assignment,
    Comparison,
    Exclusion,
    ProblemReport,
    Questionnaire,
    RaterIdentity,
    Rating,
    RuleOutcome,
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
    WithdrawnRatings.DELETE: _("Your scores are deleted."),
    WithdrawnRatings.EXCLUDE: _(
        "Your scores are left out of every analysis, and kept without anything that says who you are."
    ),
}
# The same, told when it is done.
OUTCOMES = {
    WithdrawnRatings.DELETE: _("Your scores are deleted. Nothing of yours says who you are any more."),
    WithdrawnRatings.EXCLUDE: _(
        "Your scores are left out of every analysis, and kept without anything that says who you are. Nothing of yours "
        "says who you are any more."
    ),
}
# The same, told before consent.
PROMISES = {
    WithdrawnRatings.DELETE: _(
        "If you withdraw, which you can do on every page of this test, your scores are deleted. Your IP address is "
        "never kept."
    ),
    WithdrawnRatings.EXCLUDE: _(
        "If you withdraw, which you can do on every page of this test, your scores are left out of every analysis, and "
        "kept without anything that says who you are. Your IP address is never kept."
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
    # And with it what the recruiter's links said of the rater's sittings.
    RaterIdentity.objects.filter(rater_id=session.rater_id).delete()
    RuleOutcome.objects.filter(test_id=session.test_id, rater_id=session.rater_id).delete()
    _erase_words(session)
    ratings = Rating.objects.filter(test_id=session.test_id, rater_id=session.rater_id)
    comparisons = Comparison.objects.filter(test_id=session.test_id, rater_id=session.rater_id)
    withdrawal = _record(session, ratings, comparisons)
    given_back = _release(session)
    if withdrawal.treatment == WithdrawnRatings.DELETE:
        given_back += session.assignments.filter(rated_at__isnull=False)
        ratings.delete()
        comparisons.delete()
    else:
        _exclude(ratings, comparisons)
    # All of them at once, for pairs and trials are always locked in the order of their keys.
    loads_reduce(leases=given_back)
    _end(session)
    return withdrawal


def _erase_words(session: Session) -> None:
    """Of reports what was wrong stays; words of the rater's own may say who they are."""
    Questionnaire.objects.filter(session=session).delete()
    ProblemReport.objects.filter(session=session).update(text="", browser="")


def _record(session: Session, ratings: QuerySet[Rating], comparisons: QuerySet[Comparison]) -> Withdrawal:
    facts = [rows.aggregate(n=Count("pk"), first=Min("submitted_at")) for rows in (ratings, comparisons)]
    return Withdrawal.objects.create(
        test_id=session.test_id,
        rater_id=session.rater_id,
        treatment=session.consent.withdrawn_ratings,
        n_ratings=sum(fact["n"] for fact in facts),
        first_rated_at=min((fact["first"] for fact in facts if fact["first"]), default=None),
    )


def _release(session: Session) -> list[Assignment]:
    """Ends the open leases, whose places are to be given back."""
    unrated = session.assignments.filter(rated_at__isnull=True, released_at__isnull=True)
    leases = list(unrated.order_by("pk").select_for_update(no_key=True))
    Assignment.objects.filter(pk__in=[lease.pk for lease in leases]).update(released_at=timezone.now())
    return leases


def _exclude(ratings: QuerySet[Rating], comparisons: QuerySet[Comparison]) -> None:
    told = {"rule": RULE, "version": RULE_VERSION, "reason": REASON}
    Exclusion.objects.bulk_create(
        [
            *(Exclusion(rating=rating, **told) for rating in ratings),
            *(Exclusion(comparison=comparison, **told) for comparison in comparisons),
        ]
    )


def _end(session: Session) -> None:
    now = timezone.now()
    if session.status in FINISHED_SESSION_STATUSES:
        # The code is shown from then on.
        session.questionnaire_at = session.questionnaire_at or now
    session.finished_at = session.finished_at or now
    session.status = SessionStatus.WITHDRAWN
    session.save(update_fields=["status", "finished_at", "questionnaire_at"])
