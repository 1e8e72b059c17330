"""Sound files made for tests, in every format that Earmark takes."""

import io
import wave
from pathlib import Path

import av
import numpy as np
import soundfile

FORMATS = ("wav", "flac", "ogg", "mp3", "m4a")


def noise(
    seconds: float = 1.0, *, rate: int = 48_000, channels: int = 1, level: float = 0.1, seed: int = 0
) -> np.ndarray:
    """Float32 samples, (frames, channels)."""
    samples = np.random.default_rng(seed).standard_normal((round(seconds * rate), channels)) * level
    return samples.astype(np.float32)


def tone(seconds: float, *, level: float, rate: int = 48_000, channels: int = 1) -> np.ndarray:
    """A sine of 997 Hz, whose loudness in one channel is its level in dB less 3.01."""
    sine = level * np.sin(2 * np.pi * 997 * np.arange(round(seconds * rate)) / rate)
    return np.repeat(sine[:, None], channels, axis=1).astype(np.float32)


def encoded(samples: np.ndarray, *, rate: int = 48_000, kind: str = "wav", subtype: str | None = None) -> bytes:
    if kind in ("mp3", "m4a"):
        return _encoded_by_ffmpeg(samples, rate, kind)
    stream = io.BytesIO()
    soundfile.write(stream, samples, rate, format=kind.upper(), subtype=subtype)
    return stream.getvalue()


def _encoded_by_ffmpeg(samples: np.ndarray, rate: int, kind: str) -> bytes:
    stream = io.BytesIO()
    layout = "mono" if samples.shape[1] == 1 else "stereo"
    with av.open(stream, "w", format={"mp3": "mp3", "m4a": "ipod"}[kind]) as container:
        track = container.add_stream({"mp3": "libmp3lame", "m4a": "aac"}[kind], rate=rate, layout=layout)
        resampler = av.AudioResampler(format=track.codec_context.format, layout=layout, rate=rate)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.T), format="fltp", layout=layout)
        frame.sample_rate, frame.pts = rate, 0
        for block in [*resampler.resample(frame), *resampler.resample(None), None]:
            container.mux(track.encode(block))
    return stream.getvalue()


def empty_wav() -> bytes:
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
    return stream.getvalue()


def silent_video() -> bytes:
    """A video file without an audio stream."""
    stream = io.BytesIO()
    with av.open(stream, "w", format="mp4") as container:
        track = container.add_stream("mpeg4", rate=10)
        track.width = track.height = 32
        track.pix_fmt = "yuv420p"
        for _ in range(5):
            container.mux(track.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")))
        container.mux(track.encode(None))
    return stream.getvalue()


def write_manifest(folder: Path, rows: list[str], *, header: str = "file,caption", name: str = "manifest.csv") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def write_sound(folder: Path, name: str, *, seed: int = 0, seconds: float = 0.3) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded(noise(seconds, rate=16_000, seed=seed), rate=16_000))
    return path
