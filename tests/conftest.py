"""What every test stands on: a PostgreSQL of its own, files in a temporary folder, and small makers of rows."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from playwright.sync_api import Browser
from pytest_django import Settings

from benchmarks.browser_rater import chromium


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real Chromium, one for all tests: a second driver cannot run beside the first."""
    with chromium() as browser:
        yield browser


@pytest.fixture(autouse=True)
def plain_storage(settings: Settings, tmp_path: Path) -> None:
    """Files go to this test's own folder, and static files need no collecting."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.STORAGES = {
        **django_settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
