"""What the page asks that starts a run. Which values can be used modeling says, through worker.configuration."""

from typing import Any

from django import forms

from listening_tests.models import ListeningTest
from worker.configuration import LOSSES, POLICIES, SettingsRefused, config_of_request, preset_choices

_AS_PRESET = ("", "As the preset says")


class TrainForm(forms.Form):
    """A preset and a question, and what is to differ from the preset; empty: nothing."""

    preset = forms.ChoiceField(widget=forms.RadioSelect)
    question = forms.ChoiceField(label="Question to train on")
    epochs = forms.IntegerField(label="Epochs at most", required=False)
    seed = forms.IntegerField(label="Seed", required=False)
    policy = forms.ChoiceField(label="What learns", required=False)
    losses = forms.ChoiceField(label="Losses", required=False)
    batch_size = forms.IntegerField(label="Pairs in a batch", required=False)
    learning_rate = forms.FloatField(label="Rate of the projections", required=False)
    tower_learning_rate = forms.FloatField(label="Rate of the towers", required=False)

    KNOBS = ("epochs", "seed", "policy", "losses", "batch_size", "learning_rate", "tower_learning_rate")

    def __init__(self, test: ListeningTest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices: dict[str, list[tuple[str, str]]] = {
            "preset": [(choice.name, choice.name) for choice in preset_choices()],
            "question": [(question.name, question.name) for question in test.questions.order_by("id")],
            "policy": [_AS_PRESET, *((name, name) for name in POLICIES)],
            "losses": [_AS_PRESET, *((name, name.replace("-", " + ")) for name in LOSSES)],
        }
        for name, offered in choices.items():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)  # noqa: S101 -- as declared above
            field.choices = offered

    def knobs(self) -> dict[str, Any]:
        """What was written, of what can be read."""
        given = {name: self.cleaned_data.get(name) for name in self.KNOBS}
        written = {name: value for name, value in given.items() if value not in (None, "")}
        return written | ({"losses": dict(LOSSES[written["losses"]])} if "losses" in written else {})

    def clean(self) -> dict[str, Any]:
        """All mistakes at once: those of numbers that are none, and those that modeling finds."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "preset" in cleaned:
            try:
                config_of_request(preset=cleaned["preset"], knobs=self.knobs())
            except SettingsRefused as refused:
                for name, fault in refused.faults.items():
                    self.add_error(name if name in self.fields else None, fault)
        return cleaned
