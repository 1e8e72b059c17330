"""Several systems' clips for one caption, scored side by side, with a mismatched anchor hidden among them.

After the idea of MUSHRA (ITU-R BS.1534), without its open reference: a caption is what the clips are held against.
"""

import random
from collections.abc import Mapping, Sequence
from typing import Any

from listening_tests.answers import Given, Hearing
from listening_tests.choices import PairRole
from listening_tests.kinds.kind import AnswerRow, Group, Submission
from listening_tests.kinds.leased import TRIALS
from listening_tests.kinds.scores import by_question, hearings, number, rating_rows, refuse_unless_scores
from listening_tests.models import Pair, Question, Rating, Trial
from listening_tests.request_json import malformed


class SideBySideKind:
    """The body of an answer has `heard`, a `{plays, heard_s}` for each place, and `scores`: for each question's name a
    list of numbers, one for each place.
    """

    name = "side_by_side"
    leased = TRIALS
    answers = Rating

    def read(self, data: Mapping[str, Any]) -> tuple[Given, tuple[Hearing, ...]]:
        heard = hearings(data)
        return {name: self._scores(name, listed) for name, listed in by_question(data, "scores").items()}, heard

    def refuse_unless_valid(self, *, questions: Sequence[Question], given: Given, n_places: int) -> None:
        refuse_unless_scores(questions=questions, given=given, n_places=n_places)

    def rows(self, submission: Submission) -> list[AnswerRow]:
        return rating_rows(submission, in_places=True)

    def groups(self, pairs: Sequence[Pair]) -> list[Group]:
        practice = tuple(pair for pair in pairs if pair.role == PairRole.PRACTICE)
        rated = tuple(pair for pair in pairs if pair.role != PairRole.PRACTICE)
        found = []
        if sum(pair.role == PairRole.STUDY for pair in rated):
            found.append(Group(PairRole.STUDY, rated))
        if len(practice) > 1:
            found.append(Group(PairRole.PRACTICE, practice))
        return found

    def order(self, trial: Trial, pairs: Sequence[Pair]) -> list[Pair]:
        """At random, anew for every rater."""
        return random.sample(list(pairs), len(pairs))

    def _scores(self, name: str, listed: object) -> tuple[float, ...]:
        if not isinstance(listed, list):
            raise malformed("rating", {name: "Enter a list of numbers."})
        return tuple(number(name, score) for score in listed)
