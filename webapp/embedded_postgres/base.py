"""The database backend that Django loads for `ENGINE = "webapp.embedded_postgres"`."""

from pathlib import Path
from typing import Any

import psycopg
from django.db.backends.postgresql import base

from webapp.embedded_postgres.server import ensure_running


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL's own backend, which starts the server before the first connection and after a crash of it."""

    socket_directory = ""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        if DatabaseWrapper.socket_directory:
            try:
                return super().get_new_connection(conn_params | {"host": DatabaseWrapper.socket_directory})
            except psycopg.OperationalError:
                # The server is gone or still coming up: the next lines wait for it or start it anew.
                pass
        DatabaseWrapper.socket_directory = ensure_running(Path(self.settings_dict["DATA_DIRECTORY"]))
        return super().get_new_connection(conn_params | {"host": DatabaseWrapper.socket_directory})
