"""What a study is made of: sounds under captions, by two systems, in a zip with its manifest for the Clips page."""

import csv
import io
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy
import soundfile

from modeling.synthetic.listeners import Sound

SYSTEMS = ("search-a", "search-b")
RATE_HZ = 48_000
# Sounds of the world, which are never part of Earmark: named by EARMARK_SOUNDS, or beside the checkout.
_PLACES = [parent / "shared" / "data" / "sounds" for parent in Path(__file__).resolve().parents]


@dataclass(frozen=True)
class Recording:
    """A sound file and what it is called."""

    name: str
    content: bytes
    words: str

    @property
    def duration_s(self) -> float:
        return float(soundfile.info(io.BytesIO(self.content)).duration)


@dataclass(frozen=True)
class Line:
    """A row of the manifest: what a system found for a caption."""

    recording: Recording
    caption: str
    system: str
    duration_s: float


def real_recordings() -> list[Recording] | None:
    """All that sounds.csv beside the sounds names; None where there are none on this machine."""
    named = os.environ.get("EARMARK_SOUNDS")
    folder = next((place for place in ([Path(named)] if named else _PLACES) if (place / "sounds.csv").is_file()), None)
    if folder is None:
        return None
    with (folder / "sounds.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [Recording(row["file"], (folder / row["file"]).read_bytes(), row["caption"]) for row in rows]


def generated_recordings(number: int) -> list[Recording]:
    """Tones, each of a length of its own."""
    return [
        Recording(f"tone-{index:02}.flac", _tone(hertz, 0.2 + 0.01 * index), f"A tone of {hertz} Hz.")
        for index, hertz in enumerate(range(300, 300 + 40 * number, 40))
    ]


def _tone(hertz: float, duration_s: float) -> bytes:
    time_s = numpy.arange(round(RATE_HZ * duration_s)) / RATE_HZ
    stream = io.BytesIO()
    soundfile.write(stream, 0.1 * numpy.sin(2 * numpy.pi * hertz * time_s), RATE_HZ, format="FLAC")
    return stream.getvalue()


def lines_of(recordings: Sequence[Recording]) -> list[Line]:
    """Each caption with two sounds: its own, by the first system, and its neighbour's, by the second."""
    return [
        Line(each, recordings[index - index % 2].words, SYSTEMS[index % 2], each.duration_s)
        for index, each in enumerate(recordings)
    ]


def zip_of(lines: Sequence[Line], *, with_bad_row: bool = False) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for line in lines:
            archive.writestr(f"sounds/{line.recording.name}", line.recording.content)
        archive.writestr("manifest.csv", manifest_of(lines, with_bad_row=with_bad_row))
    return stream.getvalue()


def manifest_of(lines: Sequence[Line], *, with_bad_row: bool = False) -> bytes:
    stream = io.StringIO()
    rows = csv.writer(stream)
    rows.writerow(["file", "caption", "system", "source_id"])
    for line in lines:
        rows.writerow([f"sounds/{line.recording.name}", line.caption, line.system, line.recording.name])
    if with_bad_row:
        rows.writerow(["sounds/missing.wav", "A sound that is not there.", SYSTEMS[0], "missing"])
    return stream.getvalue().encode()


def heard_as(lines: Sequence[Line], *, caption: str, duration_s: float) -> Sound:
    """What a listener makes of a sound of that length under `caption`: they know the sounds by how long they are."""
    near = sorted(lines, key=lambda line: (abs(line.duration_s - duration_s), line.caption != caption))
    found = next((line for line in near[:3] if line.caption == caption and _same(line.duration_s, duration_s)), near[0])
    role = "study" if found.caption == caption else "anchor"
    return Sound(role, found.system, caption, found.recording.name)


def _same(one_s: float, other_s: float) -> bool:
    return abs(one_s - other_s) < 0.002
