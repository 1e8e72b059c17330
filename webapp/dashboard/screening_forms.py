"""The thresholds of a test's screening rules as one form, a small form for each rule."""

from collections.abc import Mapping
from typing import Any

from django import forms

from listening_tests.choices import PutTogether, ScreeningRuleName
from listening_tests.models import ScreeningRule
from listening_tests.services.screening import SHARES, THRESHOLDS

_TOLERANCES = {
    ScreeningRuleName.GOLD: "Points off",
    ScreeningRuleName.TRAP: "Points off",
    ScreeningRuleName.TOO_FAST: "Seconds",
    ScreeningRuleName.PLAY_EVIDENCE: "Seconds",
}


class RuleForm(forms.Form):
    """Has the fields that its rule uses; what it does not use keeps its value."""

    is_enabled = forms.BooleanField(required=False, label="On")
    how = forms.ChoiceField(choices=PutTogether.choices, label="Of the anchors")
    limit = forms.FloatField(label="Limit")
    tolerance = forms.FloatField(label="Tolerance", min_value=0)
    at_least = forms.IntegerField(label="On at least", min_value=1, max_value=10_000)
    for_pay = forms.BooleanField(required=False, label="Pay")
    for_use = forms.BooleanField(required=False, label="Use")

    def __init__(self, rule: ScreeningRule, data: Mapping[str, Any] | None = None) -> None:
        initial = {name: getattr(rule, name) for name in THRESHOLDS}
        super().__init__(data, prefix=rule.rule, initial=initial)
        self.rule = rule
        name = ScreeningRuleName(rule.rule)
        self.fields["limit"].label = _limit_label(name)
        if name is not ScreeningRuleName.ANCHORS:
            del self.fields["how"]
        if name in _TOLERANCES:
            self.fields["tolerance"].label = _TOLERANCES[name]
        else:
            del self.fields["tolerance"]
        if name is ScreeningRuleName.HEADPHONES:
            del self.fields["limit"], self.fields["at_least"]
        for field in self.fields.values():
            if isinstance(field, forms.FloatField):
                field.widget.attrs["step"] = "any"

    def changed(self) -> ScreeningRule:
        """The rule with what the form says. To be asked of a valid form."""
        for name, value in self.cleaned_data.items():
            setattr(self.rule, name, value)
        return self.rule

    def thresholds(self) -> list[forms.BoundField]:
        """The fields of numbers, in the order in which they stand."""
        return [self[name] for name in ("how", "limit", "tolerance", "at_least") if name in self.fields]


def _limit_label(name: ScreeningRuleName) -> str:
    if name in SHARES:
        return "Share, 0 to 1"
    return "Correlation" if name is ScreeningRuleName.AGREEMENT else "Points"
