"""Who carries out a run: a process of a machine, named so that another process there can tell whether it is gone."""

import os
import socket
from datetime import datetime, timedelta

import psutil  # type: ignore[import-untyped]
from django.utils import timezone

# A run in hand gives a sign of life so often.
HEARTBEAT_EVERY_S = 10.0
# Two signs in a row that did not come: their process is lost. The clocks of all machines must agree to some seconds.
LOST_AFTER = timedelta(seconds=2 * HEARTBEAT_EVERY_S)
# A process that can be seen to live may be waiting for a database that is away; but not for so long.
HANGS_AFTER = timedelta(minutes=3)

# The time at which a process began is known to about a second.
CLOCK_MARGIN_S = 2.0


def host_name() -> str:
    """This process, as `TrainingRun.host` holds it."""
    return f"{socket.gethostname()}:{os.getpid()}"


def is_lost(*, host: str, last_sign: datetime | None) -> bool:
    """Whether what `host` had in hand is to be given to another: it has ended, or has been silent for too long."""
    if is_gone(host=host, last_sign=last_sign):
        return True
    patience = HANGS_AFTER if _is_alive_here(host) else LOST_AFTER
    return last_sign is not None and last_sign < timezone.now() - patience


def _is_alive_here(host: str) -> bool:
    """Whether a process of this very machine has that number, and is not stopped."""
    machine, _, number = host.rpartition(":")
    if machine != socket.gethostname() or not number.isdigit():
        return False
    try:
        return bool(psutil.Process(int(number)).status() != psutil.STATUS_STOPPED)
    except psutil.NoSuchProcess:
        return False


def is_gone(*, host: str, last_sign: datetime | None) -> bool:
    """Whether `host` is a process of this very machine that has ended; False for other machines, which cannot be asked.

    A process that began after `last_sign`, the last sign of life, has only got the number of the one that gave it: in
    a container that was started again they are given out anew.
    """
    machine, _, number = host.rpartition(":")
    if machine != socket.gethostname() or not number.isdigit():
        return False
    try:
        process = psutil.Process(int(number))
        if process.status() == psutil.STATUS_ZOMBIE:
            return True
        return last_sign is not None and process.create_time() > last_sign.timestamp() + CLOCK_MARGIN_S
    except psutil.NoSuchProcess:
        return True
