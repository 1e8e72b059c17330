"""Settings that must agree with what the rooms below know, found out before anything starts."""

from typing import Any

from django.conf import settings
from django.core.checks import Error, register

from modeling.config import PRESETS


@register
def preset_is_known(**_: Any) -> list[Error]:
    if settings.EARMARK_PRESET in PRESETS:
        return []
    return [
        Error(
            f"EARMARK_PRESET names no preset: “{settings.EARMARK_PRESET}”.",
            hint=f"Set it to one of {', '.join(sorted(PRESETS))}, or leave it out.",
            id="worker.E001",
        )
    ]
