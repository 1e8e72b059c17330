"""The log-mel is `ClapFeatureExtractor`'s, on anything: the reference is the extractor itself."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import ClapFeatureExtractor

from modeling.audio import Samples, load
from modeling.features import LogMel
from tests.modeling.real_sounds import real_sounds

TOLERANCE_DB = 5e-3
SMALL = {"sampling_rate": 8_000, "hop_length": 80, "fft_window_size": 256, "max_length_s": 1, "frequency_max": 4_000}


def extractor(truncation: str = "rand_trunc", padding: str = "repeatpad", **settings: Any) -> ClapFeatureExtractor:
    return ClapFeatureExtractor(
        **({"frequency_min": 50, "frequency_max": 14_000} | settings), truncation=truncation, padding=padding
    )


def theirs(front_end: ClapFeatureExtractor, samples: Samples) -> np.ndarray:
    inputs = front_end(samples, sampling_rate=front_end.sampling_rate, return_tensors="np")
    return inputs["input_features"][0]


def difference(front_end: ClapFeatureExtractor, samples: Samples) -> float:
    """The largest, in dB; where the model fuses, one channel of ours stands for their four."""
    return float(np.abs(LogMel(front_end)(samples)[0].numpy() - theirs(front_end, samples)).max())


@pytest.mark.parametrize("truncation", ["fusion", "rand_trunc"])
def test_it_works(truncation: str) -> None:
    """At LAION's settings: 10 s at 48 kHz, the first half digital silence."""
    samples = np.random.default_rng(1).normal(0, 0.1, 480_000).astype(np.float32)
    samples[:240_000] = 0
    assert difference(extractor(truncation), samples) < TOLERANCE_DB


@given(
    kind=st.sampled_from(["silence", "noise", "faint after silence", "tone", "loud"]),
    length=st.integers(1, 8_000),
    truncation=st.sampled_from(["fusion", "rand_trunc"]),
    padding=st.sampled_from(["repeatpad", "repeat", "pad"]),
    fft=st.sampled_from([255, 256, 1_024]),
)
@settings(max_examples=30, deadline=None)
def test_any_sound_and_any_setting(kind: str, length: int, truncation: str, padding: str, fft: int) -> None:
    noise = np.random.default_rng(length).normal(0, 1, length)
    sounds = {
        "silence": 0 * noise,
        "noise": 0.1 * noise,
        "faint after silence": np.where(np.arange(length) < length // 2, 0, 1e-5 * noise),
        "tone": 0.5 * np.sin(0.3 * np.arange(length)),
        "loud": 1e6 * noise,
    }
    front_end = extractor(truncation, padding, **(SMALL | {"fft_window_size": fft}))
    assert difference(front_end, sounds[kind].astype(np.float32)) < TOLERANCE_DB


@pytest.mark.parametrize("padding", ["repeatpad", "repeat", "pad"])
@pytest.mark.parametrize("length", [80, 400, 1_000, 2_100, 4_000])
def test_a_clip_that_is_repeated_in_step_with_the_frames(length: int, padding: str) -> None:
    """Frames a whole number of the clip's lengths apart are worked out once."""
    samples = np.random.default_rng(length).normal(0, 0.1, length).astype(np.float32)
    assert difference(extractor(padding=padding, **SMALL), samples) < TOLERANCE_DB


def test_a_window_shorter_than_half_a_frame() -> None:
    front_end = extractor(**SMALL)
    front_end.nb_max_samples = 100
    assert difference(front_end, np.random.default_rng(2).normal(0, 0.1, 70).astype(np.float32)) < TOLERANCE_DB


@pytest.mark.parametrize("seconds", [1.005, 1.01, 1.5, 3.7])
def test_a_fusing_model_gets_a_long_clip_as_it_was_trained_but_with_crops_in_fixed_places(
    seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The extractor's own crops, where its chance falls on the middle of each third."""
    monkeypatch.setattr(np.random, "choice", lambda places: places[len(places) // 2])
    samples = np.random.default_rng(3).normal(0, 0.1, round(8_000 * seconds)).astype(np.float32)
    assert difference(extractor("fusion", **SMALL), samples) < TOLERANCE_DB


def test_any_other_model_hears_a_long_clip_whole_in_windows() -> None:
    samples = np.random.default_rng(4).normal(0, 0.1, 20_000).astype(np.float32)
    front_end = extractor(**SMALL)
    heard = LogMel(front_end)(samples).numpy()
    assert heard.shape[0] == 3
    for window, start in zip(heard, (0, 8_000, 12_000), strict=True):
        assert np.abs(window - theirs(front_end, samples[start : start + 8_000])).max() < TOLERANCE_DB


@pytest.mark.parametrize("rate", [5_000, 11_127, 44_100])
def test_generated_sounds_of_odd_rates(rate: int, tmp_path: Path) -> None:
    time = np.arange(rate // 2) / rate
    soundfile.write(tmp_path / "clip.wav", 0.4 * np.sin(2 * np.pi * (200 + 900 * time) * time), rate)
    assert difference(extractor(), load(tmp_path / "clip.wav", 48_000)) < TOLERANCE_DB


def test_the_real_sounds() -> None:
    """At LAION's settings but for a window of 3 s, which is quicker; every other one as a fusing model gets it."""
    front_ends = [extractor("fusion", max_length_s=3), extractor("rand_trunc", max_length_s=3)]
    sounds = real_sounds()
    found = {
        path.name: difference(front_ends[number % 2], load(path, 48_000)[:144_000])
        for number, path in enumerate(sounds)
    }
    assert len(found) == len(sounds)
    assert max(found.values()) < TOLERANCE_DB, max(found, key=lambda name: found[name])


def test_the_fingerprint_tells_front_ends_apart() -> None:
    settings = ({}, {"hop_length": 160}, {"frequency_min": 0}, {"max_length_s": 2}, {"fft_window_size": 512})
    front_ends = [extractor(**(SMALL | some)) for some in settings]
    front_ends += [extractor("fusion", **SMALL), extractor(padding="repeat", **SMALL)]
    assert len({LogMel(front_end).fingerprint for front_end in front_ends}) == len(front_ends)
    assert LogMel(front_ends[0]).fingerprint == LogMel(extractor(**SMALL)).fingerprint
