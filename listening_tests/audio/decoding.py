"""From a file's bytes to samples. What the bytes hold decides, never the file's name."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer

from listening_tests.audio.completeness import missing_part
from listening_tests.audio.ogg_pages import ogg_flaw
from listening_tests.exceptions import Refused

SHORTEST_S = 0.1
LONGEST_S = 60.0
LOWEST_RATE_HZ = 2_000
HIGHEST_RATE_HZ = 192_000
FORMATS = "wav, flac, ogg, mp3 or m4a"
# FFmpeg's names of the formats, and the ending that a file of each is stored with. The list is also a guard: other
# readers of FFmpeg (playlists, concatenations) would open further files that the content names.
_ENDINGS = {"wav": ".wav", "flac": ".flac", "ogg": ".ogg", "mp3": ".mp3", "mov": ".m4a"}

_AAC_PADDING = 2 * 1024  # frames


class AudioRefused(Refused):
    """A file that cannot become a clip. The message names it and says why."""


@dataclass(frozen=True)
class Decoded:
    """`samples`: float32, (frames, 1 or 2), full scale +-1; `channels`: how many the file has; `ending`: ".wav", ..."""

    samples: np.ndarray
    rate_hz: int
    channels: int
    ending: str

    @property
    def duration_s(self) -> float:
        return len(self.samples) / self.rate_hz


def decode(content: bytes, *, name: str) -> Decoded:
    """Decodes a whole file, more than two channels mixed down to stereo.

    Stops as soon as LONGEST_S is passed, so that memory is bounded whatever the file holds. Raises AudioRefused.
    """
    flaw = ogg_flaw(content)
    if flaw:
        raise AudioRefused(f"{name} {flaw}. Copy or export it again.")
    with _opened(content, name) as container:
        if not container.streams.audio:
            raise AudioRefused(f"{name} holds no sound. Take a file with an audio stream ({FORMATS}).")
        stream = container.streams.audio[0]
        ending = _ENDINGS[container.format.name.split(",")[0]]
        samples, rate_hz, channels = _decoded_samples(container, stream, name)
        declared_s = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else None
    if ending == ".m4a" and declared_s is not None:
        # AAC comes in whole blocks: what lies behind the declared end is padding.
        samples = samples[: max(round(declared_s * rate_hz), len(samples) - _AAC_PADDING)]
    decoded = Decoded(np.ascontiguousarray(samples), rate_hz, channels, ending)
    _check(decoded, declared_s, content, name)
    return decoded


@contextmanager
def _opened(content: bytes, name: str) -> Iterator[InputContainer]:
    # Wav files are probed at length for other codecs in disguise, which takes longer than decoding them.
    options = {"format_whitelist": ",".join(_ENDINGS), "protocol_whitelist": "", "max_probe_packets": "1"}
    try:
        # Tags in another encoding than UTF-8 are common and do not matter.
        with av.open(io.BytesIO(content), "r", options=options, metadata_errors="replace") as container:
            yield container
    except av.FFmpegError as error:
        reason = (error.strerror or "unknown error").lower()
        raise AudioRefused(
            f"{name} cannot be decoded as {FORMATS} ({reason}). Convert it, or check that it is whole."
        ) from error


def _decoded_samples(container: InputContainer, stream: AudioStream, name: str) -> tuple[np.ndarray, int, int]:
    """The samples, (frames, 1 or 2), the rate, and the number of channels in the file."""
    blocks: list[np.ndarray] = []
    setup: tuple[int, int, str] | None = None
    mix_down: av.AudioResampler | None = None
    count = 0
    for frame in container.decode(stream):
        found = (frame.sample_rate, frame.layout.nb_channels, frame.format.name)
        if setup is None:
            # Of the first frame, for the stream's header tells half of the rate for some kinds of AAC.
            setup = found
            _check_rate(setup[0], name)
            if setup[1] > 2:
                mix_down = av.AudioResampler(format="fltp", layout="stereo", rate=setup[0])
        if found != setup:
            raise AudioRefused(
                f"{name} changes its sample rate or its channels midway. Convert it to a plain wav or flac file."
            )
        count += frame.samples
        if count > LONGEST_S * setup[0] + _AAC_PADDING:
            raise AudioRefused(_too_long(name))
        blocks += _mixed_down(mix_down, frame) if mix_down else [_frames_first(frame)]
    if setup is None or not blocks:
        raise AudioRefused(f"{name} holds no samples: its audio stream is empty. Export it again.")
    return _full_scale_one(np.concatenate(blocks)), setup[0], setup[1]


def _mixed_down(mix_down: av.AudioResampler, frame: AudioFrame) -> list[np.ndarray]:
    frame.pts = None  # Gaps in the clock of a file are not sound.
    return [block.to_ndarray().T for block in mix_down.resample(frame)]


def _frames_first(frame: AudioFrame) -> np.ndarray:
    samples = frame.to_ndarray()
    return samples.T if frame.format.is_planar else samples.reshape(-1, frame.layout.nb_channels)


def _full_scale_one(samples: np.ndarray) -> np.ndarray:
    """Float32 of full scale +-1 from any format of samples that decoders give."""
    if samples.dtype == np.uint8:
        return (samples.astype(np.float32) - 128) / 128
    if samples.dtype.kind == "i":
        return samples.astype(np.float32) / np.float32(-float(np.iinfo(samples.dtype).min))
    return samples.astype(np.float32)


def _check_rate(rate_hz: int, name: str) -> None:
    if not LOWEST_RATE_HZ <= rate_hz <= HIGHEST_RATE_HZ:
        raise AudioRefused(
            f"{name} has a sample rate of {rate_hz:,} Hz. Convert it to between {LOWEST_RATE_HZ:,} and "
            f"{HIGHEST_RATE_HZ:,} Hz."
        )


def _too_long(name: str) -> str:
    return f"{name} lasts more than {LONGEST_S:g} s. A clip lasts between {SHORTEST_S:g} and {LONGEST_S:g} s: cut it."


def _check(decoded: Decoded, declared_s: float | None, content: bytes, name: str) -> None:
    missing = missing_part(content, decoded.ending, decoded.duration_s, declared_s)
    if missing:
        raise AudioRefused(f"{name} is cut off: {missing}. Copy or export it again.")
    if decoded.duration_s > LONGEST_S:
        raise AudioRefused(_too_long(name))
    if decoded.duration_s < SHORTEST_S:
        raise AudioRefused(
            f"{name} lasts {decoded.duration_s:.3f} s. A clip lasts between {SHORTEST_S:g} and {LONGEST_S:g} s."
        )
    if not np.isfinite(decoded.samples).all():
        raise AudioRefused(f"{name} holds samples that are not numbers (NaN or infinite). Export it again.")
