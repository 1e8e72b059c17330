"""Tables of collection: columns, constraints and rules about one row. What happens to them is in services."""

from listening_tests.models.clip_imports import ClipImport, ClipImportFinding
from listening_tests.models.listening_test import ListeningTest, Question, ScaleLabel
from listening_tests.models.members import AuditEntry, Member
from listening_tests.models.notices import Notice
from listening_tests.models.pilots import Pilot
from listening_tests.models.problems import ProblemReport
from listening_tests.models.questionnaire import CheckQuestion, Questionnaire, SurveyAnswer, SurveyQuestion
from listening_tests.models.raters import Consent, Rater, RaterIdentity, Withdrawal
from listening_tests.models.ratings import Comparison, Exclusion, Rating
from listening_tests.models.recruitment import Declined, ExcludedId, RecruitedSitting
from listening_tests.models.screening import RuleOutcome, Screening, ScreeningRule
from listening_tests.models.sessions import Assignment, Presentation, Session
from listening_tests.models.stimuli import Caption, Clip, Pair, Trial, TrialPair

__all__ = [
    "Assignment",
    "AuditEntry",
    "Caption",
    "CheckQuestion",
    "Clip",
    "ClipImport",
    "ClipImportFinding",
    "Comparison",
    "Consent",
    "Declined",
    "ExcludedId",
    "Exclusion",
    "ListeningTest",
    "Member",
    "Notice",
    "Pair",
    "Pilot",
    "Presentation",
    "ProblemReport",
    "Question",
    "Questionnaire",
    "Rater",
    "RaterIdentity",
    "Rating",
    "RecruitedSitting",
    "RuleOutcome",
    "ScaleLabel",
    "Screening",
    "ScreeningRule",
    "Session",
    "SurveyAnswer",
    "SurveyQuestion",
    "Trial",
    "TrialPair",
    "Withdrawal",
]
