"""Who looks at the dashboard."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.webapp.factories import make_staff


@pytest.fixture
def researcher(db: None) -> User:
    return make_staff()


@pytest.fixture
def staff(client: Client, researcher: User) -> Client:
    """A browser in which the researcher has signed in."""
    client.force_login(researcher)
    return client


@pytest.fixture(autouse=True)
def nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a busy machine takes long to count is counted anew for each page."""
    monkeypatch.setattr("worker.kept.QUICK_S", float("inf"))
