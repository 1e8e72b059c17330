"""The questions of a test in the admin: each with its scale and the words on it, and all of them together."""

from typing import Any

from django import forms
from unfold.forms import PaginationInlineFormSet
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from listening_tests.choices import TestKind
from listening_tests.models import ListeningTest, Question
from listening_tests.scale_labels import labels_read, labels_written, off_scale_sentence
from listening_tests.selectors import question_is_answered
from listening_tests.services.locks import locked_fields
from listening_tests.services.questions import scale_labels_set
from listening_tests.standard_questions import STANDARD_QUESTIONS, USUAL_QUESTION, StandardQuestion

MOST_SCALE_VALUES = 101
_SCALE_FIELDS = ("scale_min", "scale_max", "scale_step")
_END_LABELS = ("min_label", "max_label")
_COLUMNS = ("prompt", "name", *_SCALE_FIELDS, *_END_LABELS)
_NEEDED = {"prompt", "name", *_SCALE_FIELDS}
_WORDING_FIELDS = ("prompt", *_END_LABELS, "labels_between")
_STARTS = [
    ("", "Nothing: all of it is written below"),
    *((standard.name, standard.title) for standard in STANDARD_QUESTIONS.values()),
]


class QuestionForm(forms.ModelForm):
    """A question whose scale and wording stay what they are once it was answered.

    What is left empty is taken from the ready-made question that is chosen in `start_from`. `test` is the one it is
    asked in, whose kind may be read on the same page only after this form is made: it is looked at when it is needed.
    The scale of a comparison is not asked for, as its answer is a choice.
    """

    start_from = forms.ChoiceField(
        label="Start from",
        required=False,
        choices=[
            ("", "Nothing: all of it is written below"),
            *((q.name, q.title) for q in STANDARD_QUESTIONS.values()),
        ],
        widget=UnfoldAdminSelectWidget,
        help_text="A question that the field asks. What is left empty below is taken from it when you save.",
    )
    labels_between = forms.CharField(
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 6}),
        help_text="One a line, such as 3 = Fair. The value is on the scale.",
    )

    class Meta:
        model = Question
        fields = _COLUMNS

    def __init__(self, *args: Any, test: ListeningTest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.of_test = test
        if "name" in self.fields:
            self.fields["name"].help_text = "A short name, by which exports, reports and commands know the question."
        for name in _NEEDED & self.fields.keys():
            # Until it is filled.
            self.fields[name].required = False
        if self.instance.pk is None:
            # Nothing stands in the way of what it starts from.
            self.initial = dict.fromkeys(_COLUMNS, "") | {"start_from": USUAL_QUESTION.name}
        else:
            self.initial["labels_between"] = "\n".join(labels_written(_labels_of(self.instance)))

    def has_changed(self) -> bool:
        # The default question is stored too, though nobody typed anything.
        return self.instance.pk is None or super().has_changed()

    def clean_labels_between(self) -> list[tuple[float, str]]:
        labels, faults = labels_read(self.cleaned_data["labels_between"])
        if faults:
            raise forms.ValidationError(faults)
        return labels

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        self._fill(cleaned)
        self._refuse_empty(cleaned)
        if self.of_test.kind != TestKind.COMPARISON and all(cleaned.get(name) is not None for name in _SCALE_FIELDS):
            self._check_scale(*(cleaned[name] for name in _SCALE_FIELDS))
            self._check_labels(cleaned)
        if self.instance.pk and question_is_answered(self.instance):
            self._keep(self._changed(_SCALE_FIELDS, cleaned), "scale")
            self._keep(self._changed(_WORDING_FIELDS, cleaned), "wording")
        return cleaned

    def save(self, commit: bool = True) -> Question:
        question: Question = super().save(commit=commit)
        if commit and "labels_between" in self.fields:
            is_on_scale = self.of_test.kind != TestKind.COMPARISON
            scale_labels_set(question=question, labels=self.cleaned_data["labels_between"] if is_on_scale else [])
        return question

    def _fill(self, cleaned: dict[str, Any]) -> None:
        """Takes what is empty from what the question starts from; an empty scale else stays as it is stored."""
        standard = STANDARD_QUESTIONS.get(cleaned.get("start_from", ""))
        for name in (*_COLUMNS, "labels_between"):
            if name not in self.fields or name in self.errors or cleaned.get(name) not in ("", None, []):
                continue
            if standard is not None:
                cleaned[name] = _of_standard(standard, name, self.of_test.kind, cleaned)
            elif name in _SCALE_FIELDS and self.instance.pk:
                cleaned[name] = getattr(self.instance, name)

    def _refuse_empty(self, cleaned: dict[str, Any]) -> None:
        for name in _COLUMNS:
            if name in _NEEDED & self.fields.keys() - self.errors.keys() and cleaned.get(name) in ("", None):
                self.add_error(name, "Write something here, or choose above what the question starts from.")

    def _changed(self, names: tuple[str, ...], cleaned: dict[str, Any]) -> list[str]:
        stored = Question.objects.get(pk=self.instance.pk)
        kept = {name: getattr(stored, name) for name in names if name != "labels_between"}
        if "labels_between" in names:
            kept["labels_between"] = _labels_of(stored)
        return [name for name, value in kept.items() if name in cleaned and cleaned[name] != value]

    def _keep(self, changed: list[str], what: str) -> None:
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
        elif step < 0:
            self.add_error("scale_step", "The step must be more than 0, or 0 for a continuous scale.")
        elif step == 0:
            return
        elif abs((high - low) / step - round((high - low) / step)) > 1e-9:
            self.add_error("scale_step", f"Steps of {step:g} do not lead from {low:g} to {high:g}.")
        elif (high - low) / step + 1 > MOST_SCALE_VALUES:
            self.add_error("scale_step", f"The scale has more than {MOST_SCALE_VALUES} values. Take a larger step.")

    def _check_labels(self, cleaned: dict[str, Any]) -> None:
        if self.errors:
            return
        scale = Question(**{name: cleaned[name] for name in _SCALE_FIELDS})
        ends = {cleaned["scale_min"]: cleaned.get("min_label"), cleaned["scale_max"]: cleaned.get("max_label")}
        for value, _ in cleaned["labels_between"]:
            if not scale.holds(value):
                self.add_error("labels_between", off_scale_sentence(scale, value))
            elif ends.get(value):
                self.add_error(
                    "labels_between", f"{value:g} has the label “{ends[value]}” of its end. Keep one of them."
                )


def _labels_of(question: Question) -> list[tuple[float, str]]:
    return list(question.labels.order_by("value").values_list("value", "text"))


def _of_standard(standard: StandardQuestion, name: str, kind: str, cleaned: dict[str, Any]) -> Any:
    """Labels belong to the scale that the question comes with: on another one they would stand at random."""
    if name == "prompt":
        return standard.prompt_for(kind)
    if name == "labels_between":
        is_same_scale = all(cleaned.get(part) == getattr(standard, part) for part in _SCALE_FIELDS)
        return list(standard.labels) if is_same_scale else []
    return getattr(standard, name)


class QuestionFormSet(PaginationInlineFormSet):
    """A test's questions. Which ones are asked is settled once raters answer, or have them before them."""

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        return super().get_form_kwargs(index) | {"test": self.instance}

    def clean(self) -> None:
        kept = [form for form in self.forms if not self._should_delete_form(form)]
        if not kept:
            raise forms.ValidationError("A test asks at least one question. Keep one, or change it instead.")
        self._refuse_one_name_twice(kept)
        self._refuse_losing_answers()
        if self.instance.pk and any(form.instance.pk is None for form in kept) | bool(self._going()):
            self._refuse_once_asked()
        super().clean()

    def _going(self) -> list[Question]:
        return [form.instance for form in self.initial_forms if self._should_delete_form(form)]

    def _refuse_one_name_twice(self, kept: list[QuestionForm]) -> None:
        names = [form.cleaned_data["name"] for form in kept if form.cleaned_data.get("name")]
        for name in names:
            if names.count(name) > 1:
                raise forms.ValidationError(f"Two questions have the name {name}. Give each a name of its own.")

    def _refuse_losing_answers(self) -> None:
        """Before Django's own words for it come."""
        for question in self._going():
            if question_is_answered(question):
                raise forms.ValidationError(
                    f"Raters answered the question “{question}”, so it cannot be deleted: its answers would go with it."
                )

    def _refuse_once_asked(self) -> None:
        reason = locked_fields(self.instance).get("questions")
        if reason:
            raise forms.ValidationError(reason)
