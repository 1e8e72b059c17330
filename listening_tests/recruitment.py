"""Whether a newcomer may begin: the raters that a test has room for, and those that it does not take.

Reads only; `services/recruitment.py` asks here again while it holds the test's row.
"""

from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from listening_tests.choices import FINISHED_SESSION_STATUSES, SessionStatus
from listening_tests.models import Assignment, ExcludedId, ListeningTest, Session
from listening_tests.recruiters import Claim

FULL = _(
    "As many people as this study needs have taken part. Thank you for your interest. If you were invited through a "
    "recruiting site, please return the study there: that is not held against you."
)
EXCLUDED = _(
    "This study is not for people who took part in a certain other study, and you seem to be one of them. Thank you "
    "for your interest. If you were invited through a recruiting site, please return the study there: that is not held "
    "against you."
)


def places_taken(*, test: ListeningTest) -> QuerySet[Session]:
    """The sittings that count among the raters that a test takes: finished, or still at work.

    At work is whose time for a pair is not over, be it rated or not: between two pairs nobody loses their place. Who
    was away for longer has left it, until they come back; who was ended by a check or withdrew takes none.
    """
    in_time = Assignment.objects.filter(session=OuterRef("pk"), lease_expires_at__gt=timezone.now())
    is_finished = Q(status__in=FINISHED_SESSION_STATUSES)
    return Session.objects.filter(is_finished | Q(status=SessionStatus.ACTIVE) & Exists(in_time), test=test)


def full_sentence(*, test: ListeningTest) -> str | None:
    """Why there is no place for another rater; None where there is one."""
    if test.max_raters is None:
        return None
    statuses = list(places_taken(test=test).values_list("status", flat=True))
    if len(statuses) < test.max_raters:
        return None
    if sum(status in FINISHED_SESSION_STATUSES for status in statuses) >= test.max_raters:
        return str(FULL)
    return _in_other_hands(test.lease_minutes)


def _in_other_hands(minutes: int) -> str:
    sentence = ngettext(
        "Other people have the last places of this study now. A place that somebody leaves comes free within "
        "%(minutes)s minute: you may look again then.",
        "Other people have the last places of this study now. A place that somebody leaves comes free within "
        "%(minutes)s minutes: you may look again then.",
        minutes,
    )
    return sentence % {"minutes": minutes}


def excluded_sentence(*, test: ListeningTest, rater_uuid: UUID | None, claim: Claim) -> str | None:
    """Why this rater, known by their browser or by what a link claims, may not take part; None where they may."""
    is_listed = bool(claim.claimed_id) and ExcludedId.objects.filter(test=test, claimed_id=claim.claimed_id).exists()
    return str(EXCLUDED) if is_listed or _took_part_elsewhere(test, rater_uuid, claim) else None


def _took_part_elsewhere(test: ListeningTest, rater_uuid: UUID | None, claim: Claim) -> bool:
    is_theirs = Q()
    if rater_uuid is not None:
        is_theirs |= Q(rater__uuid=rater_uuid)
    if claim.claimed_id:
        is_theirs |= Q(rater__identity__recruiter=claim.recruiter, rater__identity__claimed_id=claim.claimed_id)
    if not is_theirs:
        return False
    return Session.objects.filter(is_theirs, test__in=test.excluded_tests.all()).exists()
