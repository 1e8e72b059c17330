"""The admin's addresses, what its page of a test sends, and a rating to be seen there."""

import uuid
from datetime import timedelta

from django.urls import reverse
from django.utils import timezone

from listening_tests.models import (
    Assignment,
    Consent,
    Exclusion,
    ListeningTest,
    Pair,
    Rater,
    RaterIdentity,
    Rating,
    Session,
)

FORMSETS = ("check_questions", "survey_questions", "members")


def page(name: str, *args: object) -> str:
    return reverse(f"admin:listening_tests_{name}", args=args)


def make_rating(pair: Pair, score: float = 7) -> Rating:
    now = timezone.now()
    rater = Rater.objects.create()
    RaterIdentity.objects.create(rater=rater, recruiter="prolific", claimed_id=str(rater.uuid))
    consent = Consent.objects.create(rater=rater, test=pair.test, version=1)
    session = Session.objects.create(test=pair.test, rater=rater, consent=consent, planned_count=1)
    assignment = Assignment.objects.create(
        session=session,
        rater=rater,
        pair=pair,
        position=1,
        propensity=1,
        leased_at=now,
        lease_expires_at=now + timedelta(minutes=30),
        rated_at=now,
    )
    question = pair.test.questions.get()
    rating = Rating.objects.create(
        client_uuid=uuid.uuid4(),
        test=pair.test,
        pair=pair,
        rater=rater,
        question=question,
        assignment=assignment,
        score=score,
        scale_min=question.scale_min,
        scale_max=question.scale_max,
        scale_step=question.scale_step,
        plays=1,
        heard_s=1,
        shown_at=now,
        submitted_at=now,
    )
    Exclusion.objects.create(rating=rating, rule="by-hand", reason="A door slammed.")
    return rating


def form_of_test(**changes: object) -> dict[str, object]:
    """What the page of a test sends, with `changes`."""
    return {
        "title": "Barking",
        "slug": "barking",
        "kind": "rating",
        "instructions": "Listen.",
        "contact_email": "lab@example.org",
        "consent_text": "I agree.",
        "consent_version": 1,
        "ratings_per_pair": 4,
        "pairs_per_session": 20,
        "lease_minutes": 30,
        "recruiter": "plain",
        "currency": "GBP",
        "completion_code": "ABC",
        "withdrawn_ratings": "delete",
        "headphone_check": "none",
        "break_after_minutes": 20,
        **{f"{formset}-{count}": 0 for formset in FORMSETS for count in ("TOTAL_FORMS", "INITIAL_FORMS")},
        "questions-TOTAL_FORMS": 1,
        "questions-INITIAL_FORMS": 0,
        "questions-0-prompt": "How well does the caption match the sound?",
        "questions-0-name": "relevance",
        "questions-0-scale_min": 0,
        "questions-0-scale_max": 10,
        "questions-0-scale_step": 1,
        "questions-0-min_label": "does not match at all",
        "questions-0-max_label": "matches perfectly",
    } | changes


def existing(test: ListeningTest, **changes: object) -> dict[str, object]:
    question = test.questions.get()
    initial = {"questions-INITIAL_FORMS": 1, "questions-0-id": question.pk, "questions-0-test": test.pk}
    return form_of_test(**{"slug": test.slug} | initial | changes)
