"""What the set-up and plan pages ask. Which numbers make sense for a test its services say."""

from datetime import UTC
from typing import Any

from django import forms

from listening_tests.models import ListeningTest
from listening_tests.services.anchors import MOST_ANCHORS
from listening_tests.services.pilots import MOST_RATERS
from listening_tests.services.practice import MOST_DRAWS


class DateField(forms.DateTimeField):
    """A date and a time in UTC, as browsers ask for them."""

    def __init__(self, **options: Any) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        formats = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"]
        super().__init__(required=False, widget=widget, input_formats=formats, **options)


class DatesForm(forms.Form):
    opens_at = DateField(label="Opens on (UTC)")
    opens_forced = forms.BooleanField(label="Also where something advised is missing", required=False)
    closes_at = DateField(label="Closes on (UTC)")

    @classmethod
    def of_test(cls, test: ListeningTest) -> "DatesForm":
        dates = {
            name: value.astimezone(UTC)
            for name in ("opens_at", "closes_at")
            if (value := getattr(test, name)) is not None
        }
        return cls(initial=dates | {"opens_forced": test.opens_forced})


class CloneForm(forms.Form):
    uuid = forms.UUIDField(widget=forms.HiddenInput)
    title = forms.CharField(label="Title of the copy", max_length=200, required=False)
    slug = forms.SlugField(label="Its address", max_length=80, required=False)


class PilotForm(forms.Form):
    uuid = forms.UUIDField(widget=forms.HiddenInput)
    n_raters = forms.IntegerField(label="Simulated raters", min_value=1, max_value=MOST_RATERS, initial=12)
    n_careless = forms.IntegerField(label="Of them careless", min_value=0, max_value=MOST_RATERS, initial=3)


class AnchorsForm(forms.Form):
    n = forms.IntegerField(label="Anchors in all", min_value=0, max_value=MOST_ANCHORS)


class DrawForm(forms.Form):
    draw = forms.IntegerField(required=False, min_value=0, max_value=MOST_DRAWS, widget=forms.HiddenInput)


class RepeatsForm(forms.Form):
    repeats_per_session = forms.IntegerField(label="Repeats in a sitting", min_value=0, max_value=20)


class PlanForm(forms.Form):
    """What is left empty is taken from the test, or counts as nothing."""

    reward = forms.DecimalField(
        label="Reward for a whole sitting", min_value=0, max_digits=8, decimal_places=2, required=False
    )
    currency = forms.RegexField("^[A-Z]{3}$", label="Currency", required=False, max_length=3)
    fee = forms.FloatField(label="Fee of the platform, %", min_value=0, max_value=200, required=False)
    spare = forms.FloatField(label="Sittings that are lost, %", min_value=0, max_value=90, required=False)
