"""Scores of many pairs: the same bits in any company and order, nothing made twice, and poisoned clips by name."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modeling.audio import AudioError, Samples, load
from modeling.embeddings import NOTHING_KEPT, pair_cosines, read_mels
from modeling.kept_arrays import KeptArrays
from modeling.loading import ModelError, open_backbone, open_directory
from modeling.model import Clap, cpu_threads
from modeling.scoring import Score, Scorer
from modeling.snapshot import read_snapshot

WORDS = [
    "Rain falls.",
    "",
    "A dog barks twice, then a door slams and a car starts",
    "犬が吠える",
    "x" * 300,
    "Wind",
    "a b",
]
GIGABYTE = 10**9


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Six clips of 0.1 to 12 s, of odd rates and several channels."""
    folder = tmp_path_factory.mktemp("clips")
    rng = np.random.default_rng(8)
    kinds = [(0.1, 48_000, 1), (12.0, 8_000, 1), (1.3, 11_127, 2), (2.0, 44_100, 8), (0.5, 5_000, 1), (0.3, 22_050, 1)]
    for number, (seconds, rate, channels) in enumerate(kinds):
        samples = rng.normal(0, 0.1, (round(seconds * rate), channels))
        soundfile.write(folder / f"{number}.wav", samples, rate)
    return [folder / f"{number}.wav" for number in range(len(kinds))]


@pytest.fixture(scope="session")
def random_model(random_directory: Path) -> Clap:
    return open_directory(random_directory, "random")


@pytest.fixture(scope="session")
def alone(random_model: Clap, clips: list[Path]) -> dict[tuple[Path, str], Score]:
    """Some pairs, each scored by a scorer of its own, in one thread."""
    with cpu_threads(1):
        pairs = [(clips[number % len(clips)], WORDS[number % len(WORDS)]) for number in range(12)]
        return {(clip, text): Scorer(random_model).score(clip, text) for clip, text in pairs}


def test_it_works(random_model: Clap, clips: list[Path], tmp_path: Path) -> None:
    """A table's worth of pairs, cold and then from what was kept."""
    cache = KeptArrays(tmp_path, GIGABYTE)
    audio, captions = [clip for clip in clips for _ in WORDS], WORDS * len(clips)
    told: list[tuple[int, int]] = []
    cold = Scorer(random_model, cache=cache).score_all(audio, captions, lambda done, of: told.append((done, of)))
    assert told == [(number + 1, 13) for number in range(13)]
    assert len({score.cosine for score in cold if isinstance(score, Score)}) > len(clips)
    assert Scorer(random_model, cache=cache).score_all(audio, captions) == cold
    assert Scorer(random_model).score_all(audio, captions) == cold


@given(data=st.data(), threads=st.integers(1, 3))
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_scores_depend_on_no_order_and_no_company(
    random_model: Clap,
    clips: list[Path],
    alone: dict[tuple[Path, str], Score],
    data: st.DataObject,
    threads: int,
) -> None:
    pairs = data.draw(st.lists(st.sampled_from(sorted(alone)), min_size=1, max_size=20))
    scorer = Scorer(random_model)
    with cpu_threads(threads):
        found = scorer.score_all([clip for clip, _ in pairs], [text for _, text in pairs])
    assert found == [alone[pair] for pair in pairs]


@given(order=st.permutations(range(20)), some=st.integers(1, 20))
@settings(max_examples=6, deadline=None)
def test_a_caption_has_the_same_bits_in_any_batch(builtin: Clap, order: list[int], some: int) -> None:
    captions = [f"A {'very ' * (number % 5)}loud dog number {number}" for number in range(20)]
    whole = builtin.encode_text(captions)
    part = builtin.encode_text([captions[number] for number in order[:some]])
    assert (part == whole[order[:some]]).all()


def test_clips_go_through_a_small_tower_by_threes_and_through_any_other_alone(
    random_model: Clap, clips: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bad clip and one that was kept take nobody's place."""
    cache = KeptArrays(tmp_path, GIGABYTE)
    expected = Scorer(random_model, cache=cache).score(clips[4], "Rain")
    shapes: list[int] = []
    embed = random_model.network.get_audio_features
    monkeypatch.setattr(
        random_model.network,
        "get_audio_features",
        lambda input_features, is_longer: shapes.append(len(input_features)) or embed(input_features, is_longer),
    )
    audio = [clips[0], tmp_path / "none.wav", *clips[2:]]
    few = Scorer(random_model, cache=cache).score_all(audio, ["Rain"] * 6)
    assert shapes == [3, 3]
    assert (str(few[1]), few[4]) == (f"{tmp_path / 'none.wav'} does not exist or is no file.", expected)
    monkeypatch.setattr("modeling.model.SMALL_TOWER_WEIGHTS", 0)
    large = replace(random_model)
    shapes.clear()
    assert large.fingerprint() != random_model.fingerprint()
    many = Scorer(large, cache=cache).score_all(audio, ["Rain"] * 6)
    assert shapes == [1] * 5
    cosines = [[score.cosine for score in found if isinstance(score, Score)] for found in (few, many)]
    assert cosines[1] == pytest.approx(cosines[0], abs=1e-6)


def test_the_fixed_shapes_of_a_gpu_give_the_same_scores_but_for_rounding(
    random_model: Clap,
    clips: list[Path],
    alone: dict[tuple[Path, str], Score],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The way that a GPU goes, gone on a CPU; a clip in several windows and a bad one among the others."""
    monkeypatch.setattr(Clap, "on_cpu", False)
    monkeypatch.setattr("modeling.model.GPU_WINDOWS", 4)
    monkeypatch.setattr("modeling.embeddings.GPU_WINDOWS", 4)
    audio, captions = [clip for clip, _ in alone] + [tmp_path / "none.wav"], [text for _, text in alone] + ["Rain"]
    cache = KeptArrays(tmp_path, GIGABYTE)
    *found, none = Scorer(random_model, cache=cache).score_all(audio, captions)
    cosines = [score.cosine for score in found if isinstance(score, Score)]
    assert cosines == pytest.approx([score.cosine for score in alone.values()], abs=1e-5)
    assert str(none) == f"{tmp_path / 'none.wav'} does not exist or is no file."
    assert Scorer(random_model, cache=cache).score_all(audio, captions)[:-1] == found


def test_equal_content_is_embedded_once_whatever_its_name(
    builtin: Clap, clips: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        (tmp_path / f"{number}.wav").write_bytes(clips[5].read_bytes())
    passes: list[int] = []
    encode = Clap.encode_mels
    monkeypatch.setattr(Clap, "encode_mels", lambda clap, mels: passes.append(len(mels)) or encode(clap, mels))
    scores = Scorer(builtin).score_all([tmp_path / f"{number}.wav" for number in range(4)], ["Rain"] * 4)
    assert passes == [1]
    assert len(set(scores)) == 1


def test_new_weights_keep_log_mels_and_no_embeddings(
    builtin: Clap, random_model: Clap, clips: list[Path], tmp_path: Path
) -> None:
    cache = KeptArrays(tmp_path, GIGABYTE)
    assert builtin.fingerprint() != random_model.fingerprint()
    before = random_model.fingerprint()
    scale = random_model.network.text_projection.linear1.bias
    found = Scorer(random_model, cache=cache).score(clips[0], "Rain").cosine
    scale.data[0] += 1
    try:
        assert random_model.fingerprint() != before
        assert Scorer(random_model, cache=cache).score(clips[0], "Rain").cosine != found
    finally:
        scale.data[0] -= 1
    kept = [path for path in tmp_path.glob("??/*") if path.stat().st_size > 10_000]
    assert len(kept) == 1


def test_the_fingerprint_does_not_depend_on_how_the_tokenizer_was_used_last(builtin: Clap) -> None:
    before = builtin.fingerprint()
    builtin.tokenizer(["Rain", "A dog barks"], padding=True, truncation=True, max_length=5)
    assert builtin.fingerprint() == before
    builtin.tokens("Rain")
    assert builtin.fingerprint() == before


def test_training_and_evaluation_get_the_same_cosines(builtin: Clap, world: Path, tmp_path: Path) -> None:
    snapshot, cache = read_snapshot(world), KeptArrays(tmp_path, GIGABYTE)
    names = sorted(snapshot.audio)[:5]
    clip, captions = np.array([0, 1, 2, 3, 4, 0]), ["Rain", "Rain", "Wind", "", "A dog", "Wind"]
    mels = read_mels(builtin, snapshot, names, cache=cache)
    cold = pair_cosines(builtin, clip, captions, mels, cache=cache, names=names)
    for kept in (NOTHING_KEPT, cache):
        found = Scorer(builtin, cache=kept).score_all([snapshot.audio[names[number]] for number in clip], captions)
        assert [score.cosine for score in found if isinstance(score, Score)] == cold.tolist()
    again = read_mels(builtin, snapshot, names, cache=cache)
    assert all((one == other).all() for one, other in zip(mels, again, strict=True))


def poison(folder: Path, kind: str) -> Path:
    path = folder / f"{kind}.wav"
    noise = np.random.default_rng(1).normal(0, 0.1, 24_000)
    if kind == "NaN":
        noise[5] = np.nan
    samples = {"silent": 0 * noise, "zero length": noise[:0], "huge": 2e38 * np.sign(noise)}.get(kind, noise)
    rate = 11_127 if kind in ("11,127 Hz", "huge") else 48_000
    channels = 8 if kind == "8 channels" else 1
    soundfile.write(path, np.repeat(samples[:, None], channels, axis=1), rate, subtype="FLOAT")
    if kind == "truncated":
        path.write_bytes(path.read_bytes()[:50_001])
    if kind == "text":
        path.write_text("this is no sound")
    return path


@pytest.mark.parametrize("kind", ["silent", "11,127 Hz", "8 channels", "truncated"])
def test_a_strange_clip_gets_a_score(builtin: Clap, tmp_path: Path, kind: str) -> None:
    score = Scorer(builtin).score(poison(tmp_path, kind), "Rain")
    assert -1 <= score.cosine <= 1
    assert 0 <= score.score <= 10


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("NaN", "holds samples that are not numbers (NaN or infinite)."),
        ("huge", "holds samples too large to be resampled; full scale is 1."),
        ("zero length", "lasts 0.000 s; a clip must last at least 0.1 s."),
        ("text", "cannot be decoded as audio."),
    ],
)
def test_a_poisoned_clip_is_named_and_harms_no_other(
    builtin: Clap, clips: list[Path], tmp_path: Path, kind: str, message: str
) -> None:
    path = poison(tmp_path, kind)
    found = Scorer(builtin).score_all([clips[0], path, clips[4]], ["Rain"] * 3)
    assert str(found[1]) == f"{path} {message}"
    assert isinstance(found[1], AudioError)
    assert [found[0], found[2]] == Scorer(builtin).score_all([clips[0], clips[4]], ["Rain"] * 2)


class LoudnessAndLength:
    """A backbone of two numbers: how loud a clip is, and how long a caption."""

    name, note, sample_rate = "loudness", "", 8_000

    def fingerprint(self) -> str:
        return "loudness 1"

    def encode_audio(self, clips: Sequence[Samples]) -> np.ndarray:
        return np.array([[1.0, np.sqrt(np.mean(clip**2))] for clip in clips])

    def encode_text(self, captions: Sequence[str]) -> np.ndarray:
        return np.array([[1.0, float(len(caption))] for caption in captions])


class Deaf(LoudnessAndLength):
    def encode_audio(self, clips: Sequence[Samples]) -> np.ndarray:
        return np.array([[np.nan, 1.0] for _ in clips])


class Illiterate(LoudnessAndLength):
    def encode_text(self, captions: Sequence[str]) -> np.ndarray:
        return np.array([1.0])


def no_model() -> object:
    return object()


def no_luck() -> object:
    raise FileNotFoundError("the weights are not here")


def test_any_other_backbone_scores(clips: list[Path], tmp_path: Path) -> None:
    backbone = open_backbone(f"{__name__}:LoudnessAndLength")
    cache = KeptArrays(tmp_path, GIGABYTE)
    for _ in range(2):
        found = Scorer(backbone, cache=cache).score_all([clips[0]] * 2, ["a", "ab"])
        level = np.array([1.0, np.sqrt(np.mean(load(clips[0], 8_000) ** 2))])
        for score, length in zip(found, (1, 2), strict=True):
            text = np.array([1.0, length])
            assert isinstance(score, Score)
            expected = level @ text / np.linalg.norm(level) / np.linalg.norm(text)
            assert score.cosine == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("factory", "message"),
    [
        ("no_model", "What '{}' returns has no name, note, sample_rate, fingerprint, encode_audio, encode_text; see"),
        ("no_luck", "'{}' gives no model: FileNotFoundError: the weights are not here"),
        ("absent", "'{}' gives no model: AttributeError: "),
    ],
)
def test_a_factory_that_gives_no_backbone_is_explained(factory: str, message: str) -> None:
    name = f"{__name__}:{factory}"
    with pytest.raises(ModelError) as refused:
        open_backbone(name)
    assert str(refused.value).startswith(message.format(name))


def test_a_backbone_that_breaks_its_word_is_named(clips: list[Path]) -> None:
    with pytest.raises(AudioError) as deaf:
        Scorer(Deaf()).score(clips[0], "Rain")
    assert str(deaf.value) == f"{clips[0]}: loudness gives no embedding that is a number and not zero."
    with pytest.raises(ModelError) as illiterate:
        Scorer(Illiterate()).score(clips[0], "Rain")
    assert str(illiterate.value) == (
        "loudness made an array of float64 of shape (1,) of 1 captions; it must be one of floats, one row for each."
    )
