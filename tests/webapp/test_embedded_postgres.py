"""The embedded PostgreSQL, where it cannot be."""

from pathlib import Path

import pytest
from psycopg import OperationalError

from webapp.embedded_postgres.server import PostgresServer, ensure_running


def test_a_path_with_a_space_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "my home" / "postgres"
    with pytest.raises(OperationalError) as refusal:
        ensure_running(home)
    assert str(refusal.value) == (
        f"The embedded PostgreSQL cannot live in {home}, for that path has a space in it. "
        "Set EARMARK_HOME to a directory without one, or DATABASE_URL to a PostgreSQL of yours."
    )
    assert not home.parent.exists()


def test_files_that_could_not_be_made_are_made_at_the_next_try(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []

    def fail(server: PostgresServer) -> None:
        tries.append(server.pgdata)
        if len(tries) == 1:
            raise FileNotFoundError
        # Anything that is not tried again.
        raise PermissionError

    monkeypatch.setattr(PostgresServer, "ensure_pgdata_inited", fail)
    with pytest.raises(PermissionError):
        ensure_running(tmp_path / "postgres")
    assert tries == [tmp_path / "postgres"] * 2
