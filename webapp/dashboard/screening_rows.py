"""Rows of the pages of screening, ready to be printed. Takes stored numbers; computes none."""

from collections.abc import Iterable
from dataclasses import dataclass

from listening_tests.choices import CheckOutcome, ScreeningRuleName
from listening_tests.models import ListeningTest, Question, Rater, RuleOutcome, ScreeningRule
from listening_tests.screening import OutcomeCounts, counts_by_rule, outcome_rows
from listening_tests.screening_words import fails_where, found_words
from webapp.dashboard.phrases import number, signed
from webapp.dashboard.screening_forms import RuleForm
from worker.models import FigureName, ScreeningFigure

_COUNTED = {FigureName.RATERS, FigureName.ANSWERS, FigureName.ITEMS}
_PLACES = {FigureName.ICC1: 3, FigureName.RELIABILITY: 3, FigureName.CEILING_SRCC: 3}
# On 0..1, correlations, points or seconds: what a rule's value is printed with.
_VALUE_PLACES = {ScreeningRuleName.ANCHORS: 1, ScreeningRuleName.REPEATS: 1, ScreeningRuleName.HEADPHONES: 0}


@dataclass(frozen=True)
class RuleRow:
    rule: ScreeningRule
    fails_where: str
    form: RuleForm
    counts: OutcomeCounts | None


@dataclass(frozen=True)
class FigureRow:
    name: str
    now: str
    then: str
    change: str


@dataclass(frozen=True)
class FigureTable:
    question: Question
    rows: list[FigureRow]


@dataclass(frozen=True)
class OutcomeCell:
    """What a rule found of a rater: `mark` is seen, `words` are read."""

    rule: str
    value: str
    outcome: str
    words: str


@dataclass(frozen=True)
class RaterRow:
    rater: Rater
    cells: list[OutcomeCell]


def rule_rows(test: ListeningTest, forms: Iterable[RuleForm]) -> list[RuleRow]:
    counts = counts_by_rule(test=test)
    return [RuleRow(form.rule, fails_where(form.rule), form, counts.get(form.rule.rule)) for form in forms]


def figure_tables(figures: Iterable[ScreeningFigure]) -> list[FigureTable]:
    """One for each question, in their order."""
    tables: dict[int, FigureTable] = {}
    for figure in figures:
        table = tables.setdefault(figure.question_id, FigureTable(figure.question, []))
        table.rows.append(_figure_row(figure))
    return list(tables.values())


def rater_rows(test: ListeningTest, raters: Iterable[Rater], rules: Iterable[str]) -> list[RaterRow]:
    raters, rules = list(raters), list(rules)
    outcomes = outcome_rows(test=test, raters=[rater.pk for rater in raters])
    return [RaterRow(rater, [_cell(name, outcomes[rater.pk].get(name)) for name in rules]) for rater in raters]


def _figure_row(figure: ScreeningFigure) -> FigureRow:
    name = FigureName(figure.name)
    label = f"{name.label}, {figure.system}" if figure.system else name.label
    change = figure.change
    if name in _COUNTED:
        lost = f"{change:+,.0f}".replace("-", "−") if change else "0"
        return FigureRow(label, f"{figure.now or 0:,.0f}", f"{figure.then or 0:,.0f}", lost)
    places = _PLACES.get(name, 2)
    return FigureRow(label, number(figure.now, places), number(figure.then, places), signed(change, places))


def _cell(name: str, row: RuleOutcome | None) -> OutcomeCell:
    label = ScreeningRuleName(name).label
    if row is None:
        return OutcomeCell(label, "", CheckOutcome.UNCHECKED, CheckOutcome.UNCHECKED.label)
    places = _VALUE_PLACES.get(ScreeningRuleName(name), 2)
    found = found_words(name, row.value, row.n)
    words = f"{CheckOutcome(row.outcome).label}: {found}" if found else CheckOutcome(row.outcome).label
    value = "" if name == ScreeningRuleName.HEADPHONES or row.value is None else number(row.value, places)
    return OutcomeCell(label, value, row.outcome, words)
