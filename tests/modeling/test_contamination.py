"""What a model was trained on is written down, and found again in what it is judged on."""

import hashlib
import json
from pathlib import Path

import pytest

from modeling.contamination import contamination
from modeling.data_sets import RELATE, data_set_of, data_sets_of_model
from modeling.dataset import PairSet, pair_set
from modeling.provenance import (
    PROVENANCE,
    Provenance,
    caption_sha256,
    provenance_of,
    read_provenance,
    write_provenance,
)
from modeling.results import TrainingRefused
from modeling.snapshot import Snapshot, read_snapshot
from tests.modeling.worlds import row, write_rows

HUMAN_CLAP = "sarulab-speech/human-clap-wsce-mae"


def snapshot_of(folder: Path, splits: list[str], systems: tuple[str, ...] = ("a", "b")) -> tuple[PairSet, Snapshot]:
    """A pair of each split, each of a clip and a caption of its own."""
    audio, rows = {}, []
    folder.mkdir()
    for number, split in enumerate(splits):
        path = folder / f"{number}.wav"
        path.write_bytes(b"%d" % number)
        clip = hashlib.sha256(b"%d" % number).hexdigest()
        audio[clip] = path
        rows.append(
            row(number, clip_sha256=clip, pair=f"pair-{number}", split=split, system=systems[number % len(systems)])
        )
    write_rows(folder / "snapshot", rows, audio)
    snapshot = read_snapshot(folder / "snapshot")
    return pair_set(snapshot), snapshot


SPLITS = ["train", "validation", "heldout", "heldout", "dropped"]


def test_it_works(tmp_path: Path) -> None:
    """Trained on the first two pairs of one snapshot, and judged on it and on another that holds these out."""
    pairs, snapshot = snapshot_of(tmp_path / "one", SPLITS)
    model = tmp_path / "model"
    model.mkdir()
    write_provenance(provenance_of(pairs, snapshot, "builtin"), model)
    found = read_provenance(model)
    assert found is not None
    assert (found.snapshot_sha256, found.test, found.base_model) == (snapshot.info.sha256, "a test", "builtin")
    assert found.captions == tuple(sorted(map(caption_sha256, ["caption  0", "CAPTION 1"])))
    assert found.clips == tuple(sorted(pairs.clips[:2]))
    own = contamination("mine", found, pairs, snapshot)
    assert own.as_dict() == {"known": True, "clips": 0, "captions": 0, "pairs": 0, "data": None}
    assert own.note == ""
    other, theirs = snapshot_of(tmp_path / "two", ["heldout", "heldout", "heldout"])
    seen = contamination("mine", found, other, theirs)
    assert seen.as_dict() == {"known": True, "clips": 2, "captions": 2, "pairs": 2, "data": None}
    assert seen.note == (
        "mine was trained on the clip or the caption of 2 of the 3 held-out pairs (2 clips, 2 captions): these figures "
        "are partly of what it has seen."
    )


def test_a_clip_or_a_caption_is_enough(tmp_path: Path) -> None:
    pairs, snapshot = snapshot_of(tmp_path / "one", ["heldout"] * 3)
    told = Provenance("", "", "", (), (), (pairs.clips[0],), (caption_sha256("Caption 2"),))
    seen = contamination("mine", told, pairs, snapshot)
    assert (seen.clips, seen.captions, seen.pairs) == (1, 1, 2)


def test_what_the_base_has_seen_is_kept(tmp_path: Path) -> None:
    pairs, snapshot = snapshot_of(tmp_path / "one", SPLITS)
    base = Provenance("x", "an earlier test", HUMAN_CLAP, (RELATE,), (RELATE,), ("0" * 64,), ("1" * 64,))
    (tmp_path / "base").mkdir()
    write_provenance(base, tmp_path / "base")
    found = provenance_of(pairs, snapshot, str(tmp_path / "base"))
    assert set(found.clips) == {*pairs.clips[:2], "0" * 64}
    assert len(found.captions) == 3
    assert found.data == found.unlisted == (RELATE,)


def test_a_model_trained_on_relate_is_flagged_on_relate(tmp_path: Path) -> None:
    pairs, snapshot = snapshot_of(tmp_path / "relate", SPLITS, ("audiocaps", "tango2"))
    flagged = contamination(HUMAN_CLAP, None, pairs, snapshot)
    assert flagged.as_dict() == {"known": False, "clips": None, "captions": None, "pairs": None, "data": RELATE}
    assert flagged.note == (
        f"{HUMAN_CLAP} was trained on RELATE, and by its systems this snapshot is of RELATE: unless its held-out pairs "
        "are those that the model's authors held out, these figures are of what it has seen."
    )
    on_top = provenance_of(pairs, snapshot, HUMAN_CLAP)
    assert contamination("mine", on_top, pairs, snapshot).data == RELATE
    # One of ours says which part it has learned: none that is held out.
    own = provenance_of(pairs, snapshot, "laion/clap-htsat-fused")
    assert (own.data, own.unlisted) == ((RELATE,), ())
    assert contamination("mine", own, pairs, snapshot).note == ""
    others, elsewhere = snapshot_of(tmp_path / "other", SPLITS)
    assert contamination(HUMAN_CLAP, None, others, elsewhere).note == ""


@pytest.mark.parametrize(
    ("test", "systems", "data"),
    [
        ("t", ["audiocaps", "audioldm", "audioldm2", "tango", "tango2"], RELATE),
        ("t", ["Tango", "", "audioldm2"], RELATE),
        ("relate-rel", ["tango"], RELATE),
        ("t", ["tango"], None),
        ("unrelated", ["tango"], None),
        ("relate", ["tango", "mine"], None),
        ("relate", ["", ""], None),
        ("relate", [], None),
    ],
)
def test_relate_is_known_by_its_systems(test: str, systems: list[str], data: str | None) -> None:
    assert data_set_of(test, systems) == data


@pytest.mark.parametrize(
    ("name", "data"),
    [
        (HUMAN_CLAP, (RELATE,)),
        ("/models/Human-CLAP-mse/", (RELATE,)),
        ("human-clap", (RELATE,)),
        ("laion/clap-htsat-fused", ()),
        ("/models/superhuman-clap", ()),
        ("builtin", ()),
    ],
)
def test_published_models_say_by_their_names_what_they_were_trained_on(name: str, data: tuple[str, ...]) -> None:
    assert data_sets_of_model(name) == data


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"snapshot_sha256": 3}', '{"clips": "abc"}', "nul\0"])
def test_a_file_that_is_no_provenance_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / PROVENANCE).write_text(content)
    with pytest.raises(TrainingRefused, match="cannot be read as a list of what the model was trained on"):
        read_provenance(tmp_path)


def test_provenance_holds_no_caption(tmp_path: Path) -> None:
    pairs, snapshot = snapshot_of(tmp_path / "one", SPLITS)
    write_provenance(provenance_of(pairs, snapshot, "builtin"), tmp_path)
    told = json.loads((tmp_path / PROVENANCE).read_text())
    assert list(told) == ["snapshot_sha256", "test", "base_model", "data", "unlisted", "clips", "captions", "complete"]
    assert "Caption" not in json.dumps(told)
    assert read_provenance(tmp_path / "nowhere") is None
