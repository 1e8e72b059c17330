"""Public data sets that a snapshot may hold and a model may have been trained on, and how they are recognised."""

from __future__ import annotations

import re
from collections.abc import Iterable

RELATE = "RELATE"
# The first folders of its file names, which its import makes systems.
RELATE_SYSTEMS = frozenset({"audiocaps", "audioldm", "audioldm2", "tango", "tango2"})
# sarulab-speech/human-clap-wsce-mae and its kin (arXiv 2506.23553), from the hub or copied into a directory.
_HUMAN_CLAP = re.compile(r"(?:^|[/\\])human-clap(?:-|$)", re.IGNORECASE)
_RELATE_WORD = re.compile(r"(?:^|[^a-z0-9])relate(?:[^a-z0-9]|$)", re.IGNORECASE)


def data_set_of(test: str, systems: Iterable[str]) -> str | None:
    """The public data set that a test holds; None where it is none that is known.

    RELATE (arXiv 2506.23582) is known by its systems: all that are named are among its five, and they are two or more,
    or the test has the word "relate" in its name. A part of it is recognised like the whole. Another test of sounds
    from AudioCaps and Tango would be taken for it.
    """
    named = {system.strip().lower() for system in systems if system.strip()}
    if not named or not named <= RELATE_SYSTEMS:
        return None
    return RELATE if len(named) > 1 or _RELATE_WORD.search(test) else None


def data_sets_of_model(name: str) -> tuple[str, ...]:
    """The data sets that a published model was trained on, by its hub name or the name of its directory."""
    return (RELATE,) if _HUMAN_CLAP.search(name.rstrip("/\\")) else ()
