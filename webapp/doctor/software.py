"""Python, the packages, and what they can do on this machine: sounds and torch."""

import io
import json
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version

import av
import numpy as np
import soundfile
from django.conf import settings
from packaging.requirements import Requirement
from packaging.version import Version

from listening_tests.audio import AudioRefused, decode, render
from webapp.doctor.finding import Finding, failed, passed, unchecked
from worker.models_at_hand import model_of_preset

OLDEST_PYTHON, NEWEST_PYTHON = (3, 11), (3, 13)
LONGEST_LOADING_S = 180
_RATE_HZ, _SECONDS = 44_100, 0.5
# What soundfile writes, by the ending of the file.
_FORMATS = {"wav": "WAV", "flac": "FLAC", "ogg": "OGG", "mp3": "MP3"}
# In a process of its own: the web server never loads torch, nor does what looks at it.
_LOAD_TORCH = """
import json
import torch, torchaudio, transformers
from modeling.device_use import device_here
device = device_here()
torch.ones(8, device="cuda" if device.is_gpu else "cpu").sum().item()
print(json.dumps({"torch": torch.__version__, "device": device.name, "is_gpu": device.is_gpu}))
"""


def python_version() -> Finding:
    here = sys.version_info[:2]
    if OLDEST_PYTHON <= here <= NEWEST_PYTHON:
        return passed(f"Python {here[0]}.{here[1]} is one that Earmark runs on.")
    return failed(
        f"Python {here[0]}.{here[1]} is none that Earmark runs on.", "Set it up anew with Python 3.11, 3.12 or 3.13."
    )


def packages() -> Finding:
    """The installed packages beside those of requirements.txt."""
    path = settings.BASE_DIR / "requirements.txt"
    if not path.is_file():
        return unchecked(f"{path} is not there to compare the packages with.")
    other = [
        told
        for line in path.read_text(encoding="utf-8").splitlines()
        if (text := line.partition("#")[0].strip()) and (told := _difference(Requirement(text)))
    ]
    if not other:
        return passed("Every package is there in the version that Earmark was tested with.")
    more = f" and {len(other) - 5} more" if len(other) > 5 else ""
    return failed(
        f"{len(other)} packages are not those that Earmark was tested with: {', '.join(other[:5])}{more}.",
        "Run make setup, or pip install -r requirements.txt.",
    )


def _difference(wanted: Requirement) -> str:
    """How the installed package differs from what is wanted; blank where it does not."""
    if wanted.marker is not None and not wanted.marker.evaluate():
        return ""
    try:
        here = Version(version(wanted.name))
    except PackageNotFoundError:
        return f"{wanted.name} is missing"
    # A wheel for a kind of machine says so behind a plus sign.
    return "" if wanted.specifier.contains(here.public) else f"{wanted.name} is {here}, not {wanted.specifier}"


def audio_formats() -> Finding:
    """Writes a tone in each format, reads it as an upload is read, and renders it for raters."""
    tone = (0.1 * np.sin(2 * np.pi * 440 * np.arange(round(_RATE_HZ * _SECONDS)) / _RATE_HZ)).astype(np.float32)
    broken = [told for ending in (*_FORMATS, "m4a") if (told := _flaw(tone, ending))]
    if broken:
        return failed(f"Sounds cannot be read: {'; '.join(broken)}.", "Install the packages anew: make setup.")
    return passed("Sounds in WAV, FLAC, Ogg Vorbis, MP3 and AAC were written, read and rendered.")


def _flaw(tone: np.ndarray, ending: str) -> str:
    try:
        content = _aac(tone) if ending == "m4a" else _written(tone, _FORMATS[ending])
        decoded = decode(content, name=f"tone.{ending}")
        again = decode(render(decoded.samples, decoded.rate_hz).content, name="tone.flac")
    except (AudioRefused, OSError, ValueError, RuntimeError, av.FFmpegError) as error:
        return f"{ending} ({error})"
    short = abs(again.duration_s - _SECONDS) > 0.1
    return f"{ending} ({again.duration_s:.2f} s of {_SECONDS} s came back)" if short else ""


def _written(tone: np.ndarray, kind: str) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, tone, _RATE_HZ, format=kind)
    return stream.getvalue()


def _aac(tone: np.ndarray) -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=_RATE_HZ, layout="mono")
        frame = av.AudioFrame.from_ndarray(tone[np.newaxis], format="fltp", layout="mono")
        frame.sample_rate = _RATE_HZ
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    return out.getvalue()


def torch_and_device() -> Finding:
    """Loads what trains in a process of its own, and adds a few numbers on its device."""
    next_step = "Run make setup on machines that train or score; a machine that only serves pages can do without."
    try:
        done = subprocess.run(  # noqa: S603 -- our own words
            [sys.executable, "-W", "ignore", "-c", _LOAD_TORCH],
            cwd=settings.BASE_DIR,
            capture_output=True,
            text=True,
            timeout=LONGEST_LOADING_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return failed(f"torch was not loaded within {LONGEST_LOADING_S} s.", "See whether this machine is overloaded.")
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        return failed(f"torch cannot be loaded: {reason}.", next_step)
    told = json.loads(done.stdout.strip().splitlines()[-1])
    device = told["device"] if told["is_gpu"] else f"{told['device']}; there is no GPU that it can use"
    return passed(f"torch {told['torch']} works here, on {device}.")


def model_here() -> Finding:
    """Whether the model that runs begin with lies on this machine."""
    model = model_of_preset(settings.EARMARK_PRESET)
    if model.is_here:
        return passed(f"The model that runs begin with, {model.name}, lies on this machine.")
    return unchecked(
        f"{model.name} does not lie on this machine: the first run fetches it from the hub, and takes the built-in "
        "small CLAP where the hub is out of reach.",
        f"Fetch it before: hf download {model.name}, or set EARMARK_PRESET=small.",
    )
