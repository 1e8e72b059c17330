"""`python -m modeling`: the commands, their JSON, and their exit codes."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

from modeling.__main__ import main
from modeling.synthetic import SAMPLE_RATE, generate_world
from modeling.training import TrainingResult

HOSTILE = [
    '=HYPERLINK("http://x")',
    "+1",
    "@SUM(A1)",
    'a "quoted", one\r\nof two lines',
    " spaces ",
    "犬が吠える",
    "-",
    "'x",
]


@pytest.fixture
def clips(tmp_path: Path) -> list[str]:
    (tmp_path / "in").mkdir()
    for number, stimulus in enumerate(generate_world(seed=4, n_captions=1)):
        soundfile.write(tmp_path / "in" / f"{number}.wav", stimulus.samples, SAMPLE_RATE)
    return [f"{number}.wav" for number in range(4)]


def write_table(tmp_path: Path, rows: list[list[str]], header: str = "file,caption") -> Path:
    with (tmp_path / "in" / "pairs.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header.split(","), *rows])
    return tmp_path / "in" / "pairs.csv"


def read_table(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_it_works(
    trained: TrainingResult, clips: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A clip and a text, as in a shell and in a process of its own."""
    arguments = [
        "score",
        "--model",
        str(trained.model_dir),
        "--audio",
        str(tmp_path / "in" / clips[0]),
        "--text",
        "Rain.",
    ]
    assert main([*arguments, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert list(answer) == ["cosine", "score", "score_sd"]
    done = subprocess.run([sys.executable, "-m", "modeling", *arguments], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout == (
        f"cosine {answer['cosine']:.6f}, score {answer['score']:.2f} of 10 (SD {answer['score_sd']:.2f})\n"
    )


def test_pairs_come_back_in_order_and_untouched(clips: list[str], tmp_path: Path) -> None:
    rows = [[clips[number % 4], caption] for number, caption in enumerate(HOSTILE)]
    table = write_table(tmp_path, rows)
    assert main(["score", "--model", "builtin", "--pairs", str(table), "--out", str(tmp_path / "out.csv")]) == 0
    header, *scored = read_table(tmp_path / "out.csv")
    assert header == ["file", "caption", "cosine", "score", "score_sd"]
    assert [row[:2] for row in scored] == rows
    assert all(float(row[3]) == pytest.approx(10 * min(max(float(row[2]), 0), 1)) for row in scored)
    assert {row[4] for row in scored} == {""}


def test_a_table_and_a_single_pair_agree(
    trained: TrainingResult, clips: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = str(trained.model_dir)
    table = write_table(tmp_path, [["x", clip, "A dog barks"] for clip in clips], header="id,file,caption")
    assert main(["score", "--model", model, "--pairs", str(table), "--out", str(tmp_path / "out.csv"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"rows": 4, "out": str(tmp_path / "out.csv")}
    one = ["score", "--model", model, "--audio", str(tmp_path / "in" / clips[2]), "--text", "A dog barks", "--json"]
    assert main(one) == 0
    alone = json.loads(capsys.readouterr().out)
    assert [float(cell) for cell in read_table(tmp_path / "out.csv")[3][2:]] == list(alone.values())


def test_what_was_made_is_kept_where_the_flag_says_or_nowhere(
    clips: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept, one = tmp_path / "kept", ["--audio", str(tmp_path / "in" / clips[0]), "--text", "Rain"]
    for cache in (["--cache", str(kept)], ["--cache", str(kept)], ["--no-cache"]):
        assert main(["score", "--model", "builtin", *one, "--json", *cache]) == 0
    assert len(set(capsys.readouterr().out.split("}\n"))) == 2  # one answer, and what follows the last
    assert len(list(kept.glob("??/*"))) == 3


def test_an_encoder_of_ones_own(
    clips: list[str], world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = "tests.modeling.test_embeddings:LoudnessAndLength"
    assert main(["score", "--model", model, "--audio", str(tmp_path / "in" / clips[0]), "--text", "", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["score_sd"] is None
    assert main(["evaluate", str(world), "--model", model, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["model"] == "loudness"


def test_every_bad_row_is_named_and_nothing_is_written(
    clips: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in/text.wav").write_text("no sound")
    table = write_table(tmp_path, [[clips[0], "a"], ["none.wav", "b"], [clips[1], "c"], ["text.wav", "d"], ["", "e"]])
    (tmp_path / "out.csv").write_text("kept")
    assert main(["score", "--model", "builtin", "--pairs", str(table), "--out", str(tmp_path / "out.csv")]) == 1
    assert capsys.readouterr().err.splitlines()[-3:] == [
        f"Row 3: {tmp_path / 'in/none.wav'} does not exist or is no file.",
        f"Row 5: {tmp_path / 'in/text.wav'} cannot be decoded as audio.",
        "Row 6: the file is not named.",
    ]
    assert (tmp_path / "out.csv").read_text() == "kept"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out.csv"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("file,text\na.wav,b\n", "has no column caption; it needs file,caption."),
        ("", "has no column file and no column caption"),
        ("file,caption\na.wav\n", "Row 2: it has 1 cells where the header has 2."),
        ('file,caption\na.wav,"open\n', "cannot be read as CSV in UTF-8"),
    ],
)
def test_a_table_that_is_none_is_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, message: str
) -> None:
    (tmp_path / "pairs.csv").write_text(content)
    arguments = [
        "score",
        "--model",
        "builtin",
        "--pairs",
        str(tmp_path / "pairs.csv"),
        "--out",
        str(tmp_path / "out.csv"),
    ]
    assert main(arguments) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out.csv").exists()


def test_train_and_evaluate_report_the_same(
    world: Path, trained: TrainingResult, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.toml").write_text("epochs = 1")
    out = tmp_path / "out"
    told = ["train", str(world), str(out), "--preset", "small", "--config", str(tmp_path / "config.toml"), "--json"]
    assert main(told) == 0
    report = json.loads(capsys.readouterr().out)
    assert json.loads((out / "report.json").read_text()).items() <= report.items()
    assert main(["evaluate", str(world), "--model", str(out / "model"), "--json"]) == 0
    measured = json.loads(capsys.readouterr().out)
    assert measured["agreement"] == report["tuned"]
    assert measured["ceiling_srcc"] == report["ceiling_srcc"]
    assert measured["one_vs_rest_srcc"] == report["one_vs_rest_srcc"]
    assert measured["score"]["srcc"]["n"] == measured["score_calibration"]["slope"]["n"] == measured["n_heldout"]
    assert measured["breakdown"]["origin"]["natural"]["srcc"]["n"] > 0


def test_evaluate_speaks_to_people(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(world), "--model", "builtin"]) == 0
    text = capsys.readouterr().out
    assert "Earmark's built-in small CLAP on " in text
    assert "Kendall tau-b" in text
    assert "Ceiling of these ratings:" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "{tmp}/none", "{tmp}/out", "--preset", "small"], "this is no complete snapshot"),
        (["train", "{tmp}/none", "{tmp}/out", "--preset", "big"], "There is no preset 'big'"),
        (["evaluate", "{tmp}/none", "--model", "builtin"], "this is no complete snapshot"),
        (["score", "--model", "builtin", "--audio", "{tmp}/a.wav"], "Name either --audio FILE and --text TEXT, or"),
        (
            ["score", "--model", "{tmp}/none", "--audio", "a.wav", "--text", "b"],
            "is neither a directory nor a hub name",
        ),
        (["score", "--model", "builtin", "--audio", "{tmp}/a.wav", "--text", "b"], "does not exist or is no file"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main([argument.replace("{tmp}", str(tmp_path)) for argument in arguments]) == 1
    streams = capsys.readouterr()
    assert message in streams.err
    assert "Traceback" not in streams.err
    assert streams.out == ""
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_usage_exits_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["train"])
    assert left.value.code == 1
    assert "the following arguments are required: snapshot, out" in capsys.readouterr().err


def test_a_fault_of_ours_exits_with_2(
    monkeypatch: pytest.MonkeyPatch, world: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: str) -> None:
        raise ZeroDivisionError("a fault")

    monkeypatch.setattr("modeling.scoring.open_backbone", broken)
    assert main(["evaluate", str(world), "--model", "builtin"]) == 2
    assert "ZeroDivisionError: a fault" in caplog.text
