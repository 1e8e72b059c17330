"""Reading settings from the environment, and the files that an installation keeps for itself."""

import io
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from pytest_django import Settings

from tests.factories import make_test
from webapp.embedded_broker import broker_url, server_command, socket_path
from webapp.environment import (
    read_address,
    read_choice,
    read_database_url,
    read_flag,
    read_list,
    read_port,
    read_positive,
    read_rate,
)
from webapp.first_account import first_account_create, first_password_still_valid
from webapp.processes import programs, supervisor_configuration
from webapp.secret_key import secret_key_read_or_create


def test_it_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", " yes ")
    assert read_flag("X", default=False)
    assert read_flag("ABSENT", default=True)
    monkeypatch.setenv("X", "a.example.org, b.example.org")
    assert read_list("X", []) == ["a.example.org", "b.example.org"]
    monkeypatch.setenv("X", "8001")
    assert read_port("X", 8000) == 8001
    assert (read_positive("X", 24), read_positive("ABSENT", 24)) == (8001, 24)


def test_bad_values_are_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", "perhaps")
    with pytest.raises(ImproperlyConfigured) as refusal:
        read_flag("X", default=False)
    assert str(refusal.value) == "X is 'perhaps'. Set it to 1 or 0."
    with pytest.raises(ImproperlyConfigured) as refusal:
        read_choice("X", ("local", "production"), "local")
    assert str(refusal.value) == "X is 'perhaps'. Set it to one of: local, production."
    with pytest.raises(ImproperlyConfigured) as refusal:
        read_port("X", 8000)
    assert str(refusal.value) == "X is 'perhaps'. Set it to a number from 1 to 65535."
    with pytest.raises(ImproperlyConfigured) as refusal:
        read_address("X", "", "redis://host:6379/0")
    assert str(refusal.value) == "X is 'perhaps'. Set it to an address such as redis://host:6379/0."
    with pytest.raises(ImproperlyConfigured) as refusal:
        read_positive("X", 24)
    assert str(refusal.value) == "X is 'perhaps'. Set it to a number above 0."
    for rate in ("perhaps", "1200", "0/min", "12/", "x/min"):
        monkeypatch.setenv("X", rate)
        with pytest.raises(ImproperlyConfigured) as refusal:
            read_rate("X", "1200/min")
        assert str(refusal.value) == f"X is '{rate}'. Set it to a rate such as 1200/min."
    with pytest.raises(ImproperlyConfigured) as refusal:
        read_database_url("X")
    assert str(refusal.value) == "X must look like postgresql://user:password@host:5432/database."


def test_database_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://ann:p%40ss@db.example.org:5433/earmark?sslmode=require")
    assert read_database_url("DATABASE_URL") == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "earmark",
        "USER": "ann",
        "PASSWORD": "p@ss",
        "HOST": "db.example.org",
        "PORT": "5433",
        "OPTIONS": {"sslmode": "require"},
    }
    monkeypatch.setenv("DATABASE_URL", "postgresql://ann@/earmark?host=/run/postgresql")
    entry = read_database_url("DATABASE_URL")
    assert entry is not None
    assert (entry["HOST"], entry["OPTIONS"]) == ("/run/postgresql", {})


def test_secret_key_is_made_once_and_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "home" / "secret_key"
    key = secret_key_read_or_create(path)
    assert len(key) >= 50
    assert secret_key_read_or_create(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["secret_key"]


@pytest.mark.django_db
def test_first_account_has_a_password_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "first_password"
    assert first_account_create(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    password = first_password_still_valid(file)
    assert password is not None
    assert len(password) >= 16
    assert not first_account_create(file)
    assert first_password_still_valid(file) == password


def test_socket_path_is_never_too_long(tmp_path: Path) -> None:
    assert socket_path(Path("/srv/earmark")) == Path("/srv/earmark/broker/broker.sock")
    assert broker_url(Path("/srv/earmark")) == "redis+socket:///srv/earmark/broker/broker.sock"
    deep = Path("/srv") / ("d" * 120)
    assert len(str(socket_path(deep))) < 100
    assert socket_path(deep) != socket_path(deep / "other")


OURS = ["web", "worker-default", "worker-gpu", "beat"]


def test_processes_are_the_broker_scorer_web_a_worker_a_queue_and_beat(tmp_path: Path) -> None:
    described = programs(home=tmp_path, bind="127.0.0.1:8000", with_broker=True)
    assert [program.name for program in described] == ["broker", "scorer", *OURS]
    without = programs(home=tmp_path, bind="127.0.0.1:8000", with_broker=False, with_scorer=False)
    assert [program.name for program in without] == OURS
    text = supervisor_configuration(described, home=tmp_path, directory=tmp_path)
    assert "gpu@%%h" in text
    assert "[program:broker]\n" in text


def test_web_process_loads_neither_torch_nor_statistics_nor_pictures(tmp_path: Path) -> None:
    code = (
        "import django, sys; django.setup(); import webapp.wsgi, webapp.urls, worker.tasks; "
        "from django.urls import get_resolver; get_resolver().url_patterns; "
        "from django.urls import reverse; reverse('dashboard:test_list'); "
        "heavy = {'torch', 'torchaudio', 'transformers', 'statsmodels', 'pandas', 'matplotlib'}; "
        "heavy |= {'scipy.stats', 'scipy.signal'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "webapp.settings", "EARMARK_HOME": str(tmp_path)}
    found = subprocess.run(  # noqa: S603 -- our own words
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"


def test_production_is_hardened(tmp_path: Path) -> None:
    code = (
        "from webapp import settings as s; print(s.DEBUG, s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, "
        "s.SECURE_SSL_REDIRECT, s.SECURE_HSTS_SECONDS, s.ALLOWED_HOSTS)"
    )
    environment = os.environ | {
        "EARMARK_HOME": str(tmp_path),
        "EARMARK_PROFILE": "production",
        "EARMARK_HOSTS": "listening.example.org",
    }
    found = subprocess.run(  # noqa: S603 -- our own words
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "False True True True 31536000 ['listening.example.org']"


def test_broker_is_not_started_in_a_folder_of_somebody_elses(tmp_path: Path) -> None:
    (tmp_path / "broker").mkdir()
    (tmp_path / "broker").chmod(0o777)
    with pytest.raises(ImproperlyConfigured) as refusal:
        server_command(tmp_path)
    assert str(refusal.value) == (
        f"{tmp_path / 'broker'} belongs to somebody else, or others may write to it. Remove it, or choose another "
        "EARMARK_HOME."
    )
    (tmp_path / "broker").chmod(0o700)
    assert server_command(tmp_path)[0].endswith("valkey-server")


@pytest.mark.django_db
def test_a_test_of_ones_own_at_the_demos_address_does_not_hinder_the_start(settings: Settings, tmp_path: Path) -> None:
    settings.EARMARK_HOME, settings.STATIC_ROOT = tmp_path, tmp_path / "static"
    make_test(slug="demo")
    said = io.StringIO()
    call_command("prepare", stdout=said)
    assert "There is no demo: A test of your own has the address “demo”." in said.getvalue()
    assert (tmp_path / "demo_was_made").exists()
