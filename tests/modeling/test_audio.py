"""Audio files: every format, rate and number of channels is heard right, and what cannot be heard is named."""

from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from modeling.audio import AudioError, load


def tone(seconds: float = 1.0, rate: int = 48_000, channels: int = 1, hertz: float = 440.0) -> np.ndarray:
    wave = 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)
    return np.repeat(wave[:, None], channels, axis=1).astype(np.float32)


def write_m4a(path: Path, samples: np.ndarray, rate: int) -> None:
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples.T.copy(), format="fltp", layout="mono")
        frame.rate = rate
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)


def write(path: Path, samples: np.ndarray, rate: int) -> Path:
    write_m4a(path, samples, rate) if path.suffix == ".m4a" else soundfile.write(path, samples, rate)
    return path


def hertz(samples: np.ndarray) -> float:
    return float(np.abs(np.fft.rfft(samples * np.hanning(len(samples)))).argmax() * 48_000 / len(samples))


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3", "m4a"])
def test_it_works(tmp_path: Path, suffix: str) -> None:
    samples = load(write(tmp_path / f"clip.{suffix}", tone(rate=44_100), 44_100), 48_000)
    assert samples.dtype == np.float32
    assert len(samples) == pytest.approx(48_000, abs=4_000)
    assert hertz(samples) == pytest.approx(440, abs=3)
    assert np.abs(samples[8_000:40_000]).max() == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("rate", [5_000, 8_000, 11_127, 22_050, 48_000, 96_000])
def test_any_sample_rate(tmp_path: Path, rate: int) -> None:
    samples = load(write(tmp_path / "clip.wav", tone(rate=rate), rate), 48_000)
    assert len(samples) == pytest.approx(48_000, abs=20)
    assert hertz(samples) == pytest.approx(440, abs=3)


@pytest.mark.parametrize("channels", [1, 2, 6, 8])
def test_channels_are_averaged(tmp_path: Path, channels: int) -> None:
    signal = tone(channels=channels)
    signal[:, 0] = 0
    samples = load(write(tmp_path / "clip.wav", signal, 48_000), 48_000)
    assert np.abs(samples).max() == pytest.approx(0.5 * (channels - 1) / channels, abs=1e-3)


@pytest.mark.parametrize("seconds", [0.1, 60.0])
def test_the_shortest_and_the_longest(tmp_path: Path, seconds: float) -> None:
    assert len(load(write(tmp_path / "clip.wav", tone(seconds, 8_000), 8_000), 48_000)) == seconds * 48_000


def test_silence_is_a_sound(tmp_path: Path) -> None:
    assert not load(write(tmp_path / "clip.wav", 0 * tone(), 48_000), 48_000).any()


@pytest.mark.parametrize(
    ("seconds", "message"),
    [(0.05, r"lasts 0\.050 s; a clip must last at least 0\.1 s\."), (61.0, "lasts longer than 60 s")],
)
def test_too_short_or_too_long_is_refused(tmp_path: Path, seconds: float, message: str) -> None:
    with pytest.raises(AudioError, match=message):
        load(write(tmp_path / "clip.wav", tone(seconds, 8_000), 8_000), 48_000)


def test_samples_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    signal = tone()
    signal[100] = np.nan
    soundfile.write(tmp_path / "clip.wav", signal, 48_000, subtype="FLOAT")
    with pytest.raises(AudioError, match=r"clip\.wav holds samples that are not numbers"):
        load(tmp_path / "clip.wav", 48_000)


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3", "m4a"])
def test_a_truncated_file_is_named_or_heard_as_far_as_it_goes(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"clip.{suffix}", tone(3.0), 48_000)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    try:
        samples = load(path, 48_000)
    except AudioError as error:
        assert str(path) in str(error)
    else:
        assert np.isfinite(samples).all()
        assert hertz(samples[: len(samples) // 2]) == pytest.approx(440, abs=5)


@pytest.mark.parametrize("content", [b"", b"not audio at all", b"RIFF\0\0\0\0WAVE"])
def test_what_is_no_audio_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "clip.wav").write_bytes(content)
    with pytest.raises(AudioError, match=r"clip\.wav"):
        load(tmp_path / "clip.wav", 48_000)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.wav", tmp_path):
        with pytest.raises(AudioError, match="does not exist or is no file"):
            load(path, 48_000)
