"""What the queues carry: ids only. What carries a task out is imported in its body, so that who publishes never loads
torch or statsmodels.
"""

from celery import shared_task


@shared_task
def run_training(run_id: int) -> None:
    """Executes a queued run; a second delivery of the same run does nothing."""
    from worker.jobs import run_execute

    run_execute(run_id=run_id)


@shared_task
def run_pilot(pilot_id: int) -> None:
    """Lets the simulated raters of a queued pilot in; a second delivery does nothing."""
    from worker.services_pilots import pilot_execute

    pilot_execute(pilot_id=pilot_id)


@shared_task
def look_at_calendar() -> None:
    """The look of every minute: opens and closes tests on their dates, and sets right what pilots have lost."""
    from worker.schedule import minute_look

    minute_look()


@shared_task
def retrain_due_tests() -> None:
    """The hourly look: starts a run for each test that has enough new ratings, and sets right what was lost."""
    from worker.schedule import hourly_look

    hourly_look()


@shared_task
def train_on_schedule(schedule_id: int) -> None:
    """Asks for the run of a schedule whose time has come; a second delivery does nothing."""
    from worker.schedules import schedule_fire

    schedule_fire(schedule_id=schedule_id)


@shared_task
def compute_results(results_id: int) -> None:
    """Computes the results of a question; a second delivery does nothing."""
    from worker.result_jobs import results_execute

    results_execute(results_id=results_id)


@shared_task
def import_clips(clip_import_id: int) -> None:
    """Looks at an upload of clips, or takes it in; a second delivery does nothing."""
    from worker.clip_imports import clip_import_execute

    clip_import_execute(clip_import_id=clip_import_id)


@shared_task
def send_notices() -> None:
    """The look for what owners are to be told by e-mail."""
    from worker.notices import look_and_send

    look_and_send()


@shared_task
def compute_screening(test_id: int) -> None:
    """Computes the outcomes of a test's screening if they were asked for; a second delivery finds them there."""
    from worker.screening.computing import asked_compute

    asked_compute(test_id=test_id)


@shared_task
def measure_screening_worth(worth_id: int) -> None:
    """Retrains with each screening rule on and off; a second delivery does nothing."""
    from worker.screening.worth_jobs import worth_execute

    worth_execute(worth_id=worth_id)


@shared_task
def compute_due_screenings() -> None:
    """The look of every quarter of an hour: outcomes of tests with new answers, and what no task came for."""
    from worker.screening.schedule import look

    look()


@shared_task
def score_pairs(job_id: int) -> None:
    """Carries a queued scoring of pairs out; a second delivery does nothing."""
    from worker.scoring.work import scoring_execute

    scoring_execute(job_id=job_id)
