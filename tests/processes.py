"""Where tests run in several processes (`-n`, see the Makefile): which stay together, and who ends PostgreSQL.

pytest-xdist's own groups do nothing under pytest 9.2, which builds a test's name anew
(https://github.com/pytest-dev/pytest-xdist/issues/1386).
"""

import os
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# These share what takes seconds to make: a running installation, WebKit, a trained model; or they take so long that
# they should begin first, as what is together does, the most tests foremost.
TOGETHER = (
    "tests/faults/",
    "tests/browser/test_second_engine.py",
    "tests/modeling/",
    "tests/webapp/test_serve.py",
)


class TogetherOrOneByOne(LoadScopeScheduling):
    def _split_scope(self, nodeid: str) -> str:
        return next((start for start in TOGETHER if nodeid.startswith(start)), nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    return TogetherOrOneByOne(config, log)


def pytest_sessionstart(session: pytest.Session) -> None:
    """The first of several processes holds PostgreSQL too: it ends last, and then nothing is left of the server."""
    if session.config.option.numprocesses:
        from webapp.embedded_postgres.server import ensure_running

        ensure_running(Path(os.environ["EARMARK_HOME"]) / "postgres")
