"""Back-up and restore: every row and every file again, or a sentence and nothing changed."""

import json
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from pytest_django import Settings

from listening_tests.exceptions import Refused
from listening_tests.models import Clip, ListeningTest, Rating
from tests.collection.sitting import an_answer, current_state, send, start_sitting
from tests.factories import make_pairs, make_test
from tests.webapp.factories import make_run, make_snapshot
from webapp.backups.manifest import manifest_read
from webapp.backups.restoring import backup_restore
from webapp.backups.writing import backup_write, last_backup_at
from worker.models import RunStatus

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def home(settings: Settings, tmp_path: Path) -> Path:
    """An installation's home with its key in a file."""
    return make_home(settings, tmp_path / "home", key="a key of fifty characters " * 2)


def make_home(settings: Settings, home: Path, *, key: str) -> Path:
    home.mkdir()
    (home / "secret_key").write_text(key)
    (home / "secret_key").chmod(0o600)
    settings.EARMARK_HOME, settings.MEDIA_ROOT, settings.SECRET_KEY = home, home / "media", key
    return home


@pytest.fixture
def test(home: Path) -> ListeningTest:
    test = make_test(contact_email="lab@example.org")
    make_pairs(test, 4)
    return test


@pytest.fixture
def backup(test: ListeningTest, tmp_path: Path) -> Path:
    backup_write(out=tmp_path / "backup")
    return tmp_path / "backup"


@pytest.fixture
def empty_database() -> Iterator[None]:
    """A database without tables in the place of the test's own."""
    usual = connection.settings_dict["NAME"]
    name = f"empty_{usual}"
    connection.close()
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        cursor.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = usual
        with connection._nodb_cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def all_rows() -> dict[str, list[str]]:
    """Every row of every table as PostgreSQL writes it."""
    with connection.cursor() as cursor:
        found = {}
        for name in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT t::text FROM {name} t ORDER BY 1")  # noqa: S608 -- our own tables
            found[name] = [row for (row,) in cursor.fetchall()]
    return found


def all_files(home: Path) -> dict[str, tuple[bytes, int]]:
    """Each file below `home` with its content and its mode."""
    return {
        str(path.relative_to(home)): (path.read_bytes(), path.stat().st_mode)
        for path in home.rglob("*")
        if path.is_file() and path.name != ".last_backup"
    }


def test_it_works(
    client: Client, test: ListeningTest, home: Path, settings: Settings, tmp_path: Path, empty_database: None
) -> None:
    original = connection.settings_dict["NAME"].removeprefix("empty_")
    connection.close()
    empty, connection.settings_dict["NAME"] = connection.settings_dict["NAME"], original
    start_sitting(client, test)
    send(client, test, an_answer(current_state(client, test)))
    link = client.get(f"/t/{test.slug}/link/").context["link"].removeprefix("http://testserver")
    (home / "locale" / "nl").mkdir(parents=True)
    (home / "locale" / "nl" / "django.po").write_text("words")
    (home / "cache").mkdir()
    (home / "cache" / "made-again").write_text("of no use")
    manifest = backup_write(out=tmp_path / "backup")
    rows, files, n_ratings = all_rows(), all_files(home), Rating.objects.count()

    connection.close()
    connection.settings_dict["NAME"] = empty
    other = make_home(settings, tmp_path / "other", key="a key that was made a moment ago" * 2)
    backup_restore(source=tmp_path / "backup")
    assert all_rows() == rows
    del files["cache/made-again"]
    assert all_files(other) == files
    assert manifest.tables["listening_tests_rating"] == n_ratings == 1
    assert manifest.missing == []
    assert not (other / ".restoring").exists()
    # As the next process reads it.
    settings.SECRET_KEY = (other / "secret_key").read_text()
    state = current_state(client, test)
    assert state["next"] is not None
    assert send(client, test, an_answer(state)).status_code == 201
    assert "2 of 4 sounds are rated and saved." in Client().get(link).content.decode()


def test_the_command_tells_what_it_did(test: ListeningTest, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("backup", str(tmp_path / "backup"))
    told = capsys.readouterr().out
    assert told.startswith(f"Backed up to {tmp_path / 'backup'}: ")
    assert " files (0 MB). Keep it on another machine.\n" in told
    assert last_backup_at() == datetime.fromisoformat(manifest_read(tmp_path / "backup").created)
    call_command("backup", str(tmp_path / "second"), "--json")
    assert json.loads(capsys.readouterr().out)["n_files"] == 1 + 2 * Clip.objects.exclude(original="").count()


def test_only_its_owner_can_read_it(backup: Path) -> None:
    assert backup.stat().st_mode & 0o777 == 0o700
    assert (backup / "home" / "secret_key").stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_gone_is_told(test: ListeningTest, home: Path, tmp_path: Path) -> None:
    clip = Clip.objects.filter(pairs__test=test).exclude(original="").first()
    assert clip is not None
    Path(clip.rendition.path).unlink(missing_ok=True)
    assert clip.rendition.name in backup_write(out=tmp_path / "backup").missing


def test_what_a_run_writes_just_now_stays_out(test: ListeningTest, home: Path, tmp_path: Path) -> None:
    run = make_run(test, RunStatus.QUEUED)
    for folder in (str(run.uuid), "00000000-ended"):
        (home / "media" / "runs" / folder).mkdir(parents=True)
        (home / "media" / "runs" / folder / "weights").write_text("half")
    backup_write(out=tmp_path / "backup")
    assert [path.name for path in (tmp_path / "backup" / "home" / "media" / "runs").iterdir()] == ["00000000-ended"]


def test_a_snapshots_sound_is_copied_once(test: ListeningTest, home: Path, tmp_path: Path) -> None:
    snapshot = make_snapshot(test)
    sound = home / "media" / "clips" / "ab" / "sound.wav"
    link = home / "media" / snapshot.directory / "audio" / "sound.wav"
    for path in (sound, link):
        path.parent.mkdir(parents=True, exist_ok=True)
    sound.write_bytes(b"sound")
    link.hardlink_to(sound)
    backup_write(out=tmp_path / "backup")
    copied = tmp_path / "backup" / "home" / "media"
    assert (copied / "clips/ab/sound.wav").samefile(copied / snapshot.directory / "audio" / "sound.wav")


class TestRefusedBackups:
    def test_a_folder_that_is_there(self, test: ListeningTest, tmp_path: Path) -> None:
        with pytest.raises(Refused) as refusal:
            backup_write(out=tmp_path)
        assert str(refusal.value) == (
            f"{tmp_path} is there already. A back-up is written once; name a folder that is not there yet."
        )

    def test_a_folder_among_the_files(self, test: ListeningTest, home: Path) -> None:
        with pytest.raises(Refused, match="is among the files that are backed up. Name a folder elsewhere"):
            backup_write(out=home / "media" / "backup")
        assert not (home / "media" / "backup").exists()

    def test_a_folder_that_cannot_be_made(self, test: ListeningTest, home: Path) -> None:
        with pytest.raises(Refused) as refusal:
            backup_write(out=home / "secret_key" / "backup")
        assert str(refusal.value) == (
            f"{home / 'secret_key' / 'backup'} cannot be written: File exists. Name a folder on a disk with room "
            "that this account may write to."
        )

    def test_no_pg_dump_of_the_servers_version(
        self, test: ListeningTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("webapp.backups.postgres_tools.server_major", lambda: 99)
        with pytest.raises(Refused) as refusal:
            backup_write(out=tmp_path / "backup")
        assert str(refusal.value) == (
            "The database is PostgreSQL 99, and no pg_dump 99 is here. Install PostgreSQL's programs of that version "
            "(Debian: apt-get install postgresql-client-99), then try again."
        )
        assert sorted(path.name for path in tmp_path.iterdir()) == ["home"]


class TestRefusedRestores:
    @pytest.fixture
    def other(self, backup: Path, settings: Settings, tmp_path: Path, empty_database: None) -> Path:
        return make_home(settings, tmp_path / "other", key="a key that was made a moment ago" * 2)

    def refused(self, backup: Path, other: Path) -> str:
        """What a restore is refused with, when it has changed nothing."""
        before = all_files(other)
        with pytest.raises(Refused) as refusal:
            backup_restore(source=backup)
        assert all_files(other) == before
        assert not (other / ".restoring").exists()
        assert connection.introspection.table_names() == []
        return str(refusal.value)

    def rewrite(self, backup: Path, **changes: Any) -> None:
        told = json.loads((backup / "manifest.json").read_text())
        (backup / "manifest.json").write_text(json.dumps(told | changes))

    def test_a_changed_byte_in_a_sound(self, backup: Path, other: Path) -> None:
        sound = next((backup / "home" / "media" / "clips").rglob("*.*"))
        content = bytearray(sound.read_bytes())
        content[-1] ^= 1
        sound.write_bytes(content)
        name = sound.relative_to(backup / "home")
        assert self.refused(backup, other) == (
            f"{name} in the back-up is not as it was written. Nothing was restored; take another back-up."
        )

    def test_a_file_that_is_missing(self, backup: Path, other: Path) -> None:
        sound = next((backup / "home" / "media" / "renditions").rglob("*.*"))
        sound.unlink()
        assert self.refused(backup, other).startswith(f"{sound.relative_to(backup / 'home')} in the back-up is not as")

    @pytest.mark.parametrize("name", ["database.dump", "files.jsonl"])
    def test_a_changed_byte_in(self, name: str, backup: Path, other: Path) -> None:
        content = bytearray((backup / name).read_bytes())
        content[len(content) // 2] ^= 1
        (backup / name).write_bytes(content)
        assert self.refused(backup, other) == (
            f"{name} in the back-up is not as it was written. Nothing was restored; take another back-up."
        )

    def test_no_back_up(self, other: Path, tmp_path: Path) -> None:
        assert self.refused(tmp_path, other) == (
            f"{tmp_path} is no back-up: there is no manifest.json in it. Name a folder that backup made."
        )

    def test_a_manifest_that_is_none(self, backup: Path, other: Path) -> None:
        (backup / "manifest.json").write_text("[]")
        assert "cannot be read as a manifest" in self.refused(backup, other)

    def test_a_kind_of_later(self, backup: Path, other: Path) -> None:
        self.rewrite(backup, schema=2)
        assert self.refused(backup, other) == (
            f"{backup} is a back-up of kind 2, and this Earmark knows kind 1. Restore it with the Earmark that made "
            "it, or a newer one."
        )

    def test_of_a_newer_earmark(self, backup: Path, other: Path) -> None:
        migrations = json.loads((backup / "manifest.json").read_text())["migrations"]
        self.rewrite(backup, migrations=[*migrations, "worker.9999_of_tomorrow"], code="abc")
        assert self.refused(backup, other) == (
            "The back-up was made by a newer Earmark (abc): its database has been through worker.9999_of_tomorrow, "
            "which this one does not know. Restore it with that version, or a newer one."
        )

    def test_of_a_newer_postgresql(self, backup: Path, other: Path) -> None:
        major = json.loads((backup / "manifest.json").read_text())["postgresql"]
        self.rewrite(backup, postgresql=99)
        assert self.refused(backup, other) == (
            f"The back-up is of PostgreSQL 99, and this database is PostgreSQL {major}. Name one of version 99 or "
            "newer in DATABASE_URL."
        )

    def test_a_key_from_the_environment(self, backup: Path, other: Path, settings: Settings) -> None:
        settings.SECRET_KEY = "another one, set in the environment"
        assert self.refused(backup, other) == (
            "SECRET_KEY is not the key that the back-up was made under, without which no rater's cookie and no "
            "personal link is known again. Leave SECRET_KEY out: the key comes with the back-up."
        )

    def test_files_that_are_there(self, backup: Path, other: Path) -> None:
        (other / "media" / "clips").mkdir(parents=True)
        assert self.refused(backup, other) == (
            f"{other / 'media'} is there already, and a back-up is restored into an empty EARMARK_HOME only. "
            "Name another."
        )

    def test_a_database_that_fails_takes_the_files_away_again(
        self, backup: Path, other: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shutil.copytree(backup, other.parent / "copy")
        dump = other.parent / "copy" / "database.dump"
        dump.write_bytes(dump.read_bytes()[:-1000])
        monkeypatch.setattr("webapp.backups.manifest.sha256_of", lambda path: digests[path.name])
        told = json.loads((backup / "manifest.json").read_text())
        digests = {"database.dump": told["database_sha256"], "files.jsonl": told["files_sha256"]}
        assert self.refused(other.parent / "copy", other).startswith("pg_restore failed: pg_restore: error: ")


def test_a_database_with_tables_is_not_restored_into(
    backup: Path, test: ListeningTest, settings: Settings, tmp_path: Path
) -> None:
    make_home(settings, tmp_path / "other", key="a key that was made a moment ago" * 2)
    before = all_rows()
    with pytest.raises(Refused) as refusal:
        backup_restore(source=backup)
    assert str(refusal.value) == (
        f"The database holds {len(before)} tables already, and a back-up is restored into an empty one only. Make a "
        "new database, or name another EARMARK_HOME; restore before Earmark is started there."
    )
    assert all_rows() == before
