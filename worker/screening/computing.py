"""Outcomes of all rules for all raters of a test, and what applying them would change: computed, then stored."""

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime

import numpy as np
from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from listening_tests.choices import CheckOutcome
from listening_tests.kinds import kind_of
from listening_tests.models import ListeningTest, RuleOutcome, ScreeningRule, Withdrawal
from listening_tests.screening import use_failures, verdict_digest
from modeling.agreement import Ints
from modeling.screening import alarms
from modeling.screening.answers import FAILED, PASSED, UNCHECKED
from modeling.screening.rules import RULES, Judged, judge
from worker.models import ScreeningAlarm, ScreeningFigure, ScreeningState
from worker.screening.figures import figures_of
from worker.screening.reading import RatersAnswers, answers_of
from worker.screening.rules import limits_of, rules_of

logger = logging.getLogger(__name__)

FAULT = "The outcomes could not be computed: a fault of Earmark ({fault}). Its traceback is in the worker's log."
_OUTCOMES = {
    PASSED: CheckOutcome.PASSED.value,
    FAILED: CheckOutcome.FAILED.value,
    UNCHECKED: CheckOutcome.UNCHECKED.value,
}
_COPY = """
COPY listening_tests_ruleoutcome
    (test_id, rater_id, rule, version, outcome, value, "limit", n, for_pay, for_use, computed_at) FROM STDIN
"""


def asked_compute(*, test_id: int) -> None:
    """What the queue calls. What was asked for while it computed is computed too; where nothing was, it does none."""
    asked = ScreeningState.objects.select_related("test").filter(test_id=test_id, asked_at__isnull=False)
    while state := asked.first():
        message = ""
        try:
            screening_compute(test=state.test)
        except Exception as error:
            logger.exception("The screening of %s could not be computed.", state.test)
            message = FAULT.format(fault=type(error).__name__)
        waiting = ScreeningState.objects.filter(pk=state.pk, asked_at=state.asked_at)
        waiting.update(asked_at=None, message=message)


def screening_compute(*, test: ListeningTest) -> ScreeningState:
    """Reads every answer once for each question, and stores outcomes, figures and alarms in one transaction."""
    questions = list(test.questions.order_by("id"))
    rules = [rule for rule in rules_of(test=test) if rule.is_enabled]
    # Before the answers are read: what comes meanwhile makes the outcomes look out of date, not the other way round.
    newest = kind_of(test).answers.objects.filter(test=test).aggregate(newest=Max("submitted_at"))["newest"]
    read = answers_of(test=test, question=questions[0]) if questions else None
    judged = {rule.rule: judge(read.answers, RULES[rule.rule], limits_of(rule)) for rule in rules} if read else {}
    failing = _failing(rules, judged)
    keys = read.raters[failing] if read else np.empty(0, dtype=np.int64)
    figures = [
        figure
        for place, question in enumerate(questions)
        for figure in figures_of(test=test, question=question, failing=keys, read=None if place else read)
    ]
    return _store(test, rules, read, judged, figures, newest)


def _failing(rules: Iterable[ScreeningRule], judged: dict[str, Judged]) -> Ints:
    """The numbers of the raters who fail a rule for use."""
    failed = [judged[rule.rule].failed for rule in rules if rule.for_use and rule.rule in judged]
    return np.unique(np.concatenate(failed)) if failed else np.empty(0, dtype=np.int64)


@transaction.atomic
def _store(
    test: ListeningTest,
    rules: list[ScreeningRule],
    read: RatersAnswers | None,
    judged: dict[str, Judged],
    figures: list[ScreeningFigure],
    newest: datetime | None,
) -> ScreeningState:
    # As who applies or undoes holds it too.
    ListeningTest.objects.select_for_update(no_key=True).get(pk=test.pk)
    now = timezone.now()
    RuleOutcome.objects.filter(test=test).delete()
    if read is not None:
        _copy(_rows(test, rules, read, judged, now))
    RuleOutcome.objects.filter(test=test, rater__in=Withdrawal.objects.filter(test=test).values("rater")).delete()
    _store_alarms(test, judged, now)
    failing = use_failures(test=test).order_by().values("rater_id").distinct()
    state, _ = ScreeningState.objects.update_or_create(
        test=test,
        defaults={
            "computed_at": now,
            "newest_answer_at": newest,
            "n_raters": len(read.raters) if read else 0,
            "n_answers": len(read.key) if read else 0,
            "n_failing": failing.count(),
            "n_failing_answers": kind_of(test).answers.objects.filter(test=test, rater_id__in=failing).count(),
            "digest": verdict_digest(test=test),
        },
    )
    ScreeningFigure.objects.filter(state=state).delete()
    for figure in figures:
        figure.state = state
    ScreeningFigure.objects.bulk_create(figures)
    return state


def _rows(
    test: ListeningTest, rules: Iterable[ScreeningRule], read: RatersAnswers, judged: dict[str, Judged], now: datetime
) -> Iterator[tuple[object, ...]]:
    for rule in rules:
        found, version = judged[rule.rule], RULES[rule.rule].version
        if (found.outcome == UNCHECKED).all():
            # Half of the rows of a test without gold pairs and the like would say this.
            continue
        columns = (read.raters.tolist(), found.outcome.tolist(), found.value.tolist(), found.n.tolist())
        for rater, outcome, value, n in zip(*columns, strict=True):
            known = None if value != value else value  # NaN is not itself.
            yield (
                *(test.pk, rater, rule.rule, version, _OUTCOMES[outcome], known, rule.limit, n),
                *(rule.for_pay, rule.for_use, now),
            )


def _copy(rows: Iterator[tuple[object, ...]]) -> None:
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for row in rows:
            copy.write_row(row)


def _store_alarms(test: ListeningTest, judged: dict[str, Judged], now: datetime) -> None:
    """An alarm that goes on keeps the time at which it began."""
    kept = []
    for rule, found in judged.items():
        for alarm in alarms.alarms(found.outcome):
            numbers = {
                "recent_hits": alarm.recent_hits,
                "recent_n": alarm.recent_n,
                "earlier_hits": alarm.earlier_hits,
                "earlier_n": alarm.earlier_n,
                "p": alarm.p,
            }
            row, _ = ScreeningAlarm.objects.update_or_create(
                test=test, rule=rule, kind=alarm.kind, defaults=numbers, create_defaults=numbers | {"since": now}
            )
            kept.append(row.pk)
    ScreeningAlarm.objects.filter(test=test).exclude(pk__in=kept).delete()
