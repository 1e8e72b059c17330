from django.apps import AppConfig


class WorkerConfig(AppConfig):
    name = "worker"
    verbose_name = "Training"

    def ready(self) -> None:
        # Only now are there models for what a starting worker looks after.
        from worker import checks, lifecycle  # noqa: F401
