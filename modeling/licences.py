"""Under what licence the model that a run starts from may be passed on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from modeling.config import BUILTIN

CARD = "README.md"
# As their pages on the hub say: LAION's name Apache-2.0, the cards of Human-CLAP are empty.
_APACHE = {
    "laion/clap-htsat-fused",
    "laion/clap-htsat-unfused",
    "laion/larger_clap_general",
    "laion/larger_clap_music_and_speech",
}
_HUMAN_CLAP = "sarulab-speech/human-clap-"
_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---(\n|\Z)", re.DOTALL)
_LICENCE_LINE = re.compile(r"^license: *[\"']?([a-z0-9][a-z0-9.-]{0,40})[\"']? *$", re.MULTILINE)


@dataclass(frozen=True)
class Licence:
    """`name` as the hub spells licences ("apache-2.0", "unknown"); `said` tells in a sentence where it is from."""

    name: str
    said: str


def licence_of(model: str) -> Licence:
    """The licence of a model named as in a configuration: "builtin", a hub name, or a directory, by its own card."""
    if model == BUILTIN:
        return Licence("apache-2.0", "The base model is part of Earmark, under Apache-2.0.")
    if model in _APACHE:
        return Licence("apache-2.0", f"The base model {model} is published under Apache-2.0.")
    if model.startswith(_HUMAN_CLAP):
        return Licence("unknown", f"The authors of {model} state no licence for it; ask them before you pass it on.")
    found = _of_card(Path(model) / CARD)
    if found:
        return Licence(found, f"The card of the base model names the licence {found}.")
    return Licence("unknown", "The licence of the base model is not known; find it out before you pass the model on.")


def _of_card(card: Path) -> str:
    try:
        front = _FRONT_MATTER.match(card.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return ""
    # One line is looked for, and no YAML of a stranger's is loaded.
    line = _LICENCE_LINE.search(front[1]) if front else None
    return line[1] if line else ""
