"""The forms that raters fill in. Their words may be anything: templates escape them, and nothing here trusts them."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Self

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from listening_tests.choices import HeadphoneCheck, ListeningDevice, Surroundings
from listening_tests.comprehension import CheckItem, Verdict
from listening_tests.default_texts import as_shown
from listening_tests.headphones import SOUND_NAMES
from listening_tests.models import Session, SurveyQuestion
from listening_tests.services.questionnaires import QuestionnaireAnswers
from listening_tests.services.skips import LONGEST_TEXT
from listening_tests.sound_set_up import ANSWERS, Heard

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

CHOOSE_ONE = _("Choose one of the answers.")
NO_ANSWER = ("", _("No answer"))
# The number is LONGEST_TEXT.
TOO_LONG = _("This text has %(show_value)s characters. Shorten it to 2,000 or fewer.")


class WordsField(forms.CharField):
    """Several lines of free text. A line end is one character, as it is to the browser that counts them."""

    def __init__(self, *, rows: int = 3, **options: Any) -> None:
        area = forms.Textarea(attrs={"rows": rows, "autocomplete": "off", "dir": "auto"})
        messages = {"max_length": TOO_LONG} | options.pop("error_messages", {})
        super().__init__(widget=area, max_length=LONGEST_TEXT, error_messages=messages, **options)

    def to_python(self, value: Any) -> str | None:
        return super().to_python(value.replace("\r\n", "\n") if isinstance(value, str) else value)


def _one_of(
    choices: Iterable[tuple[str, "StrOrPromise"]], *, label: "StrOrPromise", required: bool = False
) -> forms.ChoiceField:
    messages = {"required": CHOOSE_ONE, "invalid_choice": CHOOSE_ONE}
    return forms.ChoiceField(
        label=label, choices=list(choices), required=required, widget=forms.RadioSelect, error_messages=messages
    )


class CheckForm(forms.Form):
    """The comprehension check. `attempt` is counted from 1, so that a repeat of the request is known."""

    attempt = forms.IntegerField(min_value=1, widget=forms.HiddenInput)

    def __init__(self, items: list[CheckItem], data: Mapping[str, Any] | None = None, **options: Any) -> None:
        super().__init__(data, **options)
        for item in items:
            choices = [(name, as_shown(text)) for name, text in item.answers.items()]
            label = as_shown(item.question.prompt)
            self.fields[_check_name(item.question.pk)] = _one_of(choices, label=label, required=True)

    @classmethod
    def judged(cls, items: list[CheckItem], verdict: Verdict, *, attempt: int) -> Self:
        """The form as it was answered, with what was wrong at its questions, for another attempt."""
        given = {_check_name(question_id): name for question_id, name in verdict.answers.items()}
        form = cls(items, given | {"attempt": attempt})
        form.is_valid()
        for name in map(_check_name, verdict.wrong):
            if name in form.fields:
                form.add_error(name, gettext("This answer is not right."))
        return form

    def answers(self) -> dict[int, str]:
        """The names of the answers by the questions' keys."""
        chosen = self.cleaned_data.items()
        return {int(name.removeprefix(_CHECK)): value for name, value in chosen if name.startswith(_CHECK)}


class SoundForm(forms.Form):
    """In which ear each sound was heard. Nothing of it must be answered."""

    first = _one_of(ANSWERS, label=_("Where did you hear the first sound?"))
    second = _one_of(ANSWERS, label=_("Where did you hear the second sound?"))

    def heard(self) -> Heard:
        """What could be read of it."""
        return Heard(**self.cleaned_data)


class HeadphoneForm(forms.Form):
    """Which of three sounds was found, for each trial. `attempt` is counted from 1, so that a repeat is known."""

    attempt = forms.IntegerField(min_value=1, widget=forms.HiddenInput)

    def __init__(self, session: Session, data: Mapping[str, Any] | None = None, **options: Any) -> None:
        super().__init__(data, **options)
        question = _QUESTIONS[HeadphoneCheck(session.headphone_check)]
        for name in SOUND_NAMES:
            label = question % {"number": name, "all": len(SOUND_NAMES)}
            self.fields[f"{_TRIAL}{name}"] = _one_of(_PLACES, label=label, required=True)

    def trials(self) -> list[forms.BoundField]:
        return [self[f"{_TRIAL}{name}"] for name in SOUND_NAMES]

    def places(self) -> list[int]:
        return [int(self.cleaned_data[f"{_TRIAL}{name}"]) for name in SOUND_NAMES]


class QuestionnaireForm(forms.Form):
    """The questions at the end, the researcher's own after ours. Every answer may be left out."""

    device = _one_of([*ListeningDevice.choices, NO_ANSWER], label=_("What did you listen with?"))
    surroundings = _one_of([*Surroundings.choices, NO_ANSWER], label=_("How quiet was it around you?"))
    remarks = WordsField(label=_("Is there anything else that you want to tell?"), required=False)

    def __init__(
        self, questions: Iterable[SurveyQuestion], data: Mapping[str, Any] | None = None, **options: Any
    ) -> None:
        super().__init__(data, **options)
        for question in questions:
            self.fields[f"{_OWN}{question.pk}"] = _own_field(question)
        # Remarks come last, when everything that was asked has been.
        self.order_fields([name for name in self.fields if name != "remarks"])

    def answers(self) -> QuestionnaireAnswers:
        values = dict(self.cleaned_data)
        own = {int(name.removeprefix(_OWN)): values.pop(name) for name in list(values) if name.startswith(_OWN)}
        return QuestionnaireAnswers(**values, own=own)


class ProblemForm(forms.Form):
    """A report in the rater's own words."""

    client_uuid = forms.UUIDField(widget=forms.HiddenInput)
    pair = forms.UUIDField(widget=forms.HiddenInput, required=False)
    text = WordsField(
        label=_("What happened?"),
        rows=6,
        error_messages={"required": _("Say in a few words what happened.")},
    )


_CHECK = "check-"
_TRIAL = "trial-"
_QUESTIONS = {
    HeadphoneCheck.ANTI_PHASE: _("Sound %(number)s of %(all)s: which tone is the quietest?"),
    HeadphoneCheck.HUGGINS: _("Sound %(number)s of %(all)s: which noise has a faint tone in it?"),
}
_PLACES = [("1", _("First")), ("2", _("Second")), ("3", _("Third"))]
_OWN = "own-"


def _check_name(question_id: int) -> str:
    return f"{_CHECK}{question_id}"


def _own_field(question: SurveyQuestion) -> forms.Field:
    lines = [line.strip() for line in question.choices.splitlines() if line.strip()]
    if not lines:
        return WordsField(label=question.prompt, required=False)
    return _one_of([*((line, line) for line in dict.fromkeys(lines)), NO_ANSWER], label=question.prompt)
