"""Tables of collection: columns, constraints and rules about one row. What happens to them is in services."""

from listening_tests.models.listening_test import ListeningTest, Question
from listening_tests.models.problems import ProblemReport
from listening_tests.models.questionnaire import CheckQuestion, Questionnaire, SurveyAnswer, SurveyQuestion
from listening_tests.models.raters import Consent, Rater, RaterIdentity, Withdrawal
from listening_tests.models.ratings import Exclusion, Rating
from listening_tests.models.sessions import Assignment, Session
from listening_tests.models.stimuli import Caption, Clip, Pair

__all__ = [
    "Assignment",
    "Caption",
    "CheckQuestion",
    "Clip",
    "Consent",
    "Exclusion",
    "ListeningTest",
    "Pair",
    "ProblemReport",
    "Question",
    "Questionnaire",
    "Rater",
    "RaterIdentity",
    "Rating",
    "Session",
    "SurveyAnswer",
    "SurveyQuestion",
    "Withdrawal",
]
