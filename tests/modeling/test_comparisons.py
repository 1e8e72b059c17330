"""Comparisons in a snapshot, and the pairs made of them: form, splits, scores and refusals."""

import dataclasses
import hashlib
import json
import math
from pathlib import Path

import pytest

from modeling import splits
from modeling.dataset import pair_set
from modeling.results import TrainingRefused
from modeling.rows import ComparedPair, ComparisonRow
from modeling.snapshot import SnapshotError, read_snapshot
from modeling.splits import caption_split
from tests.modeling.worlds import comparison, row, side, write_rows

HOSTILE = "zwei\u2028drei \ud800"


@pytest.fixture
def audio(tmp_path: Path) -> dict[str, Path]:
    """Twenty clips by their sha256."""
    (tmp_path / "clips").mkdir()
    files = {}
    for number in range(20):
        path = tmp_path / "clips" / f"{number}.wav"
        path.write_bytes(str(number).encode())
        files[hashlib.sha256(path.read_bytes()).hexdigest()] = path
    return files


def caption_of(split: str, number: int = 0) -> str:
    found = (text for text in (f"Caption {n}" for n in range(1000)) if caption_split(text, "salt") == split)
    return [next(found) for _ in range(number + 1)][-1]


def test_it_works(tmp_path: Path, audio: dict[str, Path]) -> None:
    one, two, *_ = audio
    first, second = side(0, clip_sha256=one, system="a"), side(1, clip_sha256=two, system="b")
    rows = [
        comparison(0, first=first, second=second),
        comparison(1, first=second, second=first, choice="none"),
    ]
    info = write_rows(tmp_path / "snapshot", [row(7)], audio, comparisons=rows)
    snapshot = read_snapshot(tmp_path / "snapshot")
    split = caption_split("A dog", "salt")
    assert snapshot.info == info
    assert snapshot.comparisons == tuple(dataclasses.replace(item, split=split) for item in rows)
    assert (info.n_comparisons, info.n_ratings, info.n_raters, info.n_pairs) == (2, 1, 3, 3)
    assert set(snapshot.audio) == {one, two}
    manifest = json.loads((tmp_path / "snapshot/manifest.json").read_text())
    assert manifest["schema_version"] == 2
    assert manifest["counts"]["n_comparisons"] == 2


def test_a_line_holds_exactly_the_contracts_fields(tmp_path: Path) -> None:
    write_rows(tmp_path / "snapshot", [], {}, comparisons=[comparison(first=side(0, source_id=HOSTILE))])
    (line,) = (tmp_path / "snapshot/comparisons.jsonl").read_text().splitlines()
    values = json.loads(line)
    assert list(values) == ["comparison", "rater", "question", "choice", "first", "second", "split"]
    assert list(values["first"]) == ["pair", "clip_sha256", "caption", "source_id", "system", "role"]
    assert values["split"] is None, "without audio there is no split"
    assert read_snapshot(tmp_path / "snapshot").comparisons[0].first.source_id == HOSTILE


def test_a_snapshot_of_ratings_alone_is_what_it_was(tmp_path: Path) -> None:
    """The sha256 of the manifest, which names those of the other files, as the version before comparisons wrote it."""
    path = tmp_path / "a.wav"
    path.write_bytes(b"sound")
    sha256 = hashlib.sha256(b"sound").hexdigest()
    rows = [
        row(
            n,
            pair=f"pair-{n % 3}",
            caption="Ein Hund \ud800 bellt" if n % 3 else "c",
            clip_sha256=sha256 if n % 3 else None,
        )
        for n in range(9)
    ]
    info = write_rows(tmp_path / "snapshot", rows, {sha256: path})
    assert info.sha256 == "135bd8faec84f9aa43c3ba699b1831c26c2bcc272828b65378d9fc8b3ceb4308"
    assert not (tmp_path / "snapshot/comparisons.jsonl").exists()
    assert info.n_comparisons == 0


def test_the_order_of_lines_does_not_matter(tmp_path: Path) -> None:
    rows = [comparison(n, first=side(n % 3), second=side(3 + n % 2)) for n in range(9)]
    one = write_rows(tmp_path / "one", [], {}, comparisons=rows)
    assert write_rows(tmp_path / "two", [], {}, comparisons=rows[::-1]) == one


REFUSED: list[tuple[dict[str, object], str]] = [
    ({"choice": "third"}, "Comparison comparison-0: the choice must be one of first, second, none, not 'third'."),
    ({"second": side(0)}, "Comparison comparison-0: pair pair-0 is compared with itself."),
    (
        {"second": side(1, caption="A cat")},
        "Comparison comparison-0: its clips have two captions, 'A dog' and 'A cat'; only clips of one caption can be "
        "compared.",
    ),
    (
        {"first": side(role="trap")},
        "Comparison comparison-0: the role must be one of study, anchor, gold, practice, repeat, not 'trap'.",
    ),
    ({"split": "test"}, "Comparison comparison-0: the split must be one of train, validation, heldout, dropped."),
    ({"first": side(clip_sha256="ab")}, "The clip ab was judged, but no file is given for it."),
    ({"first": side(5, system="other")}, "Pair pair-5 has two values of system: None and 'other'."),
    ({"first": side(6)}, "Pair pair-6 has two values of caption: 'Caption 6' and 'A dog'."),
    ({"comparison": "comparison-2"}, "Comparison comparison-2 is given twice."),
]


@pytest.mark.parametrize(("change", "message"), REFUSED)
def test_a_bad_comparison_is_refused_and_nothing_written(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    """Beside a good comparison of pairs 4 and 5, and a rating of pair 6."""
    with pytest.raises(SnapshotError) as refusal:
        write_rows(tmp_path / "snapshot", [row(6)], {}, comparisons=[comparison(**change), comparison(2)])  # type: ignore[arg-type]
    assert str(refusal.value) == message
    assert list(tmp_path.iterdir()) == []


def test_a_changed_or_missing_file_is_named(tmp_path: Path) -> None:
    write_rows(tmp_path / "snapshot", [], {}, comparisons=[comparison()])
    path = tmp_path / "snapshot/comparisons.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"first"', b'"second"', 1))
    with pytest.raises(SnapshotError, match="comparisons.jsonl was changed"):
        read_snapshot(tmp_path / "snapshot")
    path.unlink()
    with pytest.raises(SnapshotError, match="comparisons.jsonl is named in the manifest but missing"):
        read_snapshot(tmp_path / "snapshot")


@pytest.mark.parametrize("shared", ["clip_sha256", "source_id"])
def test_a_comparison_with_a_held_out_sound_is_dropped_and_counted(
    tmp_path: Path, audio: dict[str, Path], shared: str
) -> None:
    """Pair 0 of a training caption is the sound of a held-out pair: its comparisons go, 1 against 2 stays."""
    clips = list(audio)
    learnt, held = caption_of("train"), caption_of("heldout")
    same = {"clip_sha256": clips[3]} if shared == "clip_sha256" else {"source_id": "one"}
    mine = [side(n, caption=learnt, clip_sha256=clips[n]) for n in range(3)]
    mine[0] = dataclasses.replace(mine[0], **same)
    theirs = [side(n, caption=held, clip_sha256=clips[n]) for n in (3, 4)]
    theirs[0] = dataclasses.replace(theirs[0], **same)
    rows = [
        comparison(0, first=mine[0], second=mine[1]),
        comparison(1, first=mine[1], second=mine[2]),
        comparison(2, first=theirs[0], second=theirs[1]),
    ]
    info = write_rows(tmp_path / "snapshot", [], audio, comparisons=rows)
    assert (info.n_train, info.n_heldout, info.n_dropped, info.n_pairs) == (2, 2, 1, 5)
    snapshot = read_snapshot(tmp_path / "snapshot")
    assert {item.comparison: item.split for item in snapshot.comparisons} == {
        "comparison-0": "dropped",
        "comparison-1": "train",
        "comparison-2": "heldout",
    }
    pairs = pair_set(snapshot)
    assert dict(zip(pairs.pairs, pairs.split.tolist(), strict=True)) == {
        "pair-0": "dropped", "pair-1": "train", "pair-2": "train", "pair-3": "heldout", "pair-4": "heldout",
    }  # fmt: skip
    # Pair 1 won once against 2; what pair 0 did against it must not count.
    e = 1.6956207696
    assert pairs.target[1:3] == pytest.approx([10 * e / (1 + e), 10 / (1 + e)])
    assert pairs.n_ratings.tolist() == [1, 1, 1, 1, 1]


def test_a_comparison_with_an_anchor_neither_trains_nor_counts(tmp_path: Path, audio: dict[str, Path]) -> None:
    one, two, three, *_ = audio
    study = [side(n, clip_sha256=sha256) for n, sha256 in enumerate((one, two))]
    anchor = side(2, clip_sha256=three, role="anchor")
    rows = [comparison(0, first=study[0], second=study[1]), comparison(1, first=anchor, second=study[0])]
    info = write_rows(tmp_path / "snapshot", [], audio, comparisons=rows)
    snapshot = read_snapshot(tmp_path / "snapshot")
    assert [item.split for item in snapshot.comparisons] == [caption_split("A dog", "salt"), None]
    assert info.n_pairs == 3
    assert info.n_train + info.n_validation + info.n_heldout == 2
    assert pair_set(snapshot).pairs == ("pair-0", "pair-1")


def test_a_data_sets_own_split_wins(tmp_path: Path, audio: dict[str, Path]) -> None:
    one, two, *_ = audio
    own = "train" if caption_split("A dog", "salt") == "heldout" else "heldout"
    rows = [comparison(first=side(0, clip_sha256=one), second=side(1, clip_sha256=two), split=own)]
    write_rows(tmp_path / "snapshot", [], audio, comparisons=rows)
    assert read_snapshot(tmp_path / "snapshot").comparisons[0].split == own


def test_joint_splits() -> None:
    assert splits.joint_split("train", "train") == "train"
    assert splits.joint_split("train", "dropped") == splits.joint_split("dropped", "heldout") == "dropped"
    assert splits.joint_split("train", None) is splits.joint_split(None, "dropped") is None


def test_pairs_of_comparisons_have_bradley_terry_scores(tmp_path: Path, audio: dict[str, Path]) -> None:
    """3 wins to 1: the odds against an average clip are the root of e^3 - e - 2 (test_bradley_terry), 1.5213797."""
    one, two, *_ = audio
    first, second = side(0, clip_sha256=one), side(1, clip_sha256=two)
    rows = [comparison(n, first=first, second=second, choice="second" if n == 3 else "first") for n in range(4)]
    write_rows(tmp_path / "snapshot", [], audio, comparisons=rows)
    pairs = pair_set(read_snapshot(tmp_path / "snapshot"))
    assert pairs.question == "preference"
    assert pairs.human_mean == pytest.approx([10 * 1.5213797068 / 2.5213797068, 10 / 2.5213797068])
    assert (pairs.human_mean == pairs.target).all()
    assert pairs.n_ratings.tolist() == [4, 4]
    assert math.isclose(pairs.human_mean.sum(), 10)


def rated_and_compared(audio: dict[str, Path], question: str) -> tuple[list[ComparisonRow], ComparedPair]:
    one, two, *_ = audio
    first = side(0, clip_sha256=one)
    return [comparison(first=first, second=side(1, clip_sha256=two), question=question)], first


def test_a_question_is_named_where_there_are_several(tmp_path: Path, audio: dict[str, Path]) -> None:
    rows, first = rated_and_compared(audio, "preference")
    rating = row(pair="pair-0", caption="A dog", clip_sha256=first.clip_sha256, question="relevance", score=7)
    write_rows(tmp_path / "snapshot", [rating], audio, comparisons=rows)
    snapshot = read_snapshot(tmp_path / "snapshot")
    assert pair_set(snapshot, question="relevance").human_mean.tolist() == [7]
    assert pair_set(snapshot, question="preference").pairs == ("pair-0", "pair-1")
    with pytest.raises(TrainingRefused) as refusal:
        pair_set(snapshot)
    assert str(refusal.value) == (
        "The snapshot has answers to 2 questions (preference, relevance); name the one to train on, with the setting "
        "question or the flag --question."
    )
    with pytest.raises(TrainingRefused) as refusal:
        pair_set(snapshot, question="order")
    assert str(refusal.value) == (
        "The snapshot has no answers to the question 'order'; it has those to: preference, relevance."
    )


def test_a_question_both_rated_and_compared_is_refused(tmp_path: Path, audio: dict[str, Path]) -> None:
    rows, first = rated_and_compared(audio, "relevance")
    rating = row(pair="pair-0", caption="A dog", clip_sha256=first.clip_sha256)
    write_rows(tmp_path / "snapshot", [rating], audio, comparisons=rows)
    with pytest.raises(TrainingRefused) as refusal:
        pair_set(read_snapshot(tmp_path / "snapshot"))
    assert str(refusal.value) == (
        "The question 'relevance' has 1 ratings and 1 paired comparisons; a model is trained on one kind. "
        "Make a snapshot with one of them."
    )


def test_a_scale_is_not_needed_where_nothing_is_rated(compared: Path) -> None:
    snapshot = read_snapshot(compared)
    assert snapshot.ratings == ()
    assert (snapshot.directory / "ratings.jsonl").read_bytes() == b""
