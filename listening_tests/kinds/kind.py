"""What a kind of test has to say of itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from listening_tests.answers import Answer, Given, Hearing
from listening_tests.choices import PairRole, Source
from listening_tests.kinds.leased import LeasedRows
from listening_tests.models import Assignment, Comparison, Pair, Question, Rating, Trial

AnswerRow = Rating | Comparison


@dataclass(frozen=True)
class Submission:
    """An answer with what the server knows of it: the test's questions, and when and how it came."""

    assignment: Assignment
    questions: Sequence[Question]
    answer: Answer
    shown_at: datetime
    submitted_at: datetime
    late: bool
    too_soon: bool
    source: Source = Source.COLLECTED

    @property
    def shared(self) -> dict[str, Any]:
        """The columns that every row has, whatever it answers."""
        return {
            "test_id": self.questions[0].test_id,
            "rater_id": self.assignment.rater_id,
            "assignment": self.assignment,
            "source": self.source,
            "shown_at": self.shown_at,
            "submitted_at": self.submitted_at,
            "late": self.late,
            "too_soon": self.too_soon,
        }


@dataclass(frozen=True)
class Group:
    """Pairs of one caption that are to be judged together."""

    role: PairRole
    pairs: tuple[Pair, ...]


class Kind(Protocol):
    """`leased` is what is given out; `answers` the model whose rows an answer becomes; `name` also that of the
    template (rater/kinds/NAME.html) and the script (rater/kinds/NAME.js) of the page.
    """

    @property
    def name(self) -> str: ...

    @property
    def leased(self) -> LeasedRows: ...

    @property
    def answers(self) -> type[Rating] | type[Comparison]: ...

    def read(self, data: Mapping[str, Any]) -> tuple[Given, tuple[Hearing, ...]]:
        """What was answered and heard, out of a request's body. Raises Malformed."""

    def refuse_unless_valid(self, *, questions: Sequence[Question], given: Given, n_places: int) -> None:
        """Raises Refused where a question is not answered, or with something else than may be answered."""

    def rows(self, submission: Submission) -> list[AnswerRow]:
        """What a valid answer is stored as; always in the same order."""

    def groups(self, pairs: Sequence[Pair]) -> list[Group]:
        """Which of the pairs of one caption make trials; none where pairs are given out one by one."""

    def order(self, trial: Trial, pairs: Sequence[Pair]) -> list[Pair]:
        """The pairs of a trial as the next rater has them before them. Called while the trial's row is held."""
