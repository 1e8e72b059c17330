"""Paired comparisons of two clips for one caption: the first, the second, or no difference."""

import itertools
import random
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Count, Q
from django.utils.translation import gettext as _

from listening_tests.answers import Given, Hearing, row_uuid
from listening_tests.choices import Choice, PairRole
from listening_tests.exceptions import Refused
from listening_tests.kinds.kind import AnswerRow, Group, Submission
from listening_tests.kinds.leased import TRIALS
from listening_tests.kinds.scores import answered, by_question, hearings
from listening_tests.models import Comparison, Pair, Presentation, Question, Trial
from listening_tests.request_json import malformed

# What a comparison of two pairs is for, by their roles; others are not compared with each other.
_ROLES = {
    (PairRole.STUDY, PairRole.STUDY): PairRole.STUDY,
    (PairRole.ANCHOR, PairRole.STUDY): PairRole.ANCHOR,
    (PairRole.GOLD, PairRole.GOLD): PairRole.GOLD,
    (PairRole.GOLD, PairRole.STUDY): PairRole.GOLD,
    (PairRole.PRACTICE, PairRole.PRACTICE): PairRole.PRACTICE,
}


class ComparisonKind:
    """The body of an answer has `heard`, a `{plays, heard_s}` for each of the two places, and `choices`: "first",
    "second" or "none" for each question's name.
    """

    name = "comparison"
    leased = TRIALS
    answers = Comparison

    def read(self, data: Mapping[str, Any]) -> tuple[Given, tuple[Hearing, ...]]:
        heard = hearings(data)
        return {name: (self._choice(name, value),) for name, value in by_question(data, "choices").items()}, heard

    def refuse_unless_valid(self, *, questions: Sequence[Question], given: Given, n_places: int) -> None:
        for _question, choices in answered(questions, given):
            if choices[0] not in Choice.values:
                raise Refused(
                    _('The answer "%(answer)s" is none of the three: A, B, or no difference.') % {"answer": choices[0]}
                )

    def rows(self, submission: Submission) -> list[AnswerRow]:
        first, second = submission.assignment.pairs
        heard_first, heard_second = submission.answer.heard
        return [
            Comparison(
                client_uuid=row_uuid(submission.answer.client_uuid, number),
                trial=submission.assignment.trial,
                question=question,
                first=first,
                second=second,
                choice=choice,
                first_plays=heard_first.plays,
                first_heard_s=min(heard_first.heard_s, first.clip.duration_s or 0),
                second_plays=heard_second.plays,
                second_heard_s=min(heard_second.heard_s, second.clip.duration_s or 0),
                **submission.shared,
            )
            for number, (question, (choice,)) in enumerate(answered(submission.questions, submission.answer.given))
        ]

    def groups(self, pairs: Sequence[Pair]) -> list[Group]:
        """Every two pairs that may be compared with each other."""
        found = []
        for one, other in itertools.combinations(pairs, 2):
            roles = sorted((PairRole(one.role), PairRole(other.role)))
            role = _ROLES.get((roles[0], roles[1]))
            if role is not None:
                found.append(Group(role, (one, other)))
        return found

    def order(self, trial: Trial, pairs: Sequence[Pair]) -> list[Pair]:
        """The one that came first less often so far comes first; at random where both did as often. What was skipped
        or left tells nothing, and does not count.
        """
        counted = Q(assignment__rated_at__isnull=False) | Q(assignment__released_at__isnull=True)
        came_first = Presentation.objects.filter(counted, assignment__trial=trial, place=1)
        counts = dict(came_first.order_by().values_list("pair").annotate(n=Count("pk")))
        shuffled = random.sample(list(pairs), len(pairs))
        return sorted(shuffled, key=lambda pair: counts.get(pair.pk, 0))

    def _choice(self, name: str, value: object) -> str:
        if not isinstance(value, str):
            raise malformed("rating", {name: "Enter first, second or none."})
        return value
