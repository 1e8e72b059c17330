"""What the queues carry: ids only. worker.jobs is imported in the body, so that who publishes never loads torch."""

from celery import shared_task


@shared_task
def run_training(run_id: int) -> None:
    """Executes a queued run; a second delivery of the same run does nothing."""
    from worker.jobs import run_execute

    run_execute(run_id=run_id)


@shared_task
def retrain_due_tests() -> None:
    """The hourly look: starts a run for each test that has enough new ratings, and sets right what was lost."""
    from worker.schedule import hourly_look

    hourly_look()
