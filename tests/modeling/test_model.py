"""CLAP models: equal to plain transformers, deterministic in any company, read from safetensors alone."""

import re
import shutil
from pathlib import Path

import httpx2
import numpy as np
import pytest
import soundfile
import soxr
import torch
from huggingface_hub.errors import LocalEntryNotFoundError
from transformers import ClapFeatureExtractor, ClapModel, ClapProcessor

from modeling import loading
from modeling.builtin_clap.build import Recipe, build_builtin
from modeling.embeddings import caption_embeddings, cosine
from modeling.loading import BUILTIN_DIR, BUILTIN_NAME, ModelError, open_directory, open_model
from modeling.model import Clap, cpu_threads
from modeling.scoring import Scorer
from modeling.synthetic import generate_world
from modeling.synthetic.systems import System
from modeling.training import TrainingResult

CAPTIONS = ["A dog barks twice, then rain falls", "犬が吠える 🎧 كلب ينبح", "", "x" * 3000, "=1+1\n\r\t\0 \ud800"]


def sweep(seconds: float, rate: int) -> np.ndarray:
    t = np.arange(round(seconds * rate)) / rate
    return (0.4 * np.sin(2 * np.pi * (200 + 300 * t) * t) + 0.05 * np.sin(40 * t)).astype(np.float32)


def plain_cosine(directory: Path, samples: np.ndarray, caption: str) -> float:
    """The cosine as a user of transformers gets it."""
    model, processor = ClapModel.from_pretrained(directory).eval(), ClapProcessor.from_pretrained(directory)
    inputs = processor(text=[caption], audio=samples, sampling_rate=48_000, return_tensors="pt")
    with torch.inference_mode():
        out = model(**inputs)
    return float((out.audio_embeds * out.text_embeds).sum())


def clip_embedding(clap: Clap, mel: torch.Tensor) -> np.ndarray:
    """Of one clip, of length 1."""
    embedded = np.asarray(clap.encode_mels([mel])[0], dtype=np.float64)
    return embedded / np.linalg.norm(embedded)


def test_it_works(builtin: Clap) -> None:
    """The built-in model knows which of two captions goes with a clean recording, nearly always."""
    clean = list(generate_world(seed=77, n_captions=16, systems=[System("clean", quality=(1, 1), place=(0, 0))]))
    sounds = np.array([clip_embedding(builtin, builtin.log_mel(item.samples)) for item in clean])
    texts = np.array(caption_embeddings(builtin, [item.caption for item in clean]))
    right = (sounds @ texts.T).argmax(axis=1) == np.arange(16)
    assert right.mean() >= 0.7


def test_the_built_in_weights_are_small_and_safe() -> None:
    files = list(BUILTIN_DIR.iterdir())
    assert sum(path.stat().st_size for path in files if path.suffix == ".safetensors") <= 8_000_000
    assert {path.suffix for path in files} == {".json", ".safetensors"}


@pytest.mark.parametrize(("seconds", "rate"), [(0.1, 48_000), (3.3, 44_100), (7.0, 16_000), (10.0, 48_000)])
def test_plain_transformers_gives_the_same_cosine(
    trained: TrainingResult, tmp_path: Path, seconds: float, rate: int
) -> None:
    path = tmp_path / "clip.wav"
    soundfile.write(path, sweep(seconds, rate), rate, subtype="FLOAT")
    resampled = soxr.resample(sweep(seconds, rate), rate, 48_000)
    ours = Scorer.open(trained.model_dir).score(path, CAPTIONS[0]).cosine
    assert ours == pytest.approx(plain_cosine(trained.model_dir, resampled, CAPTIONS[0]), abs=1e-4)


def test_a_local_directory_gives_the_same_cosine_too(random_directory: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "clip.wav", sweep(4, 48_000), 48_000, subtype="FLOAT")
    ours = Scorer.open(random_directory).score(tmp_path / "clip.wav", CAPTIONS[0]).cosine
    assert ours == pytest.approx(plain_cosine(random_directory, sweep(4, 48_000), CAPTIONS[0]), abs=1e-4)


@pytest.mark.parametrize("seconds", [0.1, 2.7, 10.0])
def test_the_log_mel_equals_the_feature_extractors(builtin: Clap, random_directory: Path, seconds: float) -> None:
    for clap in (builtin, open_directory(random_directory, "")):
        extractor = ClapFeatureExtractor.from_pretrained(BUILTIN_DIR if clap is builtin else random_directory)
        theirs = extractor(sweep(seconds, 48_000), sampling_rate=48_000, return_tensors="np")["input_features"][0]
        ours = clap.log_mel(sweep(seconds, 48_000))
        assert ours.shape == (1, 1, *theirs.shape[1:])
        assert np.abs(ours[0].numpy() - theirs).max() < 5e-3


@pytest.mark.parametrize("caption", CAPTIONS)
def test_a_score_is_the_same_in_any_company_and_on_any_run(builtin: Clap, tmp_path: Path, caption: str) -> None:
    names = [tmp_path / f"{number}.wav" for number in range(3)]
    for number, path in enumerate(names):
        soundfile.write(path, sweep(1 + 6 * number, 22_050), 22_050)
    alone = Scorer(builtin).score(names[2], caption)
    company = Scorer.open("builtin")
    with cpu_threads(3):
        for other in CAPTIONS:
            company.score(names[0], other)
            company.score(names[1], other)
        assert company.score(names[2], caption) == alone
    assert -1 <= alone.cosine <= 1


def test_a_long_clip_is_heard_whole_and_always_the_same(random_directory: Path) -> None:
    clap = open_directory(random_directory, "")
    quiet_end = sweep(25, 48_000)
    other_end = quiet_end.copy()
    other_end[-48_000:] = 0
    first, again, other = (clip_embedding(clap, clap.log_mel(item)) for item in (quiet_end, quiet_end, other_end))
    assert clap.log_mel(quiet_end).shape[:2] == ((1, 4) if clap.log_mel.fused else (3, 1))
    assert (first == again).all()
    assert cosine(first, other) < 1 - 1e-9


def test_embedding_a_batch_equals_embedding_one_by_one(builtin: Clap) -> None:
    mels = [builtin.log_mel(sweep(seconds, 48_000)) for seconds in (1, 12, 25, 3)]
    with torch.inference_mode():
        batch = builtin.embed_clips(mels).numpy()
    assert batch == pytest.approx(np.array([clip_embedding(builtin, mel) for mel in mels]), abs=1e-5)


def test_pickled_weights_are_refused(tmp_path: Path) -> None:
    shutil.copytree(BUILTIN_DIR, tmp_path / "model")
    (tmp_path / "model/model.safetensors").unlink()
    torch.save({}, tmp_path / "model/pytorch_model.bin")
    with pytest.raises(ModelError, match="has no weights in safetensors"):
        open_model(str(tmp_path / "model"))


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "preprocessor_config.json"])
def test_a_broken_directory_is_a_sentence(tmp_path: Path, name: str) -> None:
    shutil.copytree(BUILTIN_DIR, tmp_path / "model")
    (tmp_path / "model" / name).write_bytes(b"{")
    with pytest.raises(ModelError, match=f"^{re.escape(str(tmp_path / 'model'))} cannot be opened as a CLAP model: "):
        open_model(str(tmp_path / "model"))


def test_a_name_that_is_neither_directory_nor_hub_name_is_refused() -> None:
    with pytest.raises(
        ModelError, match=r"^'/no/such' is neither a directory nor a hub name of the form owner/name\.$"
    ):
        open_model("/no/such")


def test_without_the_hub_the_built_in_model_is_used_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_cached(*_: object, **__: object) -> str:
        raise LocalEntryNotFoundError("not here")

    def no_network(*_: object, **__: object) -> None:
        raise httpx2.ConnectError("Name or service not known")

    monkeypatch.setattr(loading, "snapshot_download", not_cached)
    monkeypatch.setattr(loading.HfApi, "model_info", no_network)
    clap = open_model("laion/clap-htsat-unfused")
    assert clap.name == BUILTIN_NAME
    assert clap.note == (
        "The hub is out of reach and 'laion/clap-htsat-unfused' is not in the local cache, "
        "so Earmark's built-in small CLAP was used instead."
    )


def test_the_built_in_models_command_makes_such_a_model(tmp_path: Path, builtin: Clap) -> None:
    """A very small helping of the recipe; the whole takes a quarter of an hour."""
    told: list[str] = []
    build_builtin(tmp_path / "model", Recipe(n_scenes=40, steps=2, batch_size=8, processes=1), told.append)
    made = open_directory(tmp_path / "model", "made")
    assert made.network.config.audio_config.to_dict() == builtin.network.config.audio_config.to_dict()
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == sorted(p.name for p in BUILTIN_DIR.iterdir())
    assert told[0] == "Generating 40 clean recordings."
    assert told[1].startswith("Step 0 of 2: contrastive loss ")
