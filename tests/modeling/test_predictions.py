"""`evaluate --predictions`: each layout is joined to the held-out pairs, and what does not join is named."""

import csv
import dataclasses
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from modeling import metrics
from modeling.__main__ import main
from modeling.dataset import pair_set
from modeling.predictions import MOST_TOLD
from modeling.snapshot import read_snapshot
from modeling.terminal import breakdown_lines
from tests.modeling.worlds import comparison, row, side, write_rows

N = 24


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot of 24 held-out pairs and 4 that are trained on, its files under their own names in `clips`.

    The first pair was heard again as a hidden repeat, a pair of its own; the last two clips have one source.
    """
    folder = tmp_path_factory.mktemp("judged")
    (folder / "clips").mkdir()
    rows, audio = [], {}
    for number in range(N + 4):
        path = folder / "clips" / f"sound {number}.wav"
        path.write_bytes(b"sound %d" % number)
        clip = hashlib.sha256(path.read_bytes()).hexdigest()
        audio[clip] = path
        rows += [
            row(
                10 * number + rater,
                rater=f"rater-{rater}",
                pair=f"pair-{number:02}",
                clip_sha256=clip,
                caption=f"Caption {number // 2}",
                source_id=f"take-{min(number, N + 2)}.flac",
                system=("tango", "audiocaps")[number % 2],
                score=(number * 7 + rater) % 11,
                split="heldout" if number < N else "train",
            )
            for rater in range(3)
        ]
    again = {"pair": "pair-repeat", "role": "repeat", "split": None, "rating": "again"}
    rows.append(dataclasses.replace(rows[0], **again))
    write_rows(folder / "snapshot", rows, audio)
    return folder


def test_a_source_of_several_clips_says_nothing_of_which(
    judged: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = written(tmp_path / "p.csv", "wav_file_name,pred_score", [[f"take-{N + 2}.flac", 5]])
    lines = refused(judged, "--predictions", str(table), capsys=capsys)
    assert lines[1] == f"Row 2: 'take-{N + 2}.flac' is of no pair of the snapshot."


def human(judged: Path) -> np.ndarray:
    return pair_set(read_snapshot(judged / "snapshot")).human_mean[:N]


def written(path: Path, header: str, rows: list[list[object]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header.split(","), *rows])
    return path


def evaluated(judged: Path, *arguments: str, capsys: pytest.CaptureFixture[str]) -> dict:
    assert main(["evaluate", str(judged / "snapshot"), *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refused(judged: Path, *arguments: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    assert main(["evaluate", str(judged / "snapshot"), *arguments]) == 1
    streams = capsys.readouterr()
    assert streams.out == ""
    return streams.err.splitlines()


def some_scores() -> list[float]:
    return np.random.default_rng(1).uniform(0, 10, N).round(2).tolist()


def test_it_works(judged: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scores = some_scores()
    table = written(
        tmp_path / "p.csv", "pair,score", [[f"pair-{n:02}", score] for n, score in reversed([*enumerate(scores)])]
    )
    report = evaluated(judged, "--predictions", str(table), capsys=capsys)
    assert report["model"] == "p.csv"
    assert report["n_heldout"] == N
    expected, _ = metrics.compare_all([metrics.Predicted.of_score(scores)], human(judged), [n // 2 for n in range(N)])
    assert report["agreement"] == {name: value.as_dict() for name, value in expected[0].items()}
    assert report["breakdown"]["system"]["tango"]["srcc"]["n"] == 12
    assert report["score"] is report["score_calibration"] is report["models"][0]["difference"] is None
    assert report["contamination"] == {"known": False, "clips": None, "captions": None, "pairs": None, "data": None}


@pytest.mark.parametrize(
    ("header", "called"),
    [
        ("wav_file_name,pred_score", "sound {n}.wav"),
        ("file,caption,score", "sound {n}.wav"),
        ("file,caption,score", "take-{n}.flac"),
        ("wav_file_name,pred_score", "take-{n}.flac"),
        ("wav_file_name,pred_score", "audio/{sha256}.wav"),
        ("wav_file_name,pred_score", "{sha256}"),
    ],
)
def test_every_layout_joins_the_same_pairs(
    judged: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], header: str, called: str
) -> None:
    scores = some_scores()
    rows: list[list[object]] = []
    for n, score in enumerate([*scores, 5.0]):
        sha256 = hashlib.sha256(b"sound %d" % n).hexdigest()
        name = called.format(n=n, sha256=sha256)
        rows.append([name, f" caption  {n // 2}", score] if "caption" in header else [name, score])
    written(tmp_path / "other.csv", header, rows)
    written(tmp_path / "plain.csv", "pair,score", [[f"pair-{n:02}", score] for n, score in enumerate(scores)])
    report = evaluated(
        judged,
        *("--predictions", f"other={tmp_path / 'other.csv'}", "--predictions", f"plain={tmp_path / 'plain.csv'}"),
        *("--audio", str(judged / "clips")),
        capsys=capsys,
    )
    other, plain = report["models"]
    assert (other["model"], plain["model"]) == ("other", "plain")
    assert other["agreement"] == plain["agreement"]
    assert plain["difference"]["srcc"] == {"value": 0.0, "low": 0.0, "high": 0.0, "n": N}
    assert other["note"] == "Rows left aside, since their pairs are not held out: 1."


def test_a_cosine_is_judged_and_a_score_stands_beside_it(
    judged: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What `score --pairs` writes."""
    scores = some_scores()
    rows = [[f"take-{n}.flac", f"Caption {n // 2}", 0.1 - score / 20, score, ""] for n, score in enumerate(scores)]
    table = written(tmp_path / "p.csv", "file,caption,cosine,score,score_sd", rows)
    report = evaluated(judged, "--predictions", str(table), capsys=capsys)
    cosines = [row[2] for row in rows]
    expected = metrics.measure(cosines, human(judged), [n // 2 for n in range(N)])
    assert report["agreement"] == {name: value.as_dict() for name, value in expected.items()}
    assert report["score"]["srcc"]["value"] == pytest.approx(-expected["srcc"].value)
    assert report["score_calibration"]["slope"]["n"] == N
    assert main(["evaluate", str(judged / "snapshot"), "--predictions", f"mine={table}"]) == 0
    text = capsys.readouterr().out
    assert f"mine on {N} held-out pairs:" in text
    assert "Its score instead of the cosine:" in text
    assert "within captions" in text
    assert "disagreement: low (SD " in text


def test_a_score_on_another_scale_has_no_mse(judged: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [[f"pair-{n:02}", -score] for n, score in enumerate(some_scores())]
    report = evaluated(judged, "--predictions", str(written(tmp_path / "p.csv", "pair,score", rows)), capsys=capsys)
    assert report["agreement"]["mse"]["value"] is report["breakdown"]["calibration"] is None
    assert report["agreement"]["srcc"]["value"] is not None
    assert "which is not 0 to 10: there is no MSE." in report["note"]


def good_rows() -> list[list[object]]:
    return [[f"pair-{n:02}", score] for n, score in enumerate(some_scores())]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (
            good_rows()[:-2],
            ["no prediction of 2 of the 24 held-out pairs (pair-22, pair-23). A pair is never left out"],
        ),
        ([*good_rows(), ["pair-99", 1]], ["Row 26: 'pair-99' is of no pair of the snapshot."]),
        ([*good_rows(), ["pair-03", 1]], ["Row 26: row 5 predicts pair pair-03 already."]),
        ([["pair-00", "nan"], ["pair-01", ""], *good_rows()[2:]], ["Row 2: score is 'nan'", "Row 3: score is ''"]),
        ([["pair-00", "inf"], *good_rows()[1:]], ["Row 2: score is 'inf', which is not a finite number."]),
        ([["pair-00", "ten"], *good_rows()[1:]], ["Row 2: score is 'ten', which is not a finite number."]),
        ([["x", 1]] * 12, [*[f"Row {n + 2}: 'x' is of no pair" for n in range(MOST_TOLD)], "And 2 more rows."]),
    ],
)
def test_what_is_missing_doubled_unknown_or_no_number_is_named(
    judged: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], rows: list[list[object]], told: list[str]
) -> None:
    table = written(tmp_path / "p.csv", "pair,score", rows)
    lines = refused(judged, "--predictions", str(table), capsys=capsys)
    assert len(lines) == len(told) + (1 if "Row" in told[0] else 0)
    for line, expected in zip(lines[-len(told) :], told, strict=True):
        assert expected in line
    assert str(table) in lines[0]


def test_names_that_a_snapshot_cannot_know_are_explained(
    judged: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = written(tmp_path / "p.csv", "wav_file_name,pred_score", [["sound 0.wav", 1], ["../none.wav", 2]])
    lines = refused(judged, "--predictions", str(table), capsys=capsys)
    assert lines[1:3] == [
        "Row 2: 'sound 0.wav' is of no pair of the snapshot.",
        "Row 3: '../none.wav' is of no pair of the snapshot.",
    ]
    assert lines[3].startswith("A snapshot has no file names.")


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("pair,rating", "has no column of predictions; call it cosine, score or pred_score."),
        ("clip,score", "names no pairs; it needs a column pair, or file and caption, or wav_file_name."),
    ],
)
def test_a_table_of_another_kind_is_refused(
    judged: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], header: str, told: str
) -> None:
    assert (
        told in refused(judged, "--predictions", str(written(tmp_path / "p.csv", header, [["a", 1]])), capsys=capsys)[0]
    )


def test_a_file_of_several_pairs_needs_its_captions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One clip under two captions."""
    (tmp_path / "a.wav").write_bytes(b"a")
    clip = hashlib.sha256(b"a").hexdigest()
    rows = [
        row(number, pair=f"pair-{number}", clip_sha256=clip, caption=f"Caption {number}", split="heldout")
        for number in range(2)
    ]
    write_rows(tmp_path / "snapshot", rows, {clip: tmp_path / "a.wav"})
    table = written(tmp_path / "p.csv", "wav_file_name,pred_score", [["a.wav", 1]])
    assert "Row 2: 'a.wav' means 2 pairs." in refused(tmp_path, "--predictions", str(table), capsys=capsys)
    written(table, "wav_file_name,text,pred_score", [["a.wav", "caption 1", 1], ["a.wav", "Caption 0", 2]])
    assert evaluated(tmp_path, "--predictions", str(table), capsys=capsys)["n_heldout"] == 2


def test_predictions_are_judged_by_choices_where_people_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first is right in three of three comparisons, the second in one."""
    audio = {}
    for number in range(6):
        path = tmp_path / f"{number}.wav"
        path.write_bytes(b"%d" % number)
        audio[hashlib.sha256(path.read_bytes()).hexdigest()] = path
    sides = [side(n, clip_sha256=clip, caption=f"Caption {n // 2}") for n, clip in enumerate(audio)]
    compared = [comparison(n, first=sides[2 * n], second=sides[2 * n + 1], split="heldout") for n in range(3)]
    write_rows(tmp_path / "snapshot", [], audio, comparisons=compared)
    tables = [
        written(tmp_path / f"{name}.csv", "pair,score", [[f"pair-{n}", score] for n, score in enumerate(scores)])
        for name, scores in (("right", [5, 1, 6, 2, 7, 3]), ("wrong", [5, 1, 2, 6, 3, 7]))
    ]
    arguments = [word for table in tables for word in ("--predictions", str(table))]
    report = evaluated(tmp_path, *arguments, capsys=capsys)
    right, wrong = report["models"]
    assert (right["agreement"]["agreement"]["value"], right["agreement"]["agreement"]["n"]) == (1, 3)
    assert wrong["agreement"]["agreement"]["value"] == pytest.approx(1 / 3)
    assert wrong["difference"]["agreement"]["value"] == pytest.approx(-2 / 3)
    assert right["breakdown"] is wrong["breakdown"] is None
    assert main(["evaluate", str(tmp_path / "snapshot"), *arguments]) == 0
    assert "Agreement" in capsys.readouterr().out


def test_a_hostile_system_stays_on_its_line() -> None:
    undefined = {"value": None, "low": None, "high": None, "n": 1}
    parts = {
        **dict.fromkeys(["within_caption", "within_system", "origin", "n_ratings", "disagreement", "calibration"]),
        "system": {"a\n\x1b[2J\udcff": {"srcc": undefined}},
        "noise_corrected": {"srcc": undefined, "lcc": undefined, "reliability": undefined},
    }
    lines = breakdown_lines(parts)
    assert lines[1].startswith("  system: a [2J  ")
    assert all(line.isprintable() for line in lines)


def test_nothing_to_measure_is_refused(judged: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(judged, capsys=capsys) == [
        "Name what is to be measured: --model MODEL, --predictions FILE, or several of them."
    ]
