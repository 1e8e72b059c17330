"""The training loop in the admin: plans can be edited; what happened can be read."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from listening_tests.admin.by_role import ByRole, TestFilter
from listening_tests.admin.cells import prose, time_column
from listening_tests.admin.read_only import ReadOnlyAdmin
from listening_tests.exceptions import Refused
from listening_tests.roles import Action
from modeling.config import PRESETS
from worker import schedule_admin  # noqa: F401 -- registers its pages
from worker.models import DatasetSnapshot, ModelVersion, TrainingPlan, TrainingRun
from worker.selectors import question_named
from worker.withdrawn import with_withdrawals, withdrawn_words


def _mark(row: Any) -> str:
    """What to know of withdrawn ratings in the row; a dash where there are none."""
    words = withdrawn_words(row)
    return prose(words) if words else "-"


class TrainingPlanForm(forms.ModelForm):  # type: ignore[type-arg]
    """A plan whose question is one that its test asks."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        test, name = cleaned.get("test"), cleaned.get("question", "")
        if test is not None and name:
            try:
                question_named(test=test, name=name)
            except Refused as refusal:
                self.add_error("question", str(refusal))
        return cleaned


@admin.register(TrainingPlan)
class TrainingPlanAdmin(ByRole, ModelAdmin):  # type: ignore[misc]
    adding = changing = deleting = Action.TRAIN
    form = TrainingPlanForm
    list_display = ("test", "question", "preset", "retrain_after")
    fields = ("test", "question", "preset", "retrain_after")
    list_select_related = ("test",)
    search_fields = ("test__title", "test__slug")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "preset":
            names = [(name, name) for name in sorted(PRESETS)]
            kwargs["widget"] = UnfoldAdminSelectWidget(choices=[("", "The installation's default"), *names])
        return super().formfield_for_dbfield(db_field, request, **kwargs)


@admin.register(TrainingRun)
class TrainingRunAdmin(ReadOnlyAdmin):
    list_display = ("uuid", "test", "question", "status", "trigger", "preset", "created_at", "finished_at", "message")
    list_filter = (("test", TestFilter), "status", "trigger")
    list_select_related = ("test",)
    search_fields = ("uuid", "test__slug", "test__title")


@admin.register(DatasetSnapshot)
class DatasetSnapshotAdmin(ReadOnlyAdmin):
    list_display = (
        *("short_sha256", "test", "question", "n_ratings", "n_comparisons", "n_pairs", "n_raters"),
        *(time_column("created_at", "made"), "withdrawn"),
    )
    list_select_related = ("test",)
    search_fields = ("sha256", "test__slug")
    fields = (
        *("test", "question", "withdrawn", "n_ratings", "n_comparisons", "n_pairs", "n_raters"),
        *("read_at", "created_at", "directory", "whole_sha256", "uuid"),
    )
    readonly_fields = ("withdrawn", "whole_sha256")

    def get_queryset(self, request: HttpRequest) -> QuerySet[DatasetSnapshot]:
        return with_withdrawals(super().get_queryset(request))

    @display(description="withdrawn since")  # type: ignore[untyped-decorator]
    def withdrawn(self, snapshot: DatasetSnapshot) -> str:
        return _mark(snapshot)

    @display(description="sha256")  # type: ignore[untyped-decorator]
    def whole_sha256(self, snapshot: DatasetSnapshot) -> str:
        return prose(snapshot.sha256)

    @display(description="sha256")  # type: ignore[untyped-decorator]
    def short_sha256(self, snapshot: DatasetSnapshot) -> str:
        return snapshot.sha256[:12]


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    test_path = "run__test"
    list_display = ("short_sha256", "run", time_column("created_at", "made"), "withdrawn")
    list_select_related = ("run__test",)
    search_fields = ("weights_sha256", "run__test__slug")
    fields = ("run", "withdrawn", "directory", "whole_sha256", "created_at", "uuid")
    readonly_fields = ("withdrawn", "whole_sha256")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ModelVersion]:
        return with_withdrawals(super().get_queryset(request), snapshot="run__snapshot__")

    @display(description="withdrawn since")  # type: ignore[untyped-decorator]
    def withdrawn(self, model: ModelVersion) -> str:
        return _mark(model)

    @display(description="sha256 of the weights")  # type: ignore[untyped-decorator]
    def whole_sha256(self, model: ModelVersion) -> str:
        return prose(model.weights_sha256)

    @display(description="sha256 of the weights")  # type: ignore[untyped-decorator]
    def short_sha256(self, model: ModelVersion) -> str:
        return model.weights_sha256[:12]
