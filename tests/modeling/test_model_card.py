"""The card of a tuned model: what it tells, that the hub's own reader takes it, that no name breaks it."""

import dataclasses
import json
import re
from pathlib import Path

import pytest
import soundfile
import yaml
from huggingface_hub import ModelCard

from modeling.config import PRESETS, override
from modeling.licences import licence_of
from modeling.metrics import METRICS
from modeling.model_card import Window, model_card
from modeling.plain_text import in_markdown
from modeling.provenance import caption_sha256, read_provenance
from modeling.scoring import Scorer
from modeling.snapshot import Snapshot, read_snapshot
from modeling.synthetic import SAMPLE_RATE, generate_world
from modeling.training import TrainingResult

CONFIG = override(PRESETS["small"], {"epochs": 2})
WINDOW = Window(48_000, 10)
HOSTILE = [
    "---\n\nlicense: mit\n---\n# Owned",
    "a: [b, {c: d}] # e",
    "<script>alert(1)</script> & <img src=x onerror=y>",
    "| a | b |\n|---|---|\n![x](http://x/y.png) [z](javascript:z) www.example.org https://example.org",
    "``` \n`rm -rf`\n~~~ **bold** __init__ $x$ @everyone",
    "\ud800\u2028\u202e\x00 nul",
    "'\"!!python/object:os.system",
    "",
    "x" * 5000,
]


@pytest.fixture(scope="session")
def snapshot(world: Path) -> Snapshot:
    return read_snapshot(world)


def test_it_works(trained: TrainingResult, snapshot: Snapshot) -> None:
    """Every number of the report is in the front matter, with its interval, under the hub's names."""
    card = ModelCard.load(trained.model_dir / "README.md")
    assert card.data.license == "apache-2.0"
    assert (card.data.library_name, card.data.base_model) == ("transformers", None)
    found = {result.metric_type: result for result in card.data.eval_results}
    for name, metric in zip(METRICS, ("spearmanr", "pearsonr", "kendalltau", "mse"), strict=True):
        value = trained.tuned[name]
        assert found[metric].metric_value == value.value
        assert found[metric].metric_args == {"low": value.low, "high": value.high, "confidence": 0.95, "n": value.n}
        assert found[metric].dataset_revision == snapshot.info.sha256
    info, srcc = snapshot.info, trained.tuned["srcc"]
    assert f"| SRCC | {trained.base['srcc'].value:.3f} [" in card.text
    assert f" | {srcc.value:.3f} [{srcc.low:.3f}, {srcc.high:.3f}] | " in card.text
    assert f"{info.n_ratings:,} ratings of {info.n_pairs:,} pairs by {info.n_raters:,} raters" in card.text
    assert f"sha256 `{info.sha256}`" in card.text
    assert "| losses | 0.1 wsce + 1 mae |" in card.text
    assert "2 run of at most 2" in card.text
    assert "simulated" not in card.text


def test_its_eight_lines_give_the_cosine(
    trained: TrainingResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the card tells to type is typed, in the model's directory."""
    code = re.findall(r"```python\n(.*?)```", (trained.model_dir / "README.md").read_text(), re.DOTALL)[0]
    assert len(code.strip().splitlines()) <= 9
    sound = next(iter(generate_world(seed=4, n_captions=1)))
    soundfile.write(tmp_path / "clip.wav", sound.samples, SAMPLE_RATE, subtype="FLOAT")
    monkeypatch.chdir(trained.model_dir)
    exec(code.replace("clip.wav", str(tmp_path / "clip.wav")), {})  # noqa: S102 -- our own words
    theirs = float(capsys.readouterr().out)
    assert theirs == pytest.approx(Scorer.open(".").score(tmp_path / "clip.wav", "A dog barks").cosine, abs=1e-4)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_stay_text(trained: TrainingResult, snapshot: Snapshot, text: str) -> None:
    hostile = dataclasses.replace(trained, model_name=text, question=text, note=text)
    whole = model_card(hostile, dataclasses.replace(snapshot, test=text), CONFIG, WINDOW)
    plain = model_card(dataclasses.replace(trained, note="x"), snapshot, CONFIG, WINDOW)
    card = ModelCard(whole)
    assert card.data.license == "apache-2.0"
    assert {result.metric_type for result in card.data.eval_results} == {"spearmanr", "pearsonr", "kendalltau", "mse"}
    # Nothing of it opens a section, a table or a block.
    for start in (r"#+ ", r"---", r"```", r"- ", r"\|---"):
        assert len(re.findall(f"^{start}", whole, re.MULTILINE)) == len(re.findall(f"^{start}", plain, re.MULTILINE))
    body = card.text.replace("```python", "").replace("```sh", "").replace("```", "")
    assert "<script" not in body
    assert "<img" not in body
    assert not re.search(r"(?<!\\)!?\[[zx](?<!\\)\]\(", body)
    whole.encode()


def test_what_it_was_trained_on_lies_beside_it(trained: TrainingResult, snapshot: Snapshot) -> None:
    found = read_provenance(trained.model_dir)
    assert found is not None
    assert (found.snapshot_sha256, found.test, found.base_model) == (snapshot.info.sha256, snapshot.test, "builtin")
    learned = [row for row in snapshot.ratings if row.split in ("train", "validation")]
    assert set(found.clips) == {row.clip_sha256 for row in learned}
    assert set(found.captions) == {caption_sha256(row.caption) for row in learned}


def test_simulated_raters_are_said_to_be(trained: TrainingResult, snapshot: Snapshot) -> None:
    card = ModelCard(model_card(trained, dataclasses.replace(snapshot, is_simulated=True), CONFIG, WINDOW))
    assert "**The raters behind these numbers are simulated.**" in card.text
    assert "simulated" in card.data.tags


def test_the_base_is_named_and_so_is_its_licence(trained: TrainingResult, snapshot: Snapshot, tmp_path: Path) -> None:
    fused = "laion/clap-htsat-fused"
    tuned = model_card(
        dataclasses.replace(trained, model_name=fused), snapshot, override(CONFIG, {"model": fused}), WINDOW
    )
    card = ModelCard(tuned)
    assert (card.data.base_model, card.data.license) == (fused, "apache-2.0")
    assert licence_of("sarulab-speech/human-clap-wsce-mae").name == "unknown"
    assert licence_of(str(tmp_path)).name == "unknown"
    (tmp_path / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n")
    assert licence_of(str(tmp_path)).name == "cc-by-nc-4.0"
    (tmp_path / "README.md").write_text("---\nlicense: !!python/object:os.system\n---\n")
    assert licence_of(str(tmp_path)).name == "unknown"


def test_undefined_numbers_are_left_out_of_the_front_matter(trained: TrainingResult, snapshot: Snapshot) -> None:
    none = {name: dataclasses.replace(value, value=None, low=None, high=None) for name, value in trained.tuned.items()}
    card = ModelCard(model_card(dataclasses.replace(trained, tuned=none), snapshot, CONFIG, WINDOW))
    assert card.data.eval_results is None
    assert "undefined" in card.text


@pytest.mark.parametrize("text", HOSTILE)
def test_one_line_of_markdown_is_one_line(text: str) -> None:
    assert "\n" not in in_markdown(text)
    assert yaml.safe_load(yaml.safe_dump(in_markdown(text))) == in_markdown(text)


def test_the_report_breaks_the_agreement_down(trained: TrainingResult) -> None:
    report = json.loads((trained.model_dir.parent / "report.json").read_text())
    assert report["judged"] == "cosine"
    assert list(report["tuned_score"]) == list(METRICS)
    # A line through the cosine, cut at the ends of the scale, leaves ranks nearly as they are, and comes nearer.
    assert report["tuned_score"]["srcc"]["value"] == pytest.approx(report["tuned"]["srcc"]["value"], abs=0.02)
    assert report["tuned_score"]["mse"]["value"] < report["base"]["mse"]["value"]
    assert sum(part["srcc"]["n"] for part in report["breakdown"]["system"].values()) == trained.n_heldout
