"""The database backend that Django loads for `ENGINE = "webapp.embedded_postgres"`."""

import time
from pathlib import Path
from typing import Any

import psycopg
from django.db.backends.postgresql import base

from webapp.embedded_postgres.server import ensure_running

# A server that came back lets nobody in until it has repaired itself.
LONGEST_WAIT_S = 10
PAUSE_S = 0.1


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL's own backend, which starts the server before the first connection and after a crash of it."""

    socket_directory = ""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        if DatabaseWrapper.socket_directory:
            try:
                return self._connect(conn_params)
            except psycopg.OperationalError:
                # The server is gone or still coming up: the next lines wait for it or start it anew.
                pass
        began = time.monotonic()
        while True:
            DatabaseWrapper.socket_directory = ensure_running(Path(self.settings_dict["DATA_DIRECTORY"]))
            try:
                return self._connect(conn_params)
            except psycopg.OperationalError:
                if time.monotonic() - began > LONGEST_WAIT_S:
                    raise
                time.sleep(PAUSE_S)

    def _connect(self, conn_params: dict[str, Any]) -> Any:
        return super().get_new_connection(conn_params | {"host": DatabaseWrapper.socket_directory})
