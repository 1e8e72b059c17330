"""Where a CLAP comes from: the built-in one, a local directory, or the hub with the built-in one as the way out.

Weights are read from safetensors alone and no code of a model's own is run: nothing here unpickles a file.
"""

from __future__ import annotations

import dataclasses
import importlib
import re
from pathlib import Path
from typing import Any

import torch
from httpx2 import HTTPError
from huggingface_hub import HfApi, snapshot_download
from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError, RepositoryNotFoundError
from safetensors import SafetensorError
from transformers import AutoTokenizer, ClapFeatureExtractor, ClapModel
from transformers.utils import logging as transformers_logging

from modeling.backbone import Backbone
from modeling.config import BUILTIN
from modeling.model import Clap

BUILTIN_DIR = Path(__file__).resolve().parent / "builtin_clap" / "weights"
BUILTIN_NAME = "Earmark's built-in small CLAP"
HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
FACTORY = re.compile(r"([A-Za-z_][\w.]*):([A-Za-z_]\w*)")
HUB_TIMEOUT_SECONDS = 5
PROTOCOL = ("name", "note", "sample_rate", "fingerprint", "encode_audio", "encode_text")
HUB_FILES = ["*.json", "*.txt", "*.safetensors"]


def quieten_transformers() -> None:
    """Its bars and hints are for whoever calls it by hand: in a log, or beside a bar of ours, they are noise."""
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]


class ModelError(Exception):
    """A model that cannot be opened; the message is a sentence that names it and says what to do."""


class HubOutOfReach(ModelError):
    """The hub did not answer and nothing of the model lies in the local cache."""


def open_backbone(model: str) -> Backbone:
    """What scores: a CLAP as `open_model` opens it, or what the function of `module:factory` returns.

    The latter runs the named module: it is for people at a command line, who may run code here anyway.
    """
    named = None if Path(model).is_dir() else FACTORY.fullmatch(model)
    if named is None:
        return open_model(model)
    try:
        made: Backbone = getattr(importlib.import_module(named[1]), named[2])()
    except Exception as error:
        raise ModelError(f"'{model}' gives no model: {type(error).__name__}: {error}") from error
    missing = [name for name in PROTOCOL if not hasattr(made, name)]
    if missing:
        raise ModelError(f"What '{model}' returns has no {', '.join(missing)}; see modeling/backbone.py.")
    return made


def open_model(model: str) -> Clap:
    """The model that a config names: "builtin", a directory, or a hub name.

    Where the hub is out of reach the built-in model is opened instead, and its `note` says so. Raises `ModelError`.
    """
    if model == BUILTIN:
        return open_directory(BUILTIN_DIR, BUILTIN_NAME)
    if Path(model).is_dir():
        return open_directory(Path(model), model)
    if not HUB_NAME.fullmatch(model):
        raise ModelError(f"'{model}' is neither a directory nor a hub name of the form owner/name.")
    try:
        return open_directory(_fetch(model), model)
    except HubOutOfReach:
        note = f"The hub is out of reach and '{model}' is not in the local cache, so {BUILTIN_NAME} was used instead."
        return dataclasses.replace(open_directory(BUILTIN_DIR, BUILTIN_NAME), note=note)


def open_directory(directory: Path, name: str) -> Clap:
    """The CLAP in a directory written by `save_pretrained`, in float32, on the GPU where there is one."""
    if not any(directory.glob("*.safetensors")):
        raise ModelError(f"{name} has no weights in safetensors; convert them and name the directory that holds them.")
    try:
        network: Any = ClapModel.from_pretrained(
            directory, local_files_only=True, use_safetensors=True, dtype=torch.float32
        )
        tokenizer = AutoTokenizer.from_pretrained(directory, local_files_only=True)
        extractor = ClapFeatureExtractor.from_pretrained(directory, local_files_only=True)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"{name} cannot be opened as a CLAP model: {error}") from error
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return Clap(network.to(device).eval(), tokenizer, extractor, name)


def _fetch(model: str) -> Path:
    """The directory of a hub model in the local cache; asks the hub only where it is not there."""
    try:
        cached = Path(snapshot_download(model, local_files_only=True))
        if any(cached.glob("*.safetensors")):
            return cached
    except LocalEntryNotFoundError:
        pass
    try:
        HfApi().model_info(model, timeout=HUB_TIMEOUT_SECONDS)
        return Path(snapshot_download(model, allow_patterns=HUB_FILES, etag_timeout=HUB_TIMEOUT_SECONDS))
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise ModelError(f"The hub has no model '{model}' that it lets us read.") from error
    except (HTTPError, OSError) as error:
        raise HubOutOfReach(f"The hub is out of reach and '{model}' is not in the local cache.") from error
