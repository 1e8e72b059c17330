"""What every test stands on: a PostgreSQL of its own, files in a temporary folder, and small makers of rows."""

from pathlib import Path

import pytest
from django.conf import settings as django_settings
from pytest_django import Settings


@pytest.fixture(autouse=True)
def plain_storage(settings: Settings, tmp_path: Path) -> None:
    """Files go to this test's own folder, and static files need no collecting."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.STORAGES = {
        **django_settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
