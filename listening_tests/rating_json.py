"""Ratings and pairs as the rater's page and the server tell them to each other.

Nothing here tells an anchor, a gold pair or a repeat from a study pair.
"""

import json
from typing import Any
from uuid import UUID

from django import forms
from django.urls import reverse

from listening_tests.choices import FINISHED_SESSION_STATUSES, SKIP_KINDS, PairRole, ProblemKind
from listening_tests.models import Assignment, Pair, Session
from listening_tests.selectors import session_progress, session_seconds_left
from listening_tests.services.ratings import Answer
from listening_tests.stages import stage_url

LONGEST_S = 10 * 365 * 24 * 3600
MOST_PLAYS = 100_000
NUMBERS = ("score", "plays", "heard_s", "elapsed_s", "waited_s")


class Malformed(Exception):
    """The body is no rating; the message says why, for the person who wrote the client."""


class RatingForm(forms.Form):
    assignment = forms.UUIDField()
    client_uuid = forms.UUIDField()
    score = forms.FloatField()
    plays = forms.IntegerField(min_value=0, max_value=MOST_PLAYS)
    heard_s = forms.FloatField(min_value=0, max_value=LONGEST_S)
    elapsed_s = forms.FloatField(min_value=0, max_value=LONGEST_S)
    waited_s = forms.FloatField(min_value=0, max_value=LONGEST_S, required=False)


class SkipForm(forms.Form):
    assignment = forms.UUIDField()
    kind = forms.ChoiceField(choices=[(kind.value, kind.label) for kind in sorted(SKIP_KINDS)])
    text = forms.CharField(required=False)


def rating_read(body: bytes) -> tuple[UUID, Answer]:
    """The assignment's uuid and the answer in a request's body. Raises Malformed."""
    data = _json_object(body)
    # A form would read a number out of a text or a truth value; a dash is none to it.
    strays = {name: "-" for name in NUMBERS if data.get(name) is not None and type(data[name]) is not float}
    values = _cleaned(RatingForm(data | strays), "rating")
    values["waited_s"] = values["waited_s"] or 0.0
    return values.pop("assignment"), Answer(**values)


def skip_read(body: bytes) -> dict[str, Any]:
    """What assignment_skip takes, out of a request's body. Raises Malformed."""
    data = _json_object(body)
    values = _cleaned(SkipForm(data | {"text": _storable(data.get("text"))}), "report")
    return {"assignment_uuid": values["assignment"], "kind": ProblemKind(values["kind"]), "text": values["text"]}


def _storable(text: object) -> str:
    """What a browser says of its trouble keeps nobody from skipping: characters that no database takes are replaced."""
    written = text if isinstance(text, str) else ""
    return written.replace("\0", "?").encode("utf-8", "replace").decode("utf-8")


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        # As floats, for an integer may be too large to become one, and that is no fault of ours.
        data = json.loads(body, parse_int=float)
    except (ValueError, RecursionError) as error:
        raise Malformed("The rating is not JSON. Reload the page and rate again.") from error
    return data if isinstance(data, dict) else {}


def _cleaned(form: forms.Form, noun: str) -> dict[str, Any]:
    if not form.is_valid():
        faults = "; ".join(f"{name}: {' '.join(map(str, errors))}" for name, errors in form.errors.items())
        raise Malformed(f"The {noun} could not be read ({faults}). Reload the page and try again.")
    return form.cleaned_data


def sitting_state(session: Session, leases: list[Assignment]) -> dict[str, Any]:
    """How far the sitting is and what comes next.

    `next` is the pair to show and `ahead` those after it; `done` is the address to go to when the sitting has ended.
    All of them are empty while the test is paused.
    """
    progress = session_progress(session=session)
    is_done = session.status in FINISHED_SESSION_STATUSES
    pairs = [] if is_done else [pair_state(session, lease) for lease in leases]
    return {
        "saved": progress.saved,
        "planned": progress.planned,
        "seconds_left": session_seconds_left(session=session),
        "elapsed_s": session.elapsed_s,
        "next": pairs[0] if pairs else None,
        "ahead": pairs[1:],
        "done": stage_url(session) if is_done else None,
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
        "expected": _expected_of_practice(pair),
    }


def _expected_of_practice(pair: Pair) -> list[float] | None:
    """The scores that practice teaches. Of no other pair, for there they are what tells an honest rater."""
    is_known = pair.expected_min is not None and pair.expected_max is not None
    if pair.role != PairRole.PRACTICE or not is_known:
        return None
    return [pair.expected_min, pair.expected_max]  # type: ignore[list-item]
