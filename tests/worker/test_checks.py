"""What `manage.py check`, and every start, says of the settings that concern training."""

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from pytest_django import Settings


def test_it_works(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    settings.EARMARK_PRESET = "small"
    call_command("check", "worker")
    assert capsys.readouterr().out == "System check identified no issues (0 silenced).\n"


def test_an_unknown_preset_is_refused_by_the_variables_name(settings: Settings) -> None:
    settings.EARMARK_PRESET = "large"
    with pytest.raises(SystemCheckError) as refusal:
        call_command("check", "worker")

    assert "(worker.E001) EARMARK_PRESET names no preset: “large”." in str(refusal.value)
    assert "HINT: Set it to one of human-clap, small, spo, svr, xacle-baseline, or leave it out." in str(refusal.value)
