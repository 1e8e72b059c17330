"""Commands as a shell would run them."""

import pytest
from django.core.management import execute_from_command_line


def run_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str
) -> tuple[int, str, str]:
    """The exit code, stdout and stderr of `manage.py` with these words."""
    # The test's transaction lives in the connection that a command would close behind itself.
    monkeypatch.setattr("django.db.connections.close_all", lambda: None)
    code = 0
    try:
        execute_from_command_line(["manage.py", *words])
    except SystemExit as end:
        code = int(str(end.code))
    told = capsys.readouterr()
    return code, told.out, told.err
