"""Who carries out a run: a process of a machine, named so that another process there can tell whether it is gone."""

import os
import socket
from datetime import datetime

import psutil  # type: ignore[import-untyped]

# The time at which a process began is known to about a second.
CLOCK_MARGIN_S = 2.0


def host_name() -> str:
    """This process, as `TrainingRun.host` holds it."""
    return f"{socket.gethostname()}:{os.getpid()}"


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
