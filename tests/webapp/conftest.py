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
