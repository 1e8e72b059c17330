"""The picture of a sound: how far it swings to either side, over its time."""

import io

import numpy as np
import soundfile

BUCKETS = 400
HEIGHT = 64
# Seen on white and on near black alike: a picture in an <img> does not know the page's colours.
_COLOUR = "#0e8f72"
# Below it there is nothing to be seen: noise would be drawn as large as a sound.
_FLAT = 0.001


def extremes(samples: np.ndarray, buckets: int = BUCKETS) -> np.ndarray:
    """The lowest and highest value of `samples`, (frames, channels), in each of at most `buckets` equal times.

    Float32, (buckets, 2), relative to the largest swing; zeros where that is below -60 dBFS.
    """
    heard = samples.reshape(len(samples), -1)
    edges = np.linspace(0, len(heard), min(buckets, len(heard)) + 1).astype(int)[:-1]
    lows = np.minimum.reduceat(heard.min(axis=1), edges)
    highs = np.maximum.reduceat(heard.max(axis=1), edges)
    found = np.column_stack([lows, highs]).astype(np.float32)
    largest = float(np.abs(found).max())
    return found / largest if largest >= _FLAT else np.zeros_like(found)


def waveform_svg(content: bytes) -> bytes:
    """An SVG picture of a sound file that libsndfile reads, as every rendition is. Raises ValueError for others."""
    try:
        samples, _ = soundfile.read(io.BytesIO(content), dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise ValueError(str(error)) from error
    if not len(samples):
        raise ValueError("The file holds no samples.")
    return _drawn(extremes(samples)).encode()


def _drawn(found: np.ndarray) -> str:
    middle = HEIGHT / 2
    # A line at least where it is silent.
    tops = middle - np.maximum(found[:, 1] * (middle - 1), 0.5)
    bottoms = middle - np.minimum(found[:, 0] * (middle - 1), -0.5)
    width = len(found)
    box = f"0 0 {max(width - 1, 1)} {HEIGHT}"
    along = [f"{x} {y:.1f}" for x, y in enumerate(tops)]
    back = [f"{x} {y:.1f}" for x, y in zip(range(width - 1, -1, -1), bottoms[::-1], strict=True)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" preserveAspectRatio="none">'
        f'<path fill="{_COLOUR}" d="M{"L".join(along + back)}Z"/></svg>'
    )
