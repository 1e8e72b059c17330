"""Which configuration a run uses: a preset by name, with the settings of a file laid over it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings

from listening_tests.models import ListeningTest
from modeling.config import TrainingConfig, load_config, override
from worker.models import TrainingPlan


def preset_of_request(*, test: ListeningTest, preset: str = "") -> str:
    """The preset asked for, else the test's own, else the installation's (EARMARK_PRESET)."""
    plan = TrainingPlan.objects.filter(test=test).first()
    return preset or (plan.preset if plan else "") or str(settings.EARMARK_PRESET)


def config_of_request(*, preset: str, config_file: Path | None) -> dict[str, Any]:
    """The whole configuration, ready to be stored. Raises `ConfigError` with every mistake."""
    return load_config(config_file, preset).as_dict()


def config_of_run(config: Mapping[str, Any]) -> TrainingConfig:
    """The stored configuration as modeling takes it. Raises `ConfigError` for a setting that is known no more."""
    return override(TrainingConfig(), config)
