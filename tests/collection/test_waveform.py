"""How the picture of a sound comes about."""

import numpy as np
import pytest

from listening_tests.audio.waveform import extremes, waveform_svg
from tests.collection.sounds import encoded, tone


def test_it_works() -> None:
    picture = waveform_svg(encoded(tone(0.5, level=0.1, channels=2), kind="flac")).decode()
    assert picture.count("L") == 2 * 400 - 1
    # To both edges, whatever its level.
    assert " 1.0L" in picture and " 63.0L" in picture


def test_extremes_are_those_of_each_time_and_of_all_channels() -> None:
    samples = np.array([[0, 0.1], [0.2, 0], [0, -0.4], [0, 0]], np.float32)
    np.testing.assert_allclose(extremes(samples, 2), [[0, 0.5], [-1, 0]])


def test_few_samples_and_silence() -> None:
    assert len(extremes(np.ones((3, 1), np.float32))) == 3
    assert not extremes(np.full((1_000, 2), 0.0005, np.float32)).any()


def test_what_is_no_sound() -> None:
    with pytest.raises(ValueError, match="Format not recognised"):
        waveform_svg(b"no sound")
