"""Forms of the admin: a test, and what it asks its raters."""

from typing import Any

from django import forms
from unfold.forms import PaginationInlineFormSet

from listening_tests.models import CheckQuestion, Exclusion, ListeningTest, SurveyQuestion
from listening_tests.models.listening_test import DEFAULT_INSTRUCTIONS
from listening_tests.recruitment_form import RecruitmentForm
from listening_tests.services.locks import CODES, change_faults, locked_fields, text_lines
from listening_tests.standard_questions import USUAL_INSTRUCTIONS

MOST_ANSWERS = 20
LONGEST_ANSWER = 200
_SURVEY_FIELDS = ("prompt", "choices")


class ListeningTestForm(RecruitmentForm):
    """A test that keeps its kind once it has clips, its address once it was opened, and what a version that raters
    agreed to says.
    """

    class Meta:
        model = ListeningTest
        fields = "__all__"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.locked = locked_fields(self.instance)
        # Who may only look has no such fields.
        for name in self.locked.keys() & self.fields.keys():
            self.fields[name].disabled = True
            self.fields[name].help_text = self.locked[name]
        if "repeats_per_session" in self.fields:
            self.fields["repeats_per_session"].required = False

    def clean_repeats_per_session(self) -> int:
        """None at all where the field is left empty."""
        return self.cleaned_data["repeats_per_session"] or 0

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.instance.pk is None:
            self._suit_the_kind(cleaned)
        self._refuse_locked()
        for name, reason in change_faults(test=self.instance, changes=cleaned).items():
            if name not in self.errors:
                self.add_error(name if name in self.fields else None, reason)
        return cleaned

    def save(self, commit: bool = True) -> ListeningTest:
        if "opens_at" in self.changed_data:
            self.instance.opening_refused = ""
        test: ListeningTest = super().save(commit=commit)
        return test

    def _suit_the_kind(self, cleaned: dict[str, Any]) -> None:
        """The usual instructions of a new test are those of its kind."""
        usual = USUAL_INSTRUCTIONS.get(cleaned.get("kind", ""))
        if usual and text_lines(cleaned.get("instructions", "")) == text_lines(DEFAULT_INSTRUCTIONS):
            cleaned["instructions"] = usual

    def _refuse_locked(self) -> None:
        """A page from before a column was locked may still send another value."""
        for name in self.locked.keys() & self.fields.keys() & {"kind", "slug", *CODES}:
            if self.data.get(self.add_prefix(name), self.initial[name]) != self.initial[name]:
                self.add_error(name, self.locked[name])


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
        return name in cleaned and text_lines(cleaned[name]) != text_lines(self.initial.get(name, ""))


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


class ExclusionForm(forms.ModelForm):
    """What one row leaves out: a rating or a comparison."""

    class Meta:
        model = Exclusion
        fields = ("rating", "comparison", "rule", "version", "reason")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        named = [name for name in ("rating", "comparison") if cleaned.get(name) is not None]
        if len(named) != 1 and not {"rating", "comparison"} & self.errors.keys():
            told = "An exclusion is of one answer. Give a rating or a comparison"
            self.add_error("rating", f"{told}, not both." if named else f"{told}.")
        return cleaned
