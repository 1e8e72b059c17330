"""The broker, who answers on each queue, the scorer, and beat."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from kombu.exceptions import KombuError, OperationalError

from webapp.doctor.finding import Finding, failed, passed
from webapp.processes import programs
from worker.beat_sign import beat_sign_at
from worker.celery import app as celery_app
from worker.scoring.client import is_there

ANSWER_WITHIN_S = 3
# Beat asks for a look each minute; a worker that is busy takes it up a little later.
BEAT_SILENT_AFTER = timedelta(minutes=5)


def broker() -> Finding:
    try:
        with celery_app.connection_for_write(connect_timeout=ANSWER_WITHIN_S) as connection:
            connection.ensure_connection(max_retries=0, timeout=ANSWER_WITHIN_S)
    except (OperationalError, KombuError, OSError) as error:
        return failed(f"The queue's broker does not answer: {_reason(error)}.", "Start it, or check CELERY_BROKER_URL.")
    return passed("The queue's broker answers.")


def workers() -> Finding:
    """Whether somebody takes work from each queue; who trains answers too, since the child does the work."""
    try:
        unattended = queues_without_worker()
    except (OperationalError, KombuError, OSError) as error:
        return failed(f"No worker can be asked: {_reason(error)}.", "Mend what is said of the broker first.")
    if unattended:
        names = ", ".join(unattended)
        return failed(
            f"No worker answers on: {names}.",
            " ".join(f"Start it with manage.py start worker-{name}." for name in unattended),
        )
    return passed(f"A worker answers on each queue: {', '.join(sorted(queues_wanted()))}.")


def _reason(error: Exception) -> str:
    return str(error).strip().rstrip(".") or type(error).__name__


def queues_wanted() -> set[str]:
    """Those that the processes of an installation take from."""
    described = programs(home=settings.EARMARK_HOME, bind="", with_broker=False, with_scorer=False)
    commands = [program.command for program in described]
    return {command[command.index("-Q") + 1] for command in commands if "-Q" in command}


def queues_without_worker() -> list[str]:
    """Asks all workers at once. Raises where the broker is out of reach."""
    answered = celery_app.control.inspect(timeout=ANSWER_WITHIN_S).active_queues() or {}
    attended = {queue["name"] for queues in answered.values() for queue in queues}
    return sorted(queues_wanted() - attended)


def scorer() -> Finding:
    if is_there():
        return passed("The scorer answers.")
    return failed(
        "The scorer does not answer: nobody is told what a model thinks of a sound.",
        "Start it with manage.py start scorer, or check EARMARK_SCORER.",
    )


def beat() -> Finding:
    seen = beat_sign_at()
    if seen is not None and timezone.now() - seen < BEAT_SILENT_AFTER:
        return passed("Beat asks for what is due, and it is carried out.")
    since = f"since {seen:%Y-%m-%d %H:%M} UTC" if seen else "yet"
    return failed(
        f"The look of every minute has not been carried out {since}: nothing opens, closes, or is trained by date.",
        "Start beat (manage.py start beat) and a worker on the queue default.",
    )
