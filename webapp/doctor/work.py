"""What raters and researchers wait for: tests that are open, runs that do not move."""

from kombu.exceptions import KombuError, OperationalError

from webapp.doctor.finding import Finding, failed, passed
from webapp.doctor.queues import queues_without_worker
from worker.standing import open_tests as titles_of_open_tests
from worker.standing import silent_runs, waiting_runs


def open_tests() -> Finding:
    """Raters can rate without a worker; what is computed of their answers, and notices, need one."""
    titles = titles_of_open_tests()
    if not titles:
        return passed("No test is open.")
    try:
        has_worker = "default" not in queues_without_worker()
    except (OperationalError, KombuError, OSError):
        has_worker = False
    named = f"“{titles[0]}”" + (f" and {len(titles) - 1} more" if len(titles) > 1 else "")
    if has_worker:
        return passed(f"Raters are let in to {named}, and a worker looks after what they answer.")
    return failed(
        f"Raters are let in to {named}, and no worker looks after it: no screening, no notices, no dates.",
        "Start a worker on the queue default: manage.py start worker-default.",
    )


def stuck_runs() -> Finding:
    silent, waiting = [str(run) for run in silent_runs()], [str(run) for run in waiting_runs()]
    if silent:
        return failed(
            f"{silent[0]} has given no sign of life for minutes" + _and_more(silent) + ".",
            "Start a worker on the queue gpu, which takes it up again, or cancel the run on its page.",
        )
    if waiting:
        return failed(
            f"{waiting[0]} has waited in the queue for long, and nothing is being trained" + _and_more(waiting) + ".",
            "Start a worker on the queue gpu: manage.py start worker-gpu.",
        )
    return passed("No run is stuck.")


def _and_more(runs: list[str]) -> str:
    return f", and so have {len(runs) - 1} more" if len(runs) > 1 else ""
