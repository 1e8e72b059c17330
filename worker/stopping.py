"""That a worker was asked to stop, as the process that carries out its task can see it."""

import mmap

# One byte that the worker's main process, which gets the signal, shares with the child that trains.
_stop_byte: mmap.mmap | None = None


def stop_prepare() -> None:
    """Makes the byte; before the children are made."""
    global _stop_byte
    _stop_byte = mmap.mmap(-1, 1)


def stop_request() -> None:
    """Asks the run of this process, or of its children, to end after its current step. Safe in a signal handler."""
    if _stop_byte is not None:
        _stop_byte[0] = 1


def stop_requested() -> bool:
    return _stop_byte is not None and _stop_byte[0] == 1
