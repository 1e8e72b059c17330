"""The part of a test's form about recruitment: the list of who may not take part."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextareaWidget

from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest
from listening_tests.services.recruitment import excluded_ids_read

EXCLUDED_FIELDS = ("excluded_ids", "excluded_file")
LARGEST_FILE_BYTES = 4 * 1024**2


class RecruitmentForm(forms.ModelForm):
    """`excluded_ids` is cleaned to the whole list of ids, those of the file included."""

    excluded_ids = forms.CharField(
        label="Not for these ids",
        required=False,
        strip=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4, "spellcheck": "false"}),
        help_text="Ids of the recruiter's, one a line: who comes with one of them cannot begin.",
    )
    excluded_file = forms.FileField(
        label="Add ids from a file",
        required=False,
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".txt,.csv,text/plain,text/csv"}),
        help_text="Text with one id a line.",
    )

    class Meta:
        model = ListeningTest
        fields = "__all__"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "excluded_ids" in self.fields:
            ids = self.instance.excluded_ids.order_by("pk").values_list("claimed_id", flat=True)
            self.initial["excluded_ids"] = "\n".join(ids)

    def clean_excluded_ids(self) -> list[str]:
        return _read(self.cleaned_data["excluded_ids"])

    def clean_excluded_file(self) -> list[str]:
        file = self.cleaned_data["excluded_file"]
        if not file:
            return []
        if file.size > LARGEST_FILE_BYTES:
            raise forms.ValidationError(f"The file is larger than {LARGEST_FILE_BYTES // 1024**2} MB.")
        try:
            text = file.read().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise forms.ValidationError("The file is no text in UTF-8. Save it as plain text.") from error
        return _read(text)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "excluded_ids" in cleaned:
            cleaned["excluded_ids"] = list(dict.fromkeys([*cleaned["excluded_ids"], *cleaned.get("excluded_file", [])]))
        return cleaned


def _read(text: str) -> list[str]:
    try:
        return excluded_ids_read(text)
    except Refused as refusal:
        raise forms.ValidationError(str(refusal)) from refusal
