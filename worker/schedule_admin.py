"""Schedules in the admin: a time of day, a time zone, how many new ratings. Beat's own rows can be seen, by those who
see everything, and nobody changes them: Earmark writes them.
"""

from datetime import UTC
from typing import Any

import django_celery_beat.admin  # noqa: F401 -- registers what is unregistered below
from django.contrib import admin
from django.contrib.admin.exceptions import NotRegistered
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from listening_tests.admin.by_role import ByRole, TestFilter, sees_everything
from listening_tests.admin.cells import prose, time_column, unbroken
from listening_tests.roles import Action
from modeling.config import PRESETS
from worker.models import TrainingSchedule
from worker.schedules import schedule_delete, schedule_save

for _model in (ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule):
    try:
        admin.site.unregister(_model)
    except NotRegistered:  # pragma: no cover -- registered in another order
        pass


@admin.register(TrainingSchedule)
class TrainingScheduleAdmin(ByRole, ModelAdmin):  # type: ignore[misc]
    adding = changing = deleting = Action.TRAIN
    list_display = ("shown_test", "shown_time", "least_new", "is_enabled", "next_look", "fired_at", "shown_outcome")
    list_filter = (("test", TestFilter), "is_enabled")
    list_select_related = ("test",)
    search_fields = ("test__title", "test__slug")
    fields = (
        *("test", ("at", "timezone"), "least_new", "preset", "is_enabled"),
        *("next_look", "fired_at", "outcome", "last_run"),
    )
    readonly_fields = ("next_look", "fired_at", "outcome", "last_run")

    def get_fields(self, request: HttpRequest, obj: TrainingSchedule | None = None) -> Any:
        return self.fields if obj is not None else self.fields[: -len(self.readonly_fields)]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """The time zone is that of the schedule that was made last: people of one lab share a clock."""
        newest = TrainingSchedule.objects.order_by("-id").first()
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        return ({"timezone": newest.timezone} if newest is not None else {}) | initial

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "preset":
            names = [(name, name) for name in sorted(PRESETS)]
            kwargs["widget"] = UnfoldAdminSelectWidget(choices=[("", "That of the test's plan"), *names])
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: TrainingSchedule, form: Any, change: bool) -> None:
        schedule_save(schedule=obj)

    def delete_model(self, request: HttpRequest, obj: TrainingSchedule) -> None:
        schedule_delete(schedule=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[TrainingSchedule]) -> None:
        for schedule in queryset:
            schedule_delete(schedule=schedule)

    @display(description="test", ordering="test__title")  # type: ignore[untyped-decorator]
    def shown_test(self, schedule: TrainingSchedule) -> str:
        return str(schedule.test)

    @display(description="each night at", ordering="at")  # type: ignore[untyped-decorator]
    def shown_time(self, schedule: TrainingSchedule) -> str:
        return unbroken(f"{schedule.at:%H:%M} {schedule.timezone}")

    @display(description="next look (UTC)")  # type: ignore[untyped-decorator]
    def next_look(self, schedule: TrainingSchedule) -> str:
        if not schedule.is_enabled:
            return "-"
        return unbroken(f"{schedule.next_due(timezone.now()).astimezone(UTC):%Y-%m-%d %H:%M}")

    @display(description="what came of the last", ordering="outcome")  # type: ignore[untyped-decorator]
    def shown_outcome(self, schedule: TrainingSchedule) -> str:
        return prose(schedule.outcome) if schedule.outcome else "-"


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(ModelAdmin):  # type: ignore[misc]
    """What beat sends, and when it did last."""

    actions = None
    list_display = ("name", "task", "crontab", "enabled", time_column("last_run_at", "last sent"), "total_run_count")
    list_select_related = ("crontab",)
    search_fields = ("name",)
    fields = ("name", "description", "task", "args", "crontab", "enabled", "last_run_at", "total_run_count")
    readonly_fields = fields

    def has_view_permission(self, request: HttpRequest, obj: PeriodicTask | None = None) -> bool:
        return sees_everything(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return sees_everything(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: PeriodicTask | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: PeriodicTask | None = None) -> bool:
        return False
