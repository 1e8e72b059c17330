"""What every test stands on: a PostgreSQL of its own, files in a temporary folder, and small makers of rows."""

import os
import tempfile
from pathlib import Path

# Before Django reads its settings: tests never touch a person's data. The name is short, for a socket lies in it.
if "EARMARK_TEST_HOME" not in os.environ:
    os.environ["EARMARK_TEST_HOME"] = tempfile.mkdtemp(prefix="emt-")
os.environ["EARMARK_HOME"] = os.environ["EARMARK_TEST_HOME"]
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright's loop runs in the test's own thread.

import pytest  # noqa: E402
from django.conf import settings as django_settings  # noqa: E402


@pytest.fixture(autouse=True)
def plain_storage(settings: "pytest.fixture", tmp_path: Path) -> None:
    """Files go to this test's own folder, and static files need no collecting."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.STORAGES = {
        **django_settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
