"""What every test stands on: a PostgreSQL of its own, files in a temporary folder, and small makers of rows."""

import fcntl
import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import connection, transaction
from django.test import TransactionTestCase, override_settings
from playwright.sync_api import Browser
from pytest_django import DjangoDbBlocker, Settings

from benchmarks.browser_rater import chromium

# The tests' databases live as long as the tests. What a crash leaves is proved on installations of their own.
HASTE = ("fsync", "synchronous_commit", "full_page_writes")
# Made by the migrations, and the same for every test.
KEPT_TABLES = {"django_migrations", "django_content_type", "auth_permission"}


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: DjangoDbBlocker
) -> None:
    """PostgreSQL waits for no disk, and one of several processes migrates for all."""
    with django_db_blocker.unblock():
        with connection._nodb_cursor() as cursor:
            for name in HASTE:
                cursor.execute(f"ALTER SYSTEM SET {name} = off")
            cursor.execute("SELECT pg_reload_conf()")
        if "PYTEST_XDIST_TESTRUNUID" in os.environ:
            run = os.environ["PYTEST_XDIST_TESTRUNUID"]
            connection.settings_dict["TEST"]["TEMPLATE"] = migrated_database(f"migrated_{run}")


def migrated_database(name: str) -> str:
    """The name of a database with all tables and no rows; the first process to ask makes it, the others wait."""
    with (Path(os.environ["EARMARK_HOME"]) / "migrating.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with connection._nodb_cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
            if cursor.fetchone() is not None:
                return name
            cursor.execute(f"CREATE DATABASE {name}")
        usual = connection.settings_dict["NAME"]
        connection.settings_dict["NAME"] = name
        try:
            call_command("migrate", verbosity=0, interactive=False)
        finally:
            # A database that anybody is connected to cannot be copied.
            connection.close()
            connection.settings_dict["NAME"] = usual
    return name


def pytest_collection_finish() -> None:
    """What was imported stays: to look through all of it for what can go, again and again, is a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real Chromium, one for all tests: a second driver cannot run beside the first."""
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """To hash a password as the site does takes longer than most tests."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(scope="session", autouse=True)
def quick_flush() -> Iterator[None]:
    """After a test with transactions only the rows go that are there, and what no test changes stays.

    Django would truncate every table and make all content types and permissions anew.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda case: tables_empty())
        yield


def tables_empty() -> None:
    tables = [name for name in connection.introspection.table_names() if name not in KEPT_TABLES]
    with transaction.atomic(), connection.cursor() as cursor:
        # A request of the last test may still be writing.
        cursor.execute(f"LOCK TABLE {', '.join(map(connection.ops.quote_name, tables))} IN EXCLUSIVE MODE")
        looks = [f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in tables]  # noqa: S608 -- our own
        cursor.execute(" UNION ALL ".join(looks))
        filled = [name for (name,) in cursor.fetchall()]
        # Neither triggers nor foreign keys: all that refers to a row goes with it.
        cursor.execute("SET LOCAL session_replication_role = replica")
        for name in filled:
            cursor.execute(f"DELETE FROM {name}")  # noqa: S608 -- our own


@pytest.fixture(autouse=True)
def plain_storage(settings: Settings, tmp_path: Path) -> None:
    """Files go to this test's own folder, and static files need no collecting."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.STORAGES = {
        **django_settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
