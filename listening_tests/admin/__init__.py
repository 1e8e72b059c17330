"""The researcher's side: tests are made, opened and closed here; what raters did can be seen, and is never edited.

Views are thin: every change is a service's.
"""

from listening_tests.admin.accounts import GroupAdmin, UserAdmin
from listening_tests.admin.members import AuditEntryAdmin
from listening_tests.admin.problems import ProblemReportAdmin
from listening_tests.admin.questionnaires import QuestionnaireAdmin
from listening_tests.admin.raters import ConsentAdmin, RaterAdmin, RaterIdentityAdmin, WithdrawalAdmin
from listening_tests.admin.ratings import ComparisonAdmin, ExclusionAdmin, RatingAdmin
from listening_tests.admin.sessions import SessionAdmin
from listening_tests.admin.stimuli import CaptionAdmin, ClipAdmin, PairAdmin, TrialAdmin
from listening_tests.admin.tests import ListeningTestAdmin

__all__ = [
    "AuditEntryAdmin",
    "CaptionAdmin",
    "ClipAdmin",
    "ComparisonAdmin",
    "ConsentAdmin",
    "ExclusionAdmin",
    "GroupAdmin",
    "ListeningTestAdmin",
    "PairAdmin",
    "ProblemReportAdmin",
    "QuestionnaireAdmin",
    "RaterAdmin",
    "RaterIdentityAdmin",
    "RatingAdmin",
    "SessionAdmin",
    "TrialAdmin",
    "UserAdmin",
    "WithdrawalAdmin",
]
