"""Answers and what is to be rated as the rater's page and the server tell them to each other.

Nothing here tells an anchor, a gold pair or a repeat from a study pair.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol
from uuid import UUID

from django import forms
from django.urls import reverse

from listening_tests.answers import Answer
from listening_tests.choices import FINISHED_SESSION_STATUSES, SKIP_KINDS, PairRole, ProblemKind
from listening_tests.kinds import kind_of
from listening_tests.models import Assignment, Caption, ListeningTest, Pair, Session, Trial
from listening_tests.request_json import LONGEST_S, Malformed, cleaned, json_object, strays
from listening_tests.selectors import session_progress, session_seconds_left
from listening_tests.stages import stage_url

__all__ = ["Malformed", "answer_read", "lease_state", "sitting_state", "skip_read"]


# As many as a database takes for one; what no trial has is passed over.
MOST_PLACES = 32_767


class AnswerForm(forms.Form):
    assignment = forms.UUIDField()
    client_uuid = forms.UUIDField()
    elapsed_s = forms.FloatField(min_value=0, max_value=LONGEST_S)
    waited_s = forms.FloatField(min_value=0, max_value=LONGEST_S, required=False)


class SkipForm(forms.Form):
    assignment = forms.UUIDField()
    kind = forms.ChoiceField(choices=[(kind.value, kind.label) for kind in sorted(SKIP_KINDS)])
    text = forms.CharField(required=False)
    place = forms.IntegerField(required=False, min_value=1, max_value=MOST_PLACES)


def answer_read(test: ListeningTest, body: bytes) -> tuple[UUID, Answer]:
    """The assignment's uuid and the answer in a request's body. Raises Malformed."""
    data = json_object(body)
    values = cleaned(AnswerForm({**data, **strays(data, ("elapsed_s", "waited_s"))}), "rating")
    given, heard = kind_of(test).read(data)
    answer = Answer(values["client_uuid"], given, heard, values["elapsed_s"], values["waited_s"] or 0.0)
    return values["assignment"], answer


def skip_read(body: bytes) -> dict[str, Any]:
    """What assignment_skip takes, out of a request's body. Raises Malformed."""
    data = json_object(body)
    values = cleaned(SkipForm({**data, **strays(data, ("place",)), "text": _storable(data.get("text"))}), "report")
    return {
        "assignment_uuid": values["assignment"],
        "kind": ProblemKind(values["kind"]),
        "text": values["text"],
        "place": values["place"],
    }


def _storable(text: object) -> str:
    """What a browser says of its trouble keeps nobody from skipping: characters that no database takes are replaced."""
    written = text if isinstance(text, str) else ""
    return written.replace("\0", "?").encode("utf-8", "replace").decode("utf-8")


class GivenOut(Protocol):
    """An assignment, or what stands for one in a preview."""

    @property
    def uuid(self) -> UUID: ...

    @property
    def position(self) -> int: ...

    @property
    def leased(self) -> Pair | Trial: ...

    @property
    def pairs(self) -> list[Pair]: ...

    @property
    def caption(self) -> Caption: ...


# The address of the clip at a place, from 1 on, of what was given out in a session.
AudioUrl = Callable[[Session, Any, int], str]


def audio_url(session: Session, assignment: Assignment, place: int) -> str:
    """Names the assignment and a place in it, never the clip."""
    address = [session.test.slug, assignment.uuid]
    if assignment.trial_id is None:
        return reverse("listening_tests:audio", args=address)
    return reverse("listening_tests:audio_at_place", args=[*address, place])


def sitting_state(session: Session, leases: Sequence[GivenOut], *, audio_url: AudioUrl = audio_url) -> dict[str, Any]:
    """How far the sitting is and what comes next.

    `next` is what to show and `ahead` what comes after it; `done` is the address to go to when the sitting has ended.
    All of them are empty while the test is paused.
    """
    progress = session_progress(session=session)
    is_done = session.status in FINISHED_SESSION_STATUSES
    states = [] if is_done else [lease_state(session, lease, audio_url=audio_url) for lease in leases]
    return {
        "saved": progress.saved,
        "planned": progress.planned,
        "seconds_left": session_seconds_left(session=session),
        "elapsed_s": session.elapsed_s,
        "next": states[0] if states else None,
        "ahead": states[1:],
        "done": stage_url(session) if is_done else None,
    }


def lease_state(session: Session, assignment: GivenOut, *, audio_url: AudioUrl = audio_url) -> dict[str, Any]:
    """What the page shows of an assignment: one clip, or under `clips` those of a trial in their places."""
    caption = assignment.caption
    clips = [
        {"audio": audio_url(session, assignment, place), "duration_s": pair.clip.duration_s or 0}
        for place, pair in enumerate(assignment.pairs, start=1)
    ]
    state = {
        "assignment": str(assignment.uuid),
        "position": assignment.position,
        "practice": assignment.leased.role == PairRole.PRACTICE,
        "caption": caption.text,
        "language": caption.language,
    }
    if isinstance(assignment.leased, Trial):
        return state | {"clips": clips}
    return state | clips[0] | {"expected": _expected_of_practice(assignment.leased)}


def _expected_of_practice(pair: Pair) -> list[float] | None:
    """The scores that practice teaches. Of no other pair, for there they are what tells an honest rater."""
    is_known = pair.expected_min is not None and pair.expected_max is not None
    if pair.role != PairRole.PRACTICE or not is_known:
        return None
    return [pair.expected_min, pair.expected_max]  # type: ignore[list-item]
