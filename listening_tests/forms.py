"""Forms of the admin: a test, what it asks its raters, and the upload of a manifest with its sounds."""

from typing import Any

from django import forms
from unfold.forms import PaginationInlineFormSet
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldBooleanWidget

from listening_tests.choices import TestStatus
from listening_tests.models import CheckQuestion, ListeningTest, Question, SurveyQuestion

MOST_SCALE_VALUES = 101
MOST_ANSWERS = 20
LONGEST_ANSWER = 200
_SCALE_FIELDS = ("scale_min", "scale_max", "scale_step")
_WORDING_FIELDS = ("prompt", "min_label", "max_label")
_SURVEY_FIELDS = ("prompt", "choices")


class ListeningTestForm(forms.ModelForm):
    """A test that keeps its address once it was opened, and what a version that raters agreed to says."""

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
        """Of a version too that somebody goes back to: what it said is not kept.

        What becomes of withdrawn ratings is said beside the text, so it is part of what raters agree to.
        """
        text, version = cleaned.get("consent_text"), cleaned.get("consent_version")
        if text is None or version is None:
            return
        is_same_text = _lines(text) == _lines(self.initial["consent_text"])
        if is_same_text and not {"consent_version", "withdrawn_ratings"}.intersection(self.changed_data):
            return
        agreed = list(self.instance.consents.order_by("-version").values_list("version", flat=True)[:1])
        if agreed and version <= agreed[0]:
            self.add_error(
                "consent_version",
                f"Raters agreed to version {agreed[0]} of the consent, so neither its text nor what becomes of the "
                "ratings of who withdraws can change. "
                f"Raise the version to {agreed[0] + 1} or more to change them.",
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


class CheckQuestionForm(forms.ModelForm):
    """A question on the instructions, whose answers can be told apart."""

    class Meta:
        model = CheckQuestion
        fields = ("prompt", "right_answer", "wrong_answer", "other_wrong_answer")

    def has_changed(self) -> bool:
        # The default question is stored too, though nobody typed anything.
        return self.instance.pk is None or super().has_changed()

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        seen: set[str] = set()
        for name in ("right_answer", "wrong_answer", "other_wrong_answer"):
            answer = cleaned.get(name, "").casefold()
            if answer and answer in seen:
                self.add_error(name, "Another answer says the same. A rater could not tell them apart.")
            seen.add(answer)
        return cleaned


class SurveyQuestionForm(forms.ModelForm):
    """A question of the questionnaire, which stays what it is once it was answered."""

    class Meta:
        model = SurveyQuestion
        fields = _SURVEY_FIELDS

    def clean_choices(self) -> str:
        choices = [line.strip() for line in self.cleaned_data["choices"].splitlines() if line.strip()]
        if len(choices) == 1 or len(choices) > MOST_ANSWERS:
            raise forms.ValidationError(
                f"Write 2 to {MOST_ANSWERS} answers to choose from, one a line, or none for a free text."
            )
        if len({choice.casefold() for choice in choices}) < len(choices):
            raise forms.ValidationError("Two answers say the same. A rater could not tell them apart.")
        if any(len(choice) > LONGEST_ANSWER for choice in choices):
            raise forms.ValidationError(f"An answer to choose from has at most {LONGEST_ANSWER} characters.")
        return "\n".join(choices)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        changed = [name for name in _SURVEY_FIELDS if self._says_something_else(name, cleaned)]
        if changed and self.instance.pk and self.instance.answers.exists():
            self.add_error(
                changed[0],
                "Raters answered this question, so it cannot change: their answers would mean something else. "
                "Add another question instead.",
            )
        return cleaned

    def _says_something_else(self, name: str, cleaned: dict[str, Any]) -> bool:
        return name in cleaned and _lines(cleaned[name]) != _lines(self.initial.get(name, ""))


class SurveyQuestionFormSet(PaginationInlineFormSet):
    def clean(self) -> None:
        """Refuses to lose answers, before Django's own words for it come."""
        for form in self.forms:
            if form.instance.pk and self._should_delete_form(form) and form.instance.answers.exists():
                raise forms.ValidationError(
                    f"Raters answered the question “{form.instance}”, so it cannot be deleted: its answers would go "
                    "with it."
                )
        super().clean()


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
