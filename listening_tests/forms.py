"""Forms of the admin: a test, its question, and the upload of a manifest with its sounds."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldBooleanWidget

from listening_tests.choices import TestStatus
from listening_tests.models import ListeningTest, Question

MOST_SCALE_VALUES = 101
_SCALE_FIELDS = ("scale_min", "scale_max", "scale_step")
_WORDING_FIELDS = ("prompt", "min_label", "max_label")


class ListeningTestForm(forms.ModelForm):
    """A test that keeps its address once it was opened, and the consent text of a version that raters agreed to."""

    class Meta:
        model = ListeningTest
        fields = "__all__"

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.instance.pk:
            self._keep_address()
            self._keep_consent(cleaned)
        return cleaned

    def _keep_address(self) -> None:
        if "slug" in self.changed_data and self.instance.status != TestStatus.DRAFT:
            self.add_error(
                "slug",
                "This test was opened, so its address cannot change: the links that raters have would lead nowhere. "
                "Make another test for another address.",
            )

    def _keep_consent(self, cleaned: dict[str, Any]) -> None:
        """Of a version too that somebody goes back to: what it said is not kept."""
        text, version = cleaned.get("consent_text"), cleaned.get("consent_version")
        if text is None or version is None:
            return
        is_same_text = _lines(text) == _lines(self.initial["consent_text"])
        if is_same_text and "consent_version" not in self.changed_data:
            return
        agreed = list(self.instance.consents.order_by("-version").values_list("version", flat=True)[:1])
        if agreed and version <= agreed[0]:
            self.add_error(
                "consent_version",
                f"Raters agreed to version {agreed[0]} of the consent text, so what it says cannot change. "
                f"Raise the version to {agreed[0] + 1} or more for another text.",
            )


def _lines(text: str) -> list[str]:
    """What a text says, whichever way browsers end its lines."""
    return text.strip().splitlines()


class QuestionForm(forms.ModelForm):
    """A question whose scale and wording stay what they are once it was answered."""

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
        if self.instance.pk and self.instance.ratings.exists():
            self._keep(_SCALE_FIELDS, "scale")
            self._keep(_WORDING_FIELDS, "wording")
        return cleaned

    def _keep(self, names: tuple[str, ...], what: str) -> None:
        changed = [name for name in names if name in self.changed_data]
        if changed:
            # At the field, for the theme shows no errors of an inline form as a whole.
            self.add_error(
                changed[0],
                f"This question has ratings, so its {what} cannot change: the scores would mean something else. "
                f"Make another test for another {what}.",
            )

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
