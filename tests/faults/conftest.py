"""One real installation for all tests of faults: `manage.py serve`, with everything that it starts."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.broken_wire import Wire, wire_to
from benchmarks.installation import Installation


@pytest.fixture(scope="session")
def installation() -> Iterator[Installation]:
    # Short, since a socket lies in it, and open to be traversed, since PostgreSQL runs as a user of its own.
    with tempfile.TemporaryDirectory(prefix="emf-") as directory:
        installation = Installation(Path(directory) / "home")
        installation.start()
        yield installation
        installation.stop()
        assert installation.processes() == []


@pytest.fixture
def wire(installation: Installation) -> Iterator[Wire]:
    with wire_to(installation.port) as wire:
        yield wire
