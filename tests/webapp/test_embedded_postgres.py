"""The embedded PostgreSQL, where it cannot be."""

from pathlib import Path

import pytest
from psycopg import OperationalError

from webapp.embedded_postgres.server import ensure_running


def test_a_path_with_a_space_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "my home" / "postgres"
    with pytest.raises(OperationalError) as refusal:
        ensure_running(home)
    assert str(refusal.value) == (
        f"The embedded PostgreSQL cannot live in {home}, for that path has a space in it. "
        "Set EARMARK_HOME to a directory without one, or DATABASE_URL to a PostgreSQL of yours."
    )
    assert not home.parent.exists()
