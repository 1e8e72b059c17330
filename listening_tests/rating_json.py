"""Ratings and pairs as the rater's page and the server tell them to each other.

Nothing here tells an anchor, a gold pair or a repeat from a study pair.
"""

import json
from typing import Any
from uuid import UUID

from django import forms
from django.urls import reverse

from listening_tests.choices import FINISHED_SESSION_STATUSES, PairRole
from listening_tests.models import Assignment, Session
from listening_tests.selectors import session_progress
from listening_tests.services.ratings import Answer

LONGEST_S = 10 * 365 * 24 * 3600
MOST_PLAYS = 100_000
NUMBERS = ("score", "plays", "heard_s", "elapsed_s")


class Malformed(Exception):
    """The body is no rating; the message says why, for the person who wrote the client."""


class RatingForm(forms.Form):
    assignment = forms.UUIDField()
    client_uuid = forms.UUIDField()
    score = forms.FloatField()
    plays = forms.IntegerField(min_value=0, max_value=MOST_PLAYS)
    heard_s = forms.FloatField(min_value=0, max_value=LONGEST_S)
    elapsed_s = forms.FloatField(min_value=0, max_value=LONGEST_S)


def rating_read(body: bytes) -> tuple[UUID, Answer]:
    """The assignment's uuid and the answer in a request's body. Raises Malformed."""
    try:
        # As floats, for an integer may be too large to become one, and that is no fault of ours.
        data = json.loads(body, parse_int=float)
    except (ValueError, RecursionError) as error:
        raise Malformed("The rating is not JSON. Reload the page and rate again.") from error
    data = data if isinstance(data, dict) else {}
    # A form would read a number out of a text or a truth value; a dash is none to it.
    strays = {name: "-" for name in NUMBERS if data.get(name) is not None and type(data[name]) is not float}
    form = RatingForm(data | strays)
    if not form.is_valid():
        faults = "; ".join(f"{name}: {' '.join(map(str, errors))}" for name, errors in form.errors.items())
        raise Malformed(f"The rating could not be read ({faults}). Reload the page and rate again.")
    values = form.cleaned_data
    return values.pop("assignment"), Answer(**values)


def sitting_state(session: Session, assignment: Assignment | None) -> dict[str, Any]:
    """How far the sitting is and what comes next; both `next` and `done` are null while the test is paused."""
    progress = session_progress(session=session)
    is_done = session.status in FINISHED_SESSION_STATUSES
    return {
        "saved": progress.saved,
        "planned": progress.planned,
        "next": None if assignment is None or is_done else pair_state(session, assignment),
        "done": reverse("listening_tests:done", args=[session.test.slug]) if is_done else None,
    }


def pair_state(session: Session, assignment: Assignment) -> dict[str, Any]:
    pair = assignment.pair
    return {
        "assignment": str(assignment.uuid),
        "position": assignment.position,
        "practice": pair.role == PairRole.PRACTICE,
        "caption": pair.caption.text,
        "language": pair.caption.language,
        "audio": reverse("listening_tests:audio", args=[session.test.slug, assignment.uuid]),
        "duration_s": pair.clip.duration_s or 0,
    }
