"""How a task is handed to the broker where a person waits for the answer."""

import logging
from typing import Any

from kombu.exceptions import KombuError, OperationalError

from worker.celery import app as celery_app

logger = logging.getLogger(__name__)

# A broker that does not answer is given up at once.
PUBLISHING = {
    "max_retries": 0,
    "connect_retries_timeout": 0.5,
    "socket_connect_timeout": 0.5,
    "socket_timeout": 0.5,
}


def n_messages(queue: str) -> int:
    """How many messages wait in `queue`; 0 where the broker is out of reach or does not know it."""
    connection = celery_app.connection_for_write(connect_timeout=0.5, transport_options=PUBLISHING)
    try:
        with connection:
            # What every transport has, though the types name it for one alone.
            channel: Any = connection.default_channel
            found: int = channel.queue_declare(queue=queue, passive=True).message_count
    except connection.channel_errors:
        return 0
    except (OperationalError, KombuError, OSError) as error:
        logger.warning("What waits in %s cannot be counted: %s", queue, error)
        return 0
    return found


def broker_answers() -> bool:
    """Whether the broker is in reach."""
    try:
        with celery_app.connection_for_write(connect_timeout=0.5, transport_options=PUBLISHING) as connection:
            connection.ensure_connection(max_retries=1, timeout=1)
    except (OperationalError, KombuError, OSError):
        return False
    return True


def publish(task: Any, row: Any) -> bool:
    """Publishes `task` with the key of `row`. Returns False where the broker is out of reach."""
    try:
        with celery_app.connection_for_write(connect_timeout=0.5, transport_options=PUBLISHING) as connection:
            task.apply_async(args=(row.pk,), producer=connection.Producer(), retry=False)
    except (OperationalError, KombuError, OSError) as error:
        logger.warning("%s was not published: %s", row, error)
        return False
    return True


def publish_or_tell(task: Any, row: Any, message: str) -> bool:
    """As `publish`; where it could not be done, `row` stays queued and holds `message`, a sentence for its page."""
    if publish(task, row):
        return True
    type(row)._default_manager.filter(pk=row.pk, status="queued").update(message=message)
    return False
