"""Forms of the admin: a test's question, and the upload of a manifest with its sounds."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldBooleanWidget

from listening_tests.models import Question

MOST_SCALE_VALUES = 101
_SCALE_FIELDS = ("scale_min", "scale_max", "scale_step")


class QuestionForm(forms.ModelForm):
    """A question whose scale stays what it is once it was answered."""

    class Meta:
        model = Question
        fields = ("prompt", "name", *_SCALE_FIELDS, "min_label", "max_label")

    def has_changed(self) -> bool:
        # The default question is stored too, though nobody typed anything.
        return self.instance.pk is None or super().has_changed()

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if all(cleaned.get(name) is not None for name in _SCALE_FIELDS):
            self._check_scale(*(cleaned[name] for name in _SCALE_FIELDS))
        changed = [name for name in _SCALE_FIELDS if name in self.changed_data]
        if changed and self.instance.pk and self.instance.ratings.exists():
            # At the field, for the theme shows no errors of an inline form as a whole.
            self.add_error(
                changed[0],
                "This question has ratings, so its scale cannot change: the scores would mean something else. "
                "Make another test for another scale.",
            )
        return cleaned

    def _check_scale(self, low: float, high: float, step: float) -> None:
        if low >= high:
            self.add_error("scale_max", "The scale must end above its beginning.")
        elif step <= 0:
            self.add_error("scale_step", "The step must be more than 0.")
        elif abs((high - low) / step - round((high - low) / step)) > 1e-9:
            self.add_error("scale_step", f"Steps of {step:g} do not lead from {low:g} to {high:g}.")
        elif (high - low) / step + 1 > MOST_SCALE_VALUES:
            self.add_error("scale_step", f"The scale has more than {MOST_SCALE_VALUES} values. Take a larger step.")


class UploadForm(forms.Form):
    archive = forms.FileField(
        label="Zip of sounds",
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".zip"}),
        help_text="wav, flac, ogg, mp3 or m4a; each of 0.1 to 60 s.",
    )
    manifest = forms.FileField(
        label="Manifest (CSV), where it is not in the zip",
        required=False,
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,text/csv"}),
        help_text="Its paths begin at the root of the zip.",
    )
    allow_silent = forms.BooleanField(
        label="Take silent clips too",
        required=False,
        widget=UnfoldBooleanWidget,
        help_text="Otherwise a clip whose peak lies below -60 dBFS is refused.",
    )
