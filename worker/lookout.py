"""A worker's lookout for runs that have lost their process: a thread of its main process, which has nothing to do while
the child trains. So a dead worker is noticed while others are busy, and while the queue of short tasks is blocked.
"""

import logging
import threading
from itertools import count

from django.db import DatabaseError, InterfaceError, connection

from worker import services
from worker.newcomers import newcomers_compare_missed

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 5.0
# The broker is asked for lost messages, and models that were not compared are looked for, once in so many looks.
LOOKS_PER_COUNT = 12


def lookout_start(ended: threading.Event) -> threading.Thread:
    """Looks every few seconds until `ended` is set."""
    thread = threading.Thread(target=_keep_looking, args=(ended,), name="lookout", daemon=True)
    thread.start()
    return thread


def look(*, at_messages: bool) -> None:
    """Takes back what was lost, and compares the models that nobody compared.

    A database that is away is asked again at the next look.
    """
    try:
        services.runs_take_back()
        if at_messages:
            services.runs_enqueue_again()
            newcomers_compare_missed()
    except (DatabaseError, InterfaceError) as error:
        logger.warning("Lost runs could not be looked for: %s", error)
    finally:
        connection.close()


def _keep_looking(ended: threading.Event) -> None:
    for number in count(1):
        if ended.wait(LOOK_EVERY_S):
            return
        try:
            look(at_messages=number % LOOKS_PER_COUNT == 0)
        except Exception:
            # The next look may go well; without a lookout a lost run would wait for beat.
            logger.exception("The lookout met a fault.")
