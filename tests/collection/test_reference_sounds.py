"""The sounds of the sound set-up: as loud as the study, the same each time, and in the ear that they are made for."""

import io

import numpy as np
import pytest
import soundfile

from listening_tests.audio import measure
from listening_tests.audio.loudness import TARGET_LUFS
from listening_tests.audio.reference import left_only, right_only, volume_reference


def samples_of(content: bytes) -> np.ndarray:
    samples, rate_hz = soundfile.read(io.BytesIO(content), dtype="float32", always_2d=True)
    assert rate_hz == 48_000
    assert samples.shape[1] == 2
    return samples


@pytest.mark.parametrize("make", [volume_reference, left_only, right_only])
def test_it_works(make) -> None:
    samples = samples_of(make())
    loudness = measure(samples, 48_000)
    assert loudness.lufs == pytest.approx(TARGET_LUFS, abs=0.5)
    assert loudness.true_peak_dbtp < -1
    # Repeated without a click.
    assert not samples[:100].any()
    assert not samples[-100:].any()


def test_each_ear_hears_its_own() -> None:
    left, right = samples_of(left_only()), samples_of(right_only())
    assert left[:, 0].any()
    assert not left[:, 1].any()
    # But for dither, which is drawn for each channel.
    np.testing.assert_allclose(left, right[:, ::-1], atol=3 / 32768)


def test_the_volume_is_set_on_both_channels() -> None:
    samples = samples_of(volume_reference())
    assert np.array_equal(samples[:, 0], samples[:, 1])


def test_another_process_makes_the_same_file() -> None:
    assert volume_reference.__wrapped__() == volume_reference()
    assert left_only.__wrapped__() == left_only()


def test_a_phone_loads_them_quickly() -> None:
    assert len(volume_reference()) < 300_000
    assert len(left_only()) < 100_000
