"""Where arrays are kept between runs, and how many: what the flags and the environment say."""

from __future__ import annotations

import math
import os
from pathlib import Path

from modeling.config import ConfigError
from modeling.kept_arrays import KeptArrays

DIRECTORY, GIGABYTES = "EARMARK_CACHE", "EARMARK_CACHE_GB"
DEFAULT_GIGABYTES = 10.0


def cache_place() -> Path:
    """EARMARK_CACHE, else `earmark` among the user's caches (XDG_CACHE_HOME, else ~/.cache)."""
    named = os.environ.get(DIRECTORY)
    # Where there is no home the name stays as it is, and what cannot be written is not kept.
    caches = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(named) if named else Path(caches) / "earmark"


def open_cache(directory: Path | None) -> KeptArrays:
    """The arrays kept in `directory`, at most EARMARK_CACHE_GB of them; None keeps nothing.

    Raises `ConfigError` where EARMARK_CACHE_GB is no size.
    """
    text = os.environ.get(GIGABYTES) or str(DEFAULT_GIGABYTES)
    try:
        gigabytes = float(text)
    except ValueError:
        gigabytes = math.nan
    if not 0 <= gigabytes < math.inf:
        raise ConfigError([f"{GIGABYTES} must be a size in gigabytes such as 10, not '{text}'."])
    return KeptArrays(directory, int(gigabytes * 1e9))
