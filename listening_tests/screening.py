"""What the stored outcomes of screening say: of whom, for pay, and as pages of a table."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery

from listening_tests.choices import CheckOutcome, ScreeningRuleName
from listening_tests.models import ListeningTest, Rater, RuleOutcome
from listening_tests.screening_words import found_words


@dataclass(frozen=True)
class OutcomeCounts:
    """How many raters a rule passed, failed, and could not check."""

    passed: int = 0
    failed: int = 0
    unchecked: int = 0

    @property
    def total(self) -> int:
        return self.passed + self.failed + self.unchecked


def outcomes_of(*, test: ListeningTest, raters: Iterable[int] | None = None) -> dict[int, dict[str, str]]:
    """By the keys of raters, their outcome by each rule: passed, failed or unchecked. One query.

    A rater or a rule that is missing is unchecked too: a rule that could check nobody is not stored.
    """
    found: dict[int, dict[str, str]] = defaultdict(dict)
    rows = _outcomes(test, raters).values_list("rater_id", "rule", "outcome")
    for rater, rule, outcome in rows.iterator(chunk_size=20_000):
        found[rater][rule] = outcome
    return dict(found)


def pay_failures(*, test: ListeningTest) -> dict[int, str]:
    """By the keys of raters, a sentence on each who failed a rule that counts for pay. Who could not be checked is not
    among them.
    """
    told: dict[int, list[str]] = defaultdict(list)
    failed = RuleOutcome.objects.filter(test=test, for_pay=True, outcome=CheckOutcome.FAILED).order_by("id")
    for rater, rule, value, n in failed.values_list("rater_id", "rule", "value", "n"):
        told[rater].append(found_words(rule, value, n))
    return {rater: "; ".join(words)[:1].upper() + "; ".join(words)[1:] + "." for rater, words in told.items()}


def use_failures(*, test: ListeningTest) -> QuerySet[RuleOutcome]:
    """What an applied screening would leave raters out for."""
    return RuleOutcome.objects.filter(test=test, for_use=True, outcome=CheckOutcome.FAILED)


def verdict_digest(*, test: ListeningTest) -> str:
    """Of who fails by what for use: the same as long as an applied screening would be the same."""
    digest = hashlib.sha256()
    failed = use_failures(test=test).order_by("rule", "rater_id")
    for row in failed.values_list("rule", "version", "limit", "rater_id").iterator(chunk_size=20_000):
        digest.update(repr(row).encode())
    return digest.hexdigest()


def counts_by_rule(*, test: ListeningTest) -> dict[str, OutcomeCounts]:
    """Of the rules that could check somebody. One query."""
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    rows = RuleOutcome.objects.filter(test=test).order_by().values_list("rule", "outcome").annotate(n=Count("pk"))
    for rule, outcome, n in rows:
        counts[rule][outcome] = n
    return {rule: OutcomeCounts(**found) for rule, found in counts.items()}


def screened_raters(*, test: ListeningTest, only: str = "", sort: str = "", descending: bool = True) -> QuerySet[Rater]:
    """Raters with outcomes, each with `n_failed`, `fails_use` and `fails_pay`: numbers of rules.

    `only`: "use" or "pay" keeps those who fail for it. `sort`: the name of a rule sorts by what it found, nothing by
    how many rules were failed.
    """
    failed = Q(rule_outcomes__outcome=CheckOutcome.FAILED)
    raters = Rater.objects.filter(rule_outcomes__test=test).annotate(
        n_failed=Count("rule_outcomes", filter=failed),
        fails_use=Count("rule_outcomes", filter=failed & Q(rule_outcomes__for_use=True)),
        fails_pay=Count("rule_outcomes", filter=failed & Q(rule_outcomes__for_pay=True)),
    )
    if only:
        raters = raters.filter(**{f"fails_{only}__gt": 0})
    by = F("n_failed")
    if sort in ScreeningRuleName.values:
        of_rule = RuleOutcome.objects.filter(test=test, rule=sort, rater=OuterRef("pk"))
        raters = raters.annotate(sorted_by=Subquery(of_rule.values("value")[:1]))
        by = F("sorted_by")
    return raters.order_by(by.desc(nulls_last=True) if descending else by.asc(nulls_last=True), "pk")


def outcome_rows(*, test: ListeningTest, raters: Iterable[int]) -> dict[int, dict[str, RuleOutcome]]:
    """The whole outcomes of some raters, for a page of a table."""
    found: dict[int, dict[str, RuleOutcome]] = defaultdict(dict)
    for row in _outcomes(test, raters):
        found[row.rater_id][row.rule] = row
    return dict(found)


def _outcomes(test: ListeningTest, raters: Iterable[int] | None) -> QuerySet[RuleOutcome]:
    rows = RuleOutcome.objects.filter(test=test).order_by()
    return rows if raters is None else rows.filter(rater_id__in=list(raters))
