"""The rules of a test: stored thresholds where somebody set them, defaults everywhere else."""

from listening_tests.choices import ScreeningRuleName
from listening_tests.models import ListeningTest, ScreeningRule
from listening_tests.screening_words import fails_where
from modeling.screening.answers import Limits
from modeling.screening.rules import RULES


def rules_of(*, test: ListeningTest) -> list[ScreeningRule]:
    """Every rule there is, in one order; those at their defaults are not stored. One query."""
    stored = {rule.rule: rule for rule in ScreeningRule.objects.filter(test=test)}
    return [stored.get(name) or default_rule(test=test, name=name) for name in ScreeningRuleName.values]


def default_rule(*, test: ListeningTest, name: str) -> ScreeningRule:
    rule = RULES[name]
    return ScreeningRule(
        test=test,
        rule=name,
        limit=rule.default.limit,
        at_least=rule.default.at_least,
        tolerance=rule.default.tolerance,
        how=rule.default.how,
        for_pay=rule.for_pay,
        for_use=rule.for_use,
    )


def limits_of(rule: ScreeningRule) -> Limits:
    return Limits(limit=rule.limit, at_least=rule.at_least, tolerance=rule.tolerance, how=rule.how)


def rules_text(*, test: ListeningTest) -> str:
    """The rules that count for use, one a line, as they stand."""
    rules = [rule for rule in rules_of(test=test) if rule.is_enabled and rule.for_use]
    return "\n".join(
        f"{rule.get_rule_display()} (version {RULES[rule.rule].version}): {fails_where(rule)}; "
        f"on {rule.at_least} or more."
        for rule in rules
    )
