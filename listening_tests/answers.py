"""What a rater's page says of one pair or trial: the answers, and how each clip was heard."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID, uuid5

# Stands for the question of a test that asks only one.
ONLY_QUESTION = ""
# By the names of the questions: the answer for each place, scores or choices.
Given = Mapping[str, tuple[float, ...] | tuple[str, ...]]


@dataclass(frozen=True)
class Hearing:
    """How often a clip was started, and the union of its played seconds."""

    plays: int
    heard_s: float


@dataclass(frozen=True)
class Answer:
    """Everything that is said of one assignment. `heard` holds a Hearing for each clip in its place.

    `elapsed_s` is counted by the browser's stopwatch from showing the clips to submitting, and `waited_s` from there to
    this request, so that a device whose clock is wrong says nothing false.
    """

    client_uuid: UUID
    given: Given
    heard: tuple[Hearing, ...]
    elapsed_s: float
    waited_s: float = 0.0

    @classmethod
    def of_score(
        cls, *, client_uuid: UUID, score: float, plays: int, heard_s: float, elapsed_s: float, waited_s: float = 0.0
    ) -> "Answer":
        """A score for one clip, in a test with one question."""
        return cls(client_uuid, {ONLY_QUESTION: (score,)}, (Hearing(plays, heard_s),), elapsed_s, waited_s)


def row_uuid(client_uuid: UUID, number: int) -> UUID:
    """The client uuid of the row with this number, from 0 on, among those that one answer becomes."""
    return client_uuid if number == 0 else uuid5(client_uuid, str(number))
