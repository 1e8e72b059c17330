"""`manage.py doctor`: every check passed, failed and where it can be not checked, with what it says."""

import json
import os
import smtplib
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from django.db import OperationalError, connection
from django.test import override_settings
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError
from pytest_django import Settings

from listening_tests.choices import TestStatus
from tests.collection.shell import run_command
from tests.factories import make_pair, make_test
from tests.webapp.factories import make_rating, make_run, make_running_run
from webapp.doctor import database, files, queues, site, software, work
from webapp.doctor.checkup import CHECKS
from webapp.doctor.finding import Finding, Outcome, failed, passed, unchecked
from worker.beat_sign import beat_sign_give
from worker.models import RunStatus, TrainingRun
from worker.schedule import minute_look

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def home(settings: Settings, tmp_path: Path) -> Path:
    settings.EARMARK_HOME = tmp_path
    return tmp_path


def assert_failed(finding: Finding, told: str, next_step: str) -> None:
    assert finding == failed(told, next_step)


class TestTheCommand:
    def run(self, monkeypatch: pytest.MonkeyPatch, capsys: Any, *words: str, **checks: Finding) -> tuple[int, str]:
        found: dict[str, Callable[[], Finding]] = {
            name: (lambda finding=finding: finding) for name, finding in checks.items()
        }
        monkeypatch.setattr("webapp.doctor.checkup.CHECKS", found)
        code, out, _ = run_command(monkeypatch, capsys, "doctor", *words)
        return code, out

    def test_it_works(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        code, out = self.run(monkeypatch, capsys, one=passed("All is well."), two=unchecked("Not known.", "Ask."))
        assert code == 0
        assert out == (
            "passed           All is well.\n"
            "could not check  Not known.\n"
            "                 Ask.\n"
            "2 checks: 1 passed, 0 failed, 1 could not check.\n"
        )

    def test_a_failure(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        code, out = self.run(monkeypatch, capsys, "--json", one=passed("Well."), two=failed("Broken.", "Mend it."))
        assert code == 1
        assert json.loads(out) == {
            "passed": 1,
            "failed": 1,
            "unchecked": 0,
            "checks": [
                {"check": "one", "outcome": "passed", "told": "Well.", "next": ""},
                {"check": "two", "outcome": "failed", "told": "Broken.", "next": "Mend it."},
            ],
        }

    def test_a_check_that_breaks_stops_no_other(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def broken() -> Finding:
            raise ZeroDivisionError("by zero")

        def away() -> Finding:
            raise OperationalError("gone")

        checks = {"broken": broken, "away": away, "last": lambda: passed("Well.")}
        monkeypatch.setattr("webapp.doctor.checkup.CHECKS", checks)
        code, out, _ = run_command(monkeypatch, capsys, "doctor")
        assert code == 0
        assert out == (
            "could not check  The check itself broke: ZeroDivisionError: by zero.\n"
            "could not check  The database does not tell: it is away, or not of this version.\n"
            "                 Mend what is said of the database and its migrations first.\n"
            "passed           Well.\n"
            "3 checks: 1 passed, 0 failed, 2 could not check.\n"
        )

    def test_the_list_is_the_one_that_operators_read_about(self) -> None:
        told = (Path(__file__).resolve().parents[2] / "docs" / "OPERATING.md").read_text()
        for name in CHECKS:
            assert f"| `{name}` |" in told


class TestSoftware:
    def test_it_works(self) -> None:
        assert software.python_version().outcome == Outcome.PASSED
        assert software.packages() == passed("Every package is there in the version that Earmark was tested with.")
        assert software.audio_formats() == passed(
            "Sounds in WAV, FLAC, Ogg Vorbis, MP3 and AAC were written, read and rendered."
        )

    def test_another_python(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("webapp.doctor.software.NEWEST_PYTHON", (3, 10))
        monkeypatch.setattr("webapp.doctor.software.OLDEST_PYTHON", (3, 9))
        assert software.python_version().next_step == "Set it up anew with Python 3.11, 3.12 or 3.13."

    def test_other_packages(self, settings: Settings, tmp_path: Path) -> None:
        settings.BASE_DIR = tmp_path
        assert software.packages().outcome == Outcome.UNCHECKED
        (tmp_path / "requirements.txt").write_text("# Pinned.\nDjango==1.0\nno-such-package==1\nnumpy>=1\n")
        finding = software.packages()
        assert finding.told.startswith("2 packages are not those that Earmark was tested with: Django is 5")
        assert finding.told.endswith(", not ==1.0, no-such-package is missing.")

    def test_a_sound_that_cannot_be_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("webapp.doctor.software._aac", lambda tone: b"no sound")
        assert software.audio_formats().told.startswith("Sounds cannot be read: m4a (tone.m4a ")

    def test_torch_that_does_not_load(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("webapp.doctor.software._LOAD_TORCH", "import no_such_module")
        finding = software.torch_and_device()
        assert finding.told == "torch cannot be loaded: ModuleNotFoundError: No module named 'no_such_module'."

    def test_torch_on_a_gpu(self, monkeypatch: pytest.MonkeyPatch) -> None:
        told = '{"torch": "2.13.0", "device": "NVIDIA H200", "is_gpu": true}'
        monkeypatch.setattr("webapp.doctor.software._LOAD_TORCH", f"print('{told}')")
        assert software.torch_and_device() == passed("torch 2.13.0 works here, on NVIDIA H200.")

    def test_the_model(self, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        settings.EARMARK_PRESET = "small"
        assert software.model_here().outcome == Outcome.PASSED
        settings.EARMARK_PRESET = "human-clap"
        monkeypatch.setattr("worker.models_at_hand.try_to_load_from_cache", lambda *_: None)
        assert software.model_here().outcome == Outcome.UNCHECKED
        (tmp_path / "model.safetensors").touch()
        monkeypatch.setattr(
            "worker.models_at_hand.try_to_load_from_cache", lambda *_: str(tmp_path / "model.safetensors")
        )
        assert software.model_here() == passed(
            "The model that runs begin with, laion/clap-htsat-unfused, lies on this machine."
        )


class TestDatabase:
    def test_it_works(self) -> None:
        assert database.answers().told.startswith("PostgreSQL ")
        assert database.migrations() == passed("The database is of this Earmark's version.")
        assert database.clock() == passed("The clocks of this machine and of the database agree.")

    def test_away(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse() -> None:
            raise OperationalError("connection refused.\nIs it running?")

        monkeypatch.setattr("webapp.doctor.database.connection.ensure_connection", refuse)
        assert_failed(
            database.answers(),
            "The database does not answer: connection refused.",
            "Check DATABASE_URL, and that PostgreSQL runs.",
        )

    def test_too_old(self, monkeypatch: pytest.MonkeyPatch) -> None:
        old = SimpleNamespace(
            ensure_connection=lambda: None, connection=SimpleNamespace(info=SimpleNamespace(server_version=130_004))
        )
        monkeypatch.setattr("webapp.doctor.database.connection", old)
        assert_failed(database.answers(), "PostgreSQL 13.4 is too old.", "Move to PostgreSQL 14 or newer.")

    def test_another_version_of_earmark(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('worker', '9999_newer', now())")
        assert (
            database.migrations().told == "The database is of a newer Earmark: it has been through worker.9999_newer."
        )
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM django_migrations WHERE app = 'worker'")
        assert_failed(
            database.migrations(),
            f"{len(list(Path('worker/migrations').glob('0*.py')))} migrations have not been applied, "
            "worker.0001_training_loop first.",
            "Run manage.py prepare.",
        )

    def test_what_may_be_lost(self) -> None:
        # The tests' own PostgreSQL waits for no disk.
        assert_failed(
            database.durability(),
            "PostgreSQL may lose ratings that were acknowledged: fsync, synchronous_commit, full_page_writes is off.",
            "Set fsync = on and synchronous_commit = on and full_page_writes = on in postgresql.conf, and reload.",
        )

    def test_a_clock_that_is_wrong(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("webapp.doctor.database.time", SimpleNamespace(time=lambda: time.time() - 60))
        assert database.clock().told == (
            "The clocks of this machine and of the database differ by 60.0 s: leases end early or late."
        )


class TestQueues:
    def attend(self, monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
        """Lets workers answer on these queues."""
        answer = {f"{name}@host": [{"name": name}] for name in names} or None
        inspect = lambda **_: SimpleNamespace(active_queues=lambda: answer)  # noqa: E731
        monkeypatch.setattr("webapp.doctor.queues.celery_app.control.inspect", inspect)

    def test_it_works(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.attend(monkeypatch, "gpu", "default")
        assert queues.workers() == passed("A worker answers on each queue: default, gpu.")

    def test_nobody_answers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.attend(monkeypatch, "default")
        assert_failed(queues.workers(), "No worker answers on: gpu.", "Start it with manage.py start worker-gpu.")
        self.attend(monkeypatch)
        assert queues.workers().told == "No worker answers on: default, gpu."

    def test_no_broker(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        # The tests have none: the socket's folder is not there.
        assert queues.broker().told.startswith("The queue's broker does not answer: ")
        assert queues.broker().next_step == "Start it, or check CELERY_BROKER_URL."
        assert queues.workers().next_step == "Mend what is said of the broker first."

    def test_no_scorer(self, settings: Settings, tmp_path: Path) -> None:
        settings.EARMARK_SCORER = f"unix:{tmp_path}/nobody.sock"
        assert_failed(
            queues.scorer(),
            "The scorer does not answer: nobody is told what a model thinks of a sound.",
            "Start it with manage.py start scorer, or check EARMARK_SCORER.",
        )

    def test_beat(self, settings: Settings) -> None:
        assert queues.beat().told == (
            "The look of every minute has not been carried out yet: nothing opens, closes, or is trained by date."
        )
        minute_look()
        assert queues.beat() == passed("Beat asks for what is due, and it is carried out.")
        beat_sign_give()
        os.utime(Path(settings.MEDIA_ROOT) / ".last_look", (1_700_000_000, 1_700_000_000))
        assert " has not been carried out since 2023-11-14 22:13 UTC: " in queues.beat().told


class Usage(NamedTuple):
    total: int
    used: int
    free: int


class TestFiles:
    def test_it_works(self, home: Path) -> None:
        (home / "secret_key").touch(mode=0o600)
        assert files.media_writable().outcome == Outcome.PASSED
        assert list((home / "media").iterdir()) == []
        assert files.disk_space().told.startswith("There is room on the disk: ")
        assert files.private_files() == passed("Nobody else on this machine may read the secrets.")

    def test_files_that_cannot_be_written(self, home: Path) -> None:
        (home / "media").write_text("no folder")
        assert_failed(
            files.media_writable(),
            f"{home / 'media'} cannot be written: File exists.",
            "Give it to the account that Earmark runs under; on a network disk, mount it so that it can be written.",
        )

    def test_a_full_disk(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("webapp.doctor.files.shutil.disk_usage", lambda _: Usage(100, 99, 1024**3))
        assert files.disk_space().told == f"The disk is nearly full: {home} has 1.0 GB left, and 5 GB are wanted."

    def test_secrets_that_others_read(self, home: Path) -> None:
        (home / "secret_key").touch()
        (home / "secret_key").chmod(0o644)
        path = home / "secret_key"
        assert_failed(files.private_files(), f"Others on this machine may read {path}.", f"Run chmod 600 {path}.")

    def test_back_ups(self, settings: Settings) -> None:
        test = make_test()
        assert files.last_backup().outcome == Outcome.UNCHECKED
        make_rating(make_pair(test), 7)
        assert_failed(
            files.last_backup(),
            "No back-up was ever made, and people have answered.",
            "Run manage.py backup FOLDER, and let it run each night.",
        )
        mark = Path(settings.MEDIA_ROOT) / ".last_backup"
        mark.parent.mkdir(exist_ok=True)
        mark.write_text((timezone.now() - timedelta(days=9)).isoformat())
        assert files.last_backup().told == "The last back-up was made 9 days ago, and people have answered."
        mark.write_text((timezone.now() - timedelta(days=1)).isoformat())
        assert files.last_backup() == passed("The last back-up was made yesterday.")


class TestSite:
    @pytest.fixture
    def hardened(self, settings: Settings) -> Settings:
        settings.IS_HARDENED = True
        settings.ALLOWED_HOSTS = ["listen.example.org"]
        settings.EARMARK_URL = "https://listen.example.org"
        return settings

    def test_it_works(self, hardened: Settings) -> None:
        hardened.SECRET_KEY = "0123456789" * 5
        assert site.secret_key() == passed("The secret key is one that nobody guesses.")
        assert site.debug() == passed("DEBUG is off.")
        assert site.hosts() == passed("The site answers as listen.example.org.")
        assert site.https() == passed("The site takes https alone.")

    @pytest.mark.parametrize("key", ["short", "a" * 60, "django-insecure-" + "0123456789" * 5])
    def test_a_key_that_can_be_guessed(self, settings: Settings, key: str) -> None:
        settings.SECRET_KEY = key
        assert site.secret_key().told == (
            "The secret key can be guessed: it must be random, and at least 50 letters long."
        )

    def test_debug(self) -> None:
        with override_settings(DEBUG=True):
            assert site.debug().next_step == "Leave DEBUG out."

    def test_names(self, hardened: Settings) -> None:
        hardened.ALLOWED_HOSTS = ["*"]
        assert site.hosts().told == "The site answers under any name."
        hardened.ALLOWED_HOSTS = ["localhost"]
        assert site.hosts().told == "The site answers on this machine alone."

    def test_plain_http(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        assert site.https() == passed("The site is for this machine alone, over plain http.")
        monkeypatch.setenv("EARMARK_BIND", "0.0.0.0")  # noqa: S104 -- nothing is bound
        assert site.https().told == (
            "The site is reached from other machines over plain http: whoever is on the way reads passwords."
        )

    def test_an_address_that_is_not_the_sites(self, hardened: Settings) -> None:
        hardened.EARMARK_URL = "http://localhost:8000"
        assert_failed(
            site.https(),
            "EARMARK_URL is http://localhost:8000, which is not how people find the site.",
            "Set it to https:// and one of EARMARK_HOSTS: https://listen.example.org.",
        )

    def test_the_site_itself(self, live_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        host, port = live_server.url.removeprefix("http://").rsplit(":", 1)
        monkeypatch.setenv("EARMARK_BIND", host)
        monkeypatch.setenv("PORT", port)
        assert site.answers() == passed(f"The site answers at {live_server.url}/health/.")

    def test_a_site_that_is_away(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PORT", "1")
        assert_failed(
            site.answers(),
            "The site does not answer at http://127.0.0.1:1/health/: [Errno 111] Connection refused.",
            "Start it, and see that the name leads to it.",
        )

    def test_mail(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        assert site.email().outcome == Outcome.UNCHECKED
        settings.EMAIL_HOST, settings.EMAIL_PORT = "mail.example.org", 587
        assert site.email() == passed("The mail server mail.example.org lets Earmark in.")

        def refuse(**_: object) -> None:
            raise smtplib.SMTPAuthenticationError(535, b"no")

        monkeypatch.setattr("webapp.doctor.site.get_connection", refuse)
        assert site.email().told.startswith("The mail server mail.example.org:587 lets nobody in: ")


class TestWork:
    def test_open_tests(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert work.open_tests() == passed("No test is open.")
        make_test(title="Rain")
        make_test(title="Wind")
        make_test(title="Not yet", status=TestStatus.DRAFT)
        monkeypatch.setattr("webapp.doctor.work.queues_without_worker", lambda: ["gpu"])
        assert work.open_tests() == passed(
            "Raters are let in to “Rain” and 1 more, and a worker looks after what they answer."
        )
        monkeypatch.setattr("webapp.doctor.work.queues_without_worker", lambda: ["default"])
        assert work.open_tests().told == (
            "Raters are let in to “Rain” and 1 more, and no worker looks after it: no screening, no notices, no dates."
        )

        def away() -> list[str]:
            raise BrokerError("away")

        monkeypatch.setattr("webapp.doctor.work.queues_without_worker", away)
        assert work.open_tests().outcome == Outcome.FAILED

    def test_runs(self) -> None:
        assert work.stuck_runs() == passed("No run is stuck.")
        run = make_running_run(make_test())
        waiting = make_run(make_test(), RunStatus.QUEUED)
        TrainingRun.objects.filter(pk=waiting.pk).update(created_at=timezone.now() - timedelta(hours=1))
        assert work.stuck_runs() == passed("No run is stuck.")
        TrainingRun.objects.filter(pk=run.pk).update(heartbeat_at=timezone.now() - timedelta(minutes=6))
        assert work.stuck_runs().told == f"{run} has given no sign of life for minutes."
        TrainingRun.objects.filter(pk=run.pk).update(status=RunStatus.DONE, finished_at=timezone.now())
        assert work.stuck_runs().told == f"{waiting} has waited in the queue for long, and nothing is being trained."
