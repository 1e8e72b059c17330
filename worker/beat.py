"""Beat's scheduler: the rows of django-celery-beat, kept in step with what Earmark has to be done by the clock."""

from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler

from worker.schedules import TASK, schedules_tell_beat


class Scheduler(DatabaseScheduler):  # type: ignore[misc]
    """Takes in the fixed looks of `worker.celery`, as its parent does, and the schedules of tests."""

    def setup_schedule(self) -> None:
        # A look that this version does not know any more would be sent for ever, and fail each time.
        ours = PeriodicTask.objects.filter(task__startswith="worker.tasks.").exclude(task=TASK)
        ours.exclude(name__in=self.app.conf.beat_schedule).delete()
        schedules_tell_beat()
        super().setup_schedule()
