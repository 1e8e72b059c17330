"""Snapshots as Hugging Face datasets: every counted row, in its part, with its sound."""

import hashlib
import io
from pathlib import Path

import pytest
import soundfile
from datasets import Audio

from modeling.hf_dataset import open_comparisons, open_dataset
from modeling.snapshot import SnapshotError, read_snapshot
from tests.modeling.worlds import comparison, row, side, write_rows


@pytest.fixture
def sounds(tmp_path: Path) -> dict[str, Path]:
    """Six clips of a tenth of a second, by sha256."""
    found = {}
    for number in range(6):
        path = tmp_path / f"{number}.wav"
        soundfile.write(path, [0.01 * number] * 1600, 16_000)
        found[hashlib.sha256(path.read_bytes()).hexdigest()] = path
    return found


def test_it_works(sounds: dict[str, Path], tmp_path: Path) -> None:
    clips = list(sounds)
    own = ["train", "train", "validation", "heldout"]
    rows = [
        row(number, clip_sha256=clips[number], split=own[number], score=number, caption=f"caption {number} \ud800")
        for number in range(4)
    ]
    rows += [row(7, clip_sha256=clips[4], role="anchor"), row(8), row(9, clip_sha256=clips[3], split="train")]
    write_rows(tmp_path / "snapshot", rows, sounds)

    found = open_dataset(tmp_path / "snapshot")

    assert {name: part.num_rows for name, part in found.items()} == {"train": 2, "validation": 1, "test": 1}
    (held,) = found["test"]
    snapshot = read_snapshot(tmp_path / "snapshot")
    (ours,) = [item for item in snapshot.ratings if item.split == "heldout"]
    assert held["caption"] == "caption 3 ?"
    assert held["system"] is None
    same = ("rating", "rater", "pair", "score", "scale_min", "scale_max", "role", "question", "clip_sha256")
    assert {name: held[name] for name in same} == {name: getattr(ours, name) for name in same}
    assert found["test"].features["audio"] == Audio(decode=False)
    assert hashlib.sha256(Path(held["audio"]["path"]).read_bytes()).hexdigest() == held["clip_sha256"]


def test_a_copy_on_disk_holds_the_same(sounds: dict[str, Path], tmp_path: Path) -> None:
    rows = [row(number, clip_sha256=clip, split="train", score=number) for number, clip in enumerate(sounds)]
    write_rows(tmp_path / "snapshot", rows, sounds)
    found = open_dataset(tmp_path / "snapshot")["train"]
    written = io.BytesIO()
    found.remove_columns("audio").to_json(written)
    assert found["score"][:] == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert written.getvalue().count(b"\n") == 6


def test_comparisons_open_too(sounds: dict[str, Path], tmp_path: Path) -> None:
    clips = list(sounds)
    heard = comparison(
        first=side(0, clip_sha256=clips[0]), second=side(1, clip_sha256=clips[1]), choice="none", split="train"
    )
    write_rows(tmp_path / "snapshot", [], sounds, comparisons=[heard])
    (found,) = open_comparisons(tmp_path / "snapshot")["train"]
    assert (found["choice"], found["first"]["pair"], found["second"]["pair"]) == ("none", "pair-0", "pair-1")
    assert Path(found["second"]["audio"]["path"]).stem == clips[1]
    assert open_dataset(tmp_path / "snapshot")["train"].num_rows == 0


def test_what_is_no_snapshot_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="this is no complete snapshot"):
        open_dataset(tmp_path)
