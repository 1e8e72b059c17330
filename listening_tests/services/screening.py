"""Screening in the tables of collection: thresholds are saved, raters left out, and taken in again; no answer changes.

Pages and the API call worker.screening.services, which also has the outcomes computed.
"""

import math
from collections.abc import Sequence

from django.db import connection, transaction
from django.utils import timezone

from listening_tests.choices import PutTogether, ScreeningRuleName
from listening_tests.exceptions import Refused
from listening_tests.kinds import kind_of
from listening_tests.models import Comparison, Exclusion, ListeningTest, Rating, Screening, ScreeningRule
from listening_tests.roles import Account
from listening_tests.screening import use_failures, verdict_digest

# Rules whose limit is a share.
SHARES = frozenset(
    {
        ScreeningRuleName.GOLD,
        ScreeningRuleName.TRAP,
        ScreeningRuleName.STRAIGHT_LINING,
        ScreeningRuleName.TOO_FAST,
        ScreeningRuleName.PLAY_EVIDENCE,
    }
)
CHANGED = (
    "Who fails has changed since you looked: answers came in, or somebody changed a rule. Look at the preview again, "
    "then apply it."
)
NOBODY = "Nobody fails a rule that counts for use, so there is nothing to apply."
THRESHOLDS = ("is_enabled", "limit", "at_least", "tolerance", "how", "for_pay", "for_use")
# One row for each answer and each rule that its rater fails. What is excluded by the same rule already stays as it is.
_EXCLUDE = """
INSERT INTO listening_tests_exclusion ({answer}_id, rule, version, reason, screening_id, created_at)
    SELECT answer.id, outcome.rule, outcome.version, %(reason)s, %(screening)s, now()
    FROM listening_tests_ruleoutcome outcome
    JOIN listening_tests_{answer} answer ON answer.rater_id = outcome.rater_id AND answer.test_id = outcome.test_id
    WHERE outcome.test_id = %(test)s AND outcome.for_use AND outcome.outcome = 'failed'
    ON CONFLICT DO NOTHING
"""


@transaction.atomic
def screening_rules_save(*, test: ListeningTest, rules: Sequence[ScreeningRule]) -> None:
    """Stores the rules as they are given, all or none. Raises Refused with every mistake."""
    problems = [problem for rule in rules for problem in rule_problems(rule)]
    if problems:
        raise Refused(" ".join(problems))
    rows = [
        ScreeningRule(test=test, rule=rule.rule, **{name: getattr(rule, name) for name in THRESHOLDS}) for rule in rules
    ]
    ScreeningRule.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["test", "rule"], update_fields=THRESHOLDS
    )


def rule_problems(rule: ScreeningRule) -> list[str]:
    """What is wrong with a rule's thresholds, in sentences."""
    name = ScreeningRuleName(rule.rule)
    found = []
    if not math.isfinite(rule.limit):
        found.append(f"{name.label}: the limit must be a number.")
    elif name in SHARES and not 0 <= rule.limit <= 1:
        found.append(f"{name.label}: the limit is a share of the answers, from 0 to 1; {rule.limit:g} is none.")
    elif name is ScreeningRuleName.AGREEMENT and not -1 <= rule.limit <= 1:
        found.append(f"{name.label}: the limit is a correlation, from -1 to 1; {rule.limit:g} is none.")
    elif rule.limit < 0 and name is not ScreeningRuleName.AGREEMENT:
        found.append(f"{name.label}: the limit must not be below 0.")
    if rule.at_least < 1:
        found.append(f"{name.label}: it must observe at least 1 answer.")
    if not (math.isfinite(rule.tolerance) and rule.tolerance >= 0):
        found.append(f"{name.label}: the tolerance must be a number, and not below 0.")
    if (name is ScreeningRuleName.ANCHORS) != (rule.how in PutTogether.values):
        found.append(f"{name.label}: anchors, and nothing else, are put together as sum, mean or any.")
    return found


@transaction.atomic
def screening_apply(*, test: ListeningTest, user: Account | None, digest: str, rules: str) -> Screening:
    """Leaves out every answer of who fails a rule for use, and takes back the screening that was in force.

    `digest` says what was looked at: the same again finds the screening that is there, and leaves out what has come in
    since. Raises Refused where nobody fails, or others do by now.
    """
    _lock(test)
    if digest != verdict_digest(test=test):
        raise Refused(CHANGED)
    failing = use_failures(test=test).order_by().values("rater_id").distinct()
    if not failing.exists():
        raise Refused(NOBODY)
    screening = _in_force(test)
    if screening is None or screening.digest != digest:
        if screening is not None:
            _take_back(screening, user)
        screening = Screening(test=test, created_by_id=_account_id(user), rules=rules, digest=digest)
    answers: type[Rating] | type[Comparison] = kind_of(test).answers
    screening.n_raters = failing.count()
    screening.n_answers = answers._default_manager.filter(test=test, rater_id__in=failing).count()
    screening.save()
    _exclude(screening, answers._meta.model_name or "")
    return screening


@transaction.atomic
def screening_undo(*, screening: Screening, user: Account | None) -> Screening:
    """Takes in again what it left out, but for what is left out by something else too. Once more changes nothing."""
    _lock(screening.test)
    screening = Screening.objects.select_related("test").get(pk=screening.pk)
    if screening.undone_at is None:
        _take_back(screening, user)
    return screening


def _lock(test: ListeningTest) -> None:
    """One change of a test's screening at a time; raters' answers wait for none of it."""
    ListeningTest.objects.select_for_update(no_key=True).get(pk=test.pk)


def _in_force(test: ListeningTest) -> Screening | None:
    return Screening.objects.filter(test=test, undone_at__isnull=True).first()


def _exclude(screening: Screening, answer: str) -> None:
    values: dict[str, int | str] = {
        "test": screening.test_id,
        "screening": screening.pk,
        "reason": f"Screened: the rater failed the rule that it names, {screening.created_at:%Y-%m-%d}.",
    }
    with connection.cursor() as cursor:
        cursor.execute(_EXCLUDE.format(answer=answer), values)


def _take_back(screening: Screening, user: Account | None) -> None:
    Exclusion.objects.filter(screening=screening).delete()
    screening.undone_at, screening.undone_by_id = timezone.now(), _account_id(user)
    screening.save(update_fields=["undone_at", "undone_by"])


def _account_id(user: Account | None) -> int | None:
    return user.pk if user is not None and user.is_authenticated else None
