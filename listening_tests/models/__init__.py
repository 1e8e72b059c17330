"""Tables of collection: columns, constraints and rules about one row. What happens to them is in services."""

from listening_tests.models.listening_test import ListeningTest, Question
from listening_tests.models.raters import Consent, Rater, RaterIdentity
from listening_tests.models.ratings import Exclusion, Rating
from listening_tests.models.sessions import Assignment, Session
from listening_tests.models.stimuli import Caption, Clip, Pair

__all__ = [
    "Assignment",
    "Caption",
    "Clip",
    "Consent",
    "Exclusion",
    "ListeningTest",
    "Pair",
    "Question",
    "Rater",
    "RaterIdentity",
    "Rating",
    "Session",
]
