"""The snapshot directory: written whole, read back the same, and refused when a byte was changed."""

import dataclasses
import hashlib
import json
import os
from datetime import datetime
from pathlib import Path

import pytest

from modeling.snapshot import RatingRow, SnapshotError, read_snapshot, write_snapshot
from modeling.splits import HELDOUT, TRAIN, HeldoutVersion, caption_split
from tests.modeling.worlds import CREATED, row, write_rows

HOSTILE = '=cmd|" /C calc"!A0\r\nzwei\u2028drei 🎧 \ud800'


@pytest.fixture
def clip(tmp_path: Path) -> tuple[str, Path]:
    path = tmp_path / "clips" / "One.WAV"
    path.parent.mkdir()
    path.write_bytes(b"sound")
    return hashlib.sha256(b"sound").hexdigest(), path


def test_it_works(tmp_path: Path, clip: tuple[str, Path]) -> None:
    sha256, path = clip
    same = {"pair": "p", "caption": "Caption 1", "clip_sha256": sha256}
    rows = [row(1, rater="b", **same), row(2, rater="a", **same), row(3)]
    info = write_rows(tmp_path / "snapshot", rows, {sha256: path})
    snapshot = read_snapshot(tmp_path / "snapshot")
    assert snapshot.info == info
    assert info.sha256 == hashlib.sha256((tmp_path / "snapshot/manifest.json").read_bytes()).hexdigest()
    assert (info.n_ratings, info.n_raters, info.n_pairs) == (3, 3, 2)
    assert [item.rating for item in snapshot.ratings] == ["rating-2", "rating-1", "rating-3"]
    split = caption_split("Caption 1", "salt")
    assert snapshot.audio == {sha256: tmp_path / "snapshot/audio" / f"{sha256}.wav"}
    assert (snapshot.test, snapshot.created, snapshot.salt) == ("a test", CREATED, "salt")
    assert [item.split for item in snapshot.ratings] == [split, split, None], "without audio there is no split"


def test_a_line_holds_exactly_the_contracts_fields(tmp_path: Path) -> None:
    write_rows(tmp_path / "snapshot", [row()], {})
    line = json.loads((tmp_path / "snapshot/ratings.jsonl").read_text())
    names = "rating rater pair clip_sha256 caption source_id system role question score scale_min scale_max split"
    assert list(line) == names.split()


def test_simulated_raters_are_said_to_be_and_people_change_no_byte(tmp_path: Path) -> None:
    told = {"test": "a", "ratings": [], "audio": {}, "scale_min": 0, "scale_max": 10, "salt": "", "created": CREATED}
    write_snapshot(tmp_path / "simulated", **told, is_simulated=True)
    write_snapshot(tmp_path / "people", **told)
    assert read_snapshot(tmp_path / "simulated").is_simulated
    assert not read_snapshot(tmp_path / "people").is_simulated
    assert "simulated" not in json.loads((tmp_path / "people/manifest.json").read_text())


def test_audio_is_linked_not_copied(tmp_path: Path, clip: tuple[str, Path]) -> None:
    sha256, path = clip
    write_rows(tmp_path / "snapshot", [row(clip_sha256=sha256)], {sha256: path})
    assert os.path.samefile(path, tmp_path / "snapshot/audio" / f"{sha256}.wav")


def test_audio_is_copied_where_it_cannot_be_linked(
    tmp_path: Path, clip: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    sha256, path = clip
    write_rows(tmp_path / "snapshot", [row(clip_sha256=sha256)], {sha256: path})
    assert read_snapshot(tmp_path / "snapshot").audio[sha256].read_bytes() == b"sound"


def test_the_same_ratings_give_the_same_bytes_in_any_order(tmp_path: Path) -> None:
    rows = [row(number, pair=f"pair-{number % 3}", caption="c") for number in range(9)]
    one, two = write_rows(tmp_path / "one", rows, {}), write_rows(tmp_path / "two", rows[::-1], {})
    assert one == two
    assert (tmp_path / "one/ratings.jsonl").read_bytes() == (tmp_path / "two/ratings.jsonl").read_bytes()


def test_hostile_captions_come_back_as_they_went_in(tmp_path: Path) -> None:
    write_rows(tmp_path / "snapshot", [row(caption=HOSTILE)], {})
    assert read_snapshot(tmp_path / "snapshot").ratings[0].caption == HOSTILE


def test_only_study_pairs_get_a_split(tmp_path: Path, clip: tuple[str, Path]) -> None:
    sha256, path = clip
    rows = [row(number, role=role, clip_sha256=sha256) for number, role in enumerate(("anchor", "gold", "practice"))]
    info = write_rows(tmp_path / "snapshot", rows, {sha256: path})
    assert {item.split for item in read_snapshot(tmp_path / "snapshot").ratings} == {None}
    assert info.n_train == info.n_validation == info.n_heldout == info.n_dropped == 0


def test_a_data_sets_own_split_wins(tmp_path: Path, clip: tuple[str, Path]) -> None:
    sha256, path = clip
    own = "train" if caption_split("Caption 0", "salt") == "heldout" else "heldout"
    write_rows(tmp_path / "snapshot", [row(clip_sha256=sha256, split=own)], {sha256: path})
    assert read_snapshot(tmp_path / "snapshot").ratings[0].split == own


REFUSED: list[tuple[dict[str, object], str]] = [
    ({"score": 11}, "Rating rating-0: the score 11 is outside its scale 0 to 10."),
    ({"score": float("nan")}, "Rating rating-0: the score nan is outside its scale 0 to 10."),
    ({"scale_max": 0}, "Rating rating-0: the scale 0 to 0 is empty."),
    ({"role": "trap"}, "Rating rating-0: the role must be one of study, anchor, gold, practice, repeat, not 'trap'."),
    ({"clip_sha256": "ab"}, "The clip ab was judged, but no file is given for it."),
    ({"split": "test"}, "Rating rating-0: the split must be one of train, validation, heldout, dropped."),
]


def test_held_out_pairs_that_came_after_the_version_wait(tmp_path: Path, clip: tuple[str, Path]) -> None:
    """They are not trained on either, nor is what shares their sounds."""
    sha256, path = clip
    other = tmp_path / "other.wav"
    other.write_bytes(b"other")
    other_sha256 = hashlib.sha256(b"other").hexdigest()
    kept = row(1, clip_sha256=sha256, caption="a", split=HELDOUT)
    came = row(2, clip_sha256=other_sha256, caption="b", split=HELDOUT)
    shares = row(3, clip_sha256=other_sha256, caption="c", split=TRAIN)
    version = HeldoutVersion(2, frozenset({kept.pair, "a pair without ratings"}))

    info = write_rows(tmp_path / "one", [kept, came, shares], {sha256: path, other_sha256: other}, heldout=version)

    snapshot = read_snapshot(tmp_path / "one")
    assert [item.split for item in snapshot.ratings] == ["heldout", "waiting", "dropped"]
    assert (info.n_heldout, info.n_waiting, info.n_dropped, info.n_pairs) == (1, 1, 1, 3)
    assert snapshot.info == info and snapshot.heldout_version == 2
    manifest = json.loads((tmp_path / "one/manifest.json").read_text())
    sha256_of_names = hashlib.sha256(f"a pair without ratings\n{kept.pair}\n".encode()).hexdigest()
    assert manifest["heldout"] == {"version": 2, "sha256": sha256_of_names, "n_pairs": 2}


def test_a_data_set_does_not_let_pairs_wait(tmp_path: Path, clip: tuple[str, Path]) -> None:
    with pytest.raises(SnapshotError, match="own split must be one of train, validation, heldout, dropped"):
        write_rows(tmp_path / "one", [row(1, clip_sha256=clip[0], split="waiting")], {clip[0]: clip[1]})
    assert not (tmp_path / "one").exists()


@pytest.mark.parametrize(("change", "message"), REFUSED)
def test_a_bad_row_is_refused_and_nothing_written(tmp_path: Path, change: dict[str, object], message: str) -> None:
    with pytest.raises(SnapshotError) as refusal:
        write_rows(tmp_path / "snapshot", [row(**change)], {})  # type: ignore[arg-type]
    assert str(refusal.value) == message
    assert list(tmp_path.iterdir()) == []


def test_a_rating_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="^Rating rating-0 is given twice.$"):
        write_rows(tmp_path / "snapshot", [row(), row()], {})


def test_a_pair_with_two_captions_is_refused(tmp_path: Path) -> None:
    rows = [row(1, pair="p", caption="a"), row(2, pair="p", caption="b")]
    with pytest.raises(SnapshotError, match="^Pair p has two values of caption: 'a' and 'b'.$"):
        write_rows(tmp_path / "snapshot", rows, {})


def test_a_changed_original_is_refused(tmp_path: Path, clip: tuple[str, Path]) -> None:
    sha256, path = clip
    path.write_bytes(b"other")
    with pytest.raises(SnapshotError, match=f"has the sha256 .* not {sha256}; the original file was changed"):
        write_rows(tmp_path / "snapshot", [row(clip_sha256=sha256)], {sha256: path})
    assert not (tmp_path / "snapshot").exists()


def test_a_snapshot_is_written_once(tmp_path: Path) -> None:
    write_rows(tmp_path / "snapshot", [row()], {})
    before = (tmp_path / "snapshot/manifest.json").read_bytes()
    with pytest.raises(SnapshotError, match="already exists; a snapshot is written once"):
        write_rows(tmp_path / "snapshot", [row(score=1)], {})
    assert (tmp_path / "snapshot/manifest.json").read_bytes() == before


def test_a_time_without_a_zone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="must carry its time zone"):
        write_snapshot(
            tmp_path / "snapshot", test="t", ratings=[row()], audio={}, scale_min=0, scale_max=10, salt="s",
            created=datetime(2026, 1, 1),  # noqa: DTZ001 - the mistake under test
        )  # fmt: skip
    assert list(tmp_path.iterdir()) == []


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.unlink()
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("name", ["ratings.jsonl", "audio"])
@pytest.mark.parametrize("harm", ["changed", "missing"])
def test_a_changed_or_missing_file_is_named(tmp_path: Path, clip: tuple[str, Path], name: str, harm: str) -> None:
    sha256, path = clip
    write_rows(tmp_path / "snapshot", [row(clip_sha256=sha256)], {sha256: path})
    target = tmp_path / "snapshot" / (f"audio/{sha256}.wav" if name == "audio" else name)
    flip(target) if harm == "changed" else target.unlink()
    with pytest.raises(SnapshotError) as refusal:
        read_snapshot(tmp_path / "snapshot")
    assert str(target) in str(refusal.value)
    assert harm in str(refusal.value)


def test_an_added_file_is_named(tmp_path: Path) -> None:
    write_rows(tmp_path / "snapshot", [row()], {})
    (tmp_path / "snapshot/audio/extra.wav").write_bytes(b"")
    with pytest.raises(SnapshotError, match="extra.wav is not named in the manifest"):
        read_snapshot(tmp_path / "snapshot")


def test_a_manifest_that_promises_something_else_is_refused(tmp_path: Path) -> None:
    write_rows(tmp_path / "snapshot", [row()], {})
    path = tmp_path / "snapshot/manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps(manifest | {"counts": manifest["counts"] | {"n_pairs": 7}}))
    with pytest.raises(SnapshotError, match=r"manifest.json counts .*'n_pairs': 7"):
        read_snapshot(tmp_path / "snapshot")
    path.write_text(json.dumps(manifest | {"schema_version": 99}))
    with pytest.raises(SnapshotError, match="has schema version 99; this program reads versions 1 and 2"):
        read_snapshot(tmp_path / "snapshot")


def test_no_snapshot_at_all_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match=r"manifest.json cannot be read .*; this is no complete snapshot\."):
        read_snapshot(tmp_path / "nothing")


def test_rows_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        row().score = 3  # type: ignore[misc]
    assert isinstance(row(), RatingRow)
