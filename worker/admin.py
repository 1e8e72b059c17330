"""The training loop in the admin: plans can be edited; what happened can be read."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminSelectWidget

from listening_tests.admin.read_only import ReadOnlyAdmin
from modeling.config import PRESETS
from worker.models import DatasetSnapshot, ModelVersion, TrainingPlan, TrainingRun


@admin.register(TrainingPlan)
class TrainingPlanAdmin(ModelAdmin):  # type: ignore[misc]
    list_display = ("test", "preset", "retrain_after")
    list_select_related = ("test",)
    search_fields = ("test__title", "test__slug")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "preset":
            names = [(name, name) for name in sorted(PRESETS)]
            kwargs["widget"] = UnfoldAdminSelectWidget(choices=[("", "The installation's default"), *names])
        return super().formfield_for_dbfield(db_field, request, **kwargs)


@admin.register(TrainingRun)
class TrainingRunAdmin(ReadOnlyAdmin):
    list_display = ("uuid", "test", "status", "trigger", "preset", "created_at", "finished_at", "message")
    list_filter = ("status", "trigger")
    list_select_related = ("test",)
    search_fields = ("uuid", "test__slug", "test__title")


@admin.register(DatasetSnapshot)
class DatasetSnapshotAdmin(ReadOnlyAdmin):
    list_display = ("sha256", "test", "n_ratings", "n_pairs", "n_raters", "created_at")
    list_select_related = ("test",)
    search_fields = ("sha256", "test__slug")


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    list_display = ("uuid", "run", "weights_sha256", "created_at")
    list_select_related = ("run__test",)
    search_fields = ("weights_sha256", "run__test__slug")
