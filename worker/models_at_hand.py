"""Whether the model that a preset begins with lies on this machine. Loads no torch."""

from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import try_to_load_from_cache

from modeling.config import BUILTIN, PRESETS


@dataclass(frozen=True)
class NamedModel:
    name: str
    is_here: bool


def model_of_preset(preset: str) -> NamedModel:
    """Raises KeyError for a preset that there is not."""
    name = PRESETS[preset].model
    if name == BUILTIN:
        return NamedModel("the built-in small CLAP", is_here=True)
    if Path(name).is_dir():
        return NamedModel(name, is_here=any(Path(name).glob("*.safetensors")))
    cached = try_to_load_from_cache(name, "model.safetensors")
    return NamedModel(name, is_here=isinstance(cached, str) and Path(cached).is_file())
